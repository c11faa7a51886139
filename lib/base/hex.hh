// One byte as two hexadecimal digits and back: what every escape of ours is made of.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace greylag::base {

inline constexpr std::string_view hex_upper = "0123456789ABCDEF";
inline constexpr std::string_view hex_lower = "0123456789abcdef";

// Appends the two digits of `byte`.
inline void append_hex(std::string& out, char byte, std::string_view digits) {
    const auto value = static_cast<unsigned char>(byte);
    out += digits[value >> 4];
    out += digits[value & 15];
}

// The value of a digit in either case.
constexpr std::optional<unsigned> hex_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

}  // namespace greylag::base
