// Dates as mail writes them.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hh"

namespace greylag::mail {

std::string rfc5322_date(base::WallTime when);  // "Sat, 21 Nov 2026 23:44:04 +0100" (RFC 5322 3.3)
std::string ctime_date(base::WallTime when);    // "Sat Nov 21 23:44:04 2026", what stands in a "From " line
// Date-time of RFC 5322, obsolete zones and two-digit years included, comments skipped; nothing when malformed.
std::optional<base::WallTime> parse_date(std::string_view text);

}  // namespace greylag::mail
