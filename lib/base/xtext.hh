// xtext, the encoding of ESMTP parameter values (RFC 3461 section 4): "+" and two upper-case hex digits.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace greylag::base {

std::string xtext_encode(std::string_view bytes);

// The bytes, or nothing when `text` is not xtext. The caller still decides which decoded bytes it wants
// (a decoded CR, LF or NUL is returned as it is).
std::optional<std::string> xtext_decode(std::string_view text);

}  // namespace greylag::base
