// The machine's clocks, and the deadline that every wait has.
#pragma once
#include <chrono>
#include <cstdint>

#include "base/time.hh"

namespace greylag::sys {

base::WallTime wall_now();  // with the local offset (TZ, /etc/localtime)
// Milliseconds since 1970, for ages of files; it asks for no time zone.
std::int64_t wall_millis();

// A moment on the steady clock by which something must have happened.
class Deadline {
public:
    static Deadline in(base::Millis wait);
    static Deadline never();
    static Deadline earlier(Deadline a, Deadline b) { return a.when_ < b.when_ ? a : b; }

    base::Millis left() const;  // 0 when passed; large for never()
    bool passed() const;
    int poll_timeout() const;  // for poll(2): milliseconds rounded up, -1 for never

private:
    using Clock = std::chrono::steady_clock;
    explicit Deadline(Clock::time_point when) : when_(when) {}
    Clock::time_point when_;
};

// Milliseconds of steady time since `start` = stopwatch().
std::chrono::steady_clock::time_point stopwatch();
base::Millis since(std::chrono::steady_clock::time_point start);
std::chrono::microseconds micros_since(std::chrono::steady_clock::time_point start);

}  // namespace greylag::sys
