// Time as a value. Pure code gets it as an argument; only sys/clock asks the machine.
#pragma once
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace greylag::base {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// A moment on the wall clock: seconds since 1970-01-01T00:00:00Z, and the local offset east of UTC.
struct WallTime {
    std::int64_t seconds = 0;
    int offset_minutes = 0;  // -1439..1439
    auto operator<=>(const WallTime&) const = default;
};

// The calendar form of a moment, in its own offset (proleptic Gregorian).
struct Calendar {
    int year = 1970;
    int month = 1;    // 1..12
    int day = 1;      // 1..31
    int hour = 0;     // 0..23
    int minute = 0;   // 0..59
    int second = 0;   // 0..60
    int weekday = 4;  // 0 = Sunday
};
Calendar calendar(WallTime when);
std::string show_calendar(const Calendar& c);                    // "2026-11-22T02:51:37", RFC 3339 but for its zone
std::int64_t seconds_of(const Calendar& c, int offset_minutes);  // the inverse; weekday is ignored

// A duration as configuration files write it: a number with one of ms s m h d; no unit is seconds.
// "15s", "5m", "14h", "36d", "200ms". Nothing when malformed or over 100 years.
std::optional<Millis> parse_duration(std::string_view text);
std::string show_duration(Millis d);  // the shortest exact form: "5m", "90s", "200ms", "0s"

}  // namespace greylag::base
