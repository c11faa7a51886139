// The terminal: passwords from a person or a pipe, its modes, its width.
#pragma once
#include <memory>
#include <string>

#include "base/result.hh"

namespace greylag::sys {

// Whether a person sits at standard input.
bool is_terminal(int fd);

// One line from the terminal of this process without showing it; the echo comes back whatever happens, signals included.
Result<std::string> ask_password(const std::string& prompt);

// The first line of standard input, without its end; `limit` octets at most.
Result<std::string> read_line(int fd, std::size_t limit);

// The terminal in another mode, put back as it was when this goes.
class TerminalMode {
public:
    enum class Kind : std::uint8_t {
        keys,    // each key at once and not shown; no key is a signal: for an editor of our own
        octets,  // each octet at once, CR and LF as they were typed; shown, and keys are signals
    };
    static Result<TerminalMode> enter(int fd, Kind kind);
    ~TerminalMode();
    TerminalMode(TerminalMode&&) noexcept;
    TerminalMode& operator=(TerminalMode&&) noexcept;

private:
    struct Saved;
    explicit TerminalMode(std::unique_ptr<Saved> saved);
    std::unique_ptr<Saved> saved_;
};

unsigned terminal_width(int fd);  // columns; 80 where it does not say

}  // namespace greylag::sys
