// UTF-8 (RFC 3629): shortest form only, no surrogate, nothing above U+10FFFF.
#pragma once
#include <cstddef>
#include <string_view>

namespace greylag::base {

bool is_utf8(std::string_view text);   // true for pure ASCII too
bool is_ascii(std::string_view text);  // every byte below 128

// The bytes of the character at the front of `text`; 0 when there is none (nothing, or not UTF-8).
std::size_t utf8_length(std::string_view text);

}  // namespace greylag::base
