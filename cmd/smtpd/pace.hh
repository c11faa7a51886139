// How slowly a body may come (wire: slowloris). A rule without a clock.
#pragma once
#include <cstdint>

#include "base/time.hh"

namespace greylag::smtpd {

// A body slower than this is not on a slow line but held; the grace is for a line that stalls.
constexpr std::uint64_t minimum_rate = 500;  // octets a second
constexpr base::Millis rate_grace{30'000};

// `octets` came in all the time since the body began.
constexpr bool too_slow(std::uint64_t octets, base::Millis passed) {
    if (passed < rate_grace) return false;
    return octets < minimum_rate * (static_cast<std::uint64_t>(passed.count()) / 1000);
}

}  // namespace greylag::smtpd
