#include "grey/decide.hh"

#include <algorithm>

namespace greylag::grey {

namespace {

// A record a little ahead of us comes from the coarse clock of a file system or another host; more than that, from a clock
// that was moved, and to wait for such a moment could be to wait for years.
constexpr std::int64_t skew = 60'000;

std::int64_t whole_seconds(std::int64_t millis) { return std::max<std::int64_t>(1, (millis + 999) / 1000); }

}  // namespace

Decision decide(std::int64_t now, std::optional<std::int64_t> first_call, const Limits& limits) {
    const std::int64_t min = limits.min.count(), max = std::max(limits.min, limits.max).count();
    if (!first_call) return {Call::first, whole_seconds(min)};
    const std::int64_t first = *first_call;
    // Compared before subtracted: a stamp can be any number.
    if (first > now ? first > now + skew : first < now - max) return {Call::first_again, whole_seconds(min)};
    const std::int64_t age = now - first;
    if (age < min) return {Call::early, whole_seconds(min - age)};
    return {Call::pass, 0};
}

}  // namespace greylag::grey
