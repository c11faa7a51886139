// Base64 (RFC 4648 section 4), strict: no line ends, no blanks, padding exactly right, unused bits zero.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace greylag::base {

std::string base64_encode(std::string_view bytes);

// The bytes, or nothing when `text` is not the one canonical encoding of any byte string.
// The empty text decodes to the empty string.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace greylag::base
