// Passwords from a person or a pipe.
#pragma once
#include <string>

#include "base/result.hh"

namespace greylag::sys {

// Whether a person sits at standard input.
bool is_terminal(int fd);

// One line from the terminal of this process without showing it; the echo comes back whatever happens, signals included.
Result<std::string> ask_password(const std::string& prompt);

// The first line of standard input, without its end; `limit` octets at most.
Result<std::string> read_line(int fd, std::size_t limit);

}  // namespace greylag::sys
