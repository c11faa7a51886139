// The ASCII form of a domain name (RFC 3492, RFC 5890). U-labels are taken to be what RFC 5890 2.3.2.1 says they are, lower case
// and normalised: nothing is mapped but A-Z.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace greylag::base {

// "bücher" is "xn--bcher-kva"; an ASCII label is itself. Nothing for what is not UTF-8 or grows over 63 octets.
std::optional<std::string> ascii_label(std::string_view label);

}  // namespace greylag::base
