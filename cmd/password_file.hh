// The file of --password-file: a password, alone in the first line.
#pragma once
#include <string>

#include "base/wipe.hh"
#include "sys/file.hh"

namespace greylag::cmd {

// Without the line's end; of the rest no copy stays.
inline Result<std::string> read_password(const std::string& file, sys::Guard guard = sys::Guard::none) {
    constexpr std::size_t limit = 64 << 10;
    std::string text = TRY(sys::read_file(file, limit, guard));
    std::string line = text.substr(0, text.find_first_of("\r\n"));
    base::wipe(text);
    return line;
}

}  // namespace greylag::cmd
