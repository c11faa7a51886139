// What smtp-source and smtp-sink read from their command lines in the same way and with the same words.
#pragma once
#include <limits>
#include <string>
#include <string_view>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/options.hh"

namespace greylag::cmd {

inline std::unexpected<Error> bad(std::string_view option, std::string_view value, std::string_view why) {
    return base::fail(Kind::usage, std::string(option) + " " + base::quoted(value, 80) + ": " + std::string(why));
}

// The number of an option; `out` stays as it is where the option is not given.
template <class T>
Result<void> number(const base::CommandLine& line, char letter, T& out, T least, T most) {
    if (!line.has(letter)) return {};
    const auto value = base::parse_number<T>(line.value(letter));
    if (!value || *value < least || *value > most)
        return bad(std::string("-") + letter, line.value(letter),
                   "not a number from " + std::to_string(least) +
                       (most == std::numeric_limits<T>::max() ? " on" : " to " + std::to_string(most)));
    out = *value;
    return {};
}

// -T: the size of a socket's buffers.
inline Result<void> read_window(const base::CommandLine& line, int& out) {
    unsigned octets = static_cast<unsigned>(out);
    TRY(number<unsigned>(line, 'T', octets, 1, std::numeric_limits<int>::max()));
    out = static_cast<int>(octets);
    return {};
}

inline Result<void> read_threads(const base::CommandLine& line, unsigned& out) {
    constexpr std::string_view option = "threads";
    if (!line.has(option)) return {};
    const auto value = base::parse_number<unsigned>(line.value(option));
    if (!value || *value == 0 || *value > 1024) return bad("--threads", line.value(option), "not a number from 1 to 1024");
    out = *value;
    return {};
}

}  // namespace greylag::cmd
