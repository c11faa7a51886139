// The ASCII form of a domain name (RFC 3492, RFC 5890). U-labels are taken to be what RFC 5890 2.3.2.1 says they are, lower case
// and normalised: nothing is mapped but A-Z.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace greylag::base {

// "bücher" is "xn--bcher-kva"; an ASCII label is itself. Nothing for what is not UTF-8, grows over 63 octets,
// has "--" where an ASCII form has it, or
// begins or ends with "-" (RFC 5891 4.2.3.1).
std::optional<std::string> ascii_label(std::string_view label);

// A whole name, label by label: "www.bücher.example" is "www.xn--bcher-kva.example". Nothing when one of them has no such form.
std::optional<std::string> ascii_name(std::string_view name);

}  // namespace greylag::base
