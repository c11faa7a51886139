// Greylisting as a pure decision: when a caller was here first, what time it is, and what follows. No file, no clock.
//
// A real mail server that is told "later" comes back; what only throws mail does not (RFC 6647).
#pragma once
#include <cstdint>
#include <optional>

#include "base/time.hh"

namespace greylag::grey {

struct Limits {
    base::Millis min{5 * 60'000};
    base::Millis max{14 * 3'600'000LL};
};

enum class Call : std::uint8_t {
    first,        // never seen: note it, ask for a retry
    early,        // too soon: ask for a retry; the clock goes on
    pass,         // in the window
    first_again,  // too late, or the clock was moved: note it anew, ask for a retry
};

struct Decision {
    Call call = Call::first;
    std::int64_t seconds = 0;  // until a retry passes, at least 1; 0 for pass
};

// Milliseconds since 1970. `first_call` is nothing when there is no record.
Decision decide(std::int64_t now, std::optional<std::int64_t> first_call, const Limits& limits);

}  // namespace greylag::grey
