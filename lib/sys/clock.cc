// The only place that asks what time it is.
#include "sys/clock.hh"

#include <algorithm>
#include <ctime>
#include <limits>

namespace greylag::sys {

base::WallTime wall_now() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    return {static_cast<std::int64_t>(now), static_cast<int>(local.tm_gmtoff / 60)};
}

std::int64_t wall_millis() {
    return std::chrono::duration_cast<base::Millis>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Deadline Deadline::in(base::Millis wait) {
    const auto now = Clock::now();
    if (wait >= std::chrono::duration_cast<base::Millis>(Clock::time_point::max() - now)) return never();
    return Deadline(now + std::max(wait, base::Millis(0)));
}

Deadline Deadline::never() { return Deadline(Clock::time_point::max()); }

base::Millis Deadline::left() const {
    const auto rest = when_ - Clock::now();
    if (rest <= Clock::duration::zero()) return base::Millis(0);
    // Rounded up, so that a wait of this length never ends before the deadline.
    return std::chrono::ceil<base::Millis>(rest);
}

bool Deadline::passed() const { return when_ != Clock::time_point::max() && Clock::now() >= when_; }

int Deadline::poll_timeout() const {
    if (when_ == Clock::time_point::max()) return -1;
    return static_cast<int>(std::min<base::Millis::rep>(left().count(), std::numeric_limits<int>::max()));
}

std::chrono::steady_clock::time_point stopwatch() { return std::chrono::steady_clock::now(); }

base::Millis since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration_cast<base::Millis>(std::chrono::steady_clock::now() - start);
}

std::chrono::microseconds micros_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace greylag::sys
