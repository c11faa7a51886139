// Many descriptors waited for at once, for loops with thousands of connections: epoll(7) on Linux, kqueue(2)
// on the BSDs, poll(2) elsewhere. Level-triggered: what is not taken is said again. Nothing is owned here and nothing read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.hh"
#include "sys/clock.hh"

namespace greylag::sys {

// Raises the limit of open descriptors as far as this process may, `wanted` at most. What it is then.
std::size_t raise_descriptor_limit(std::size_t wanted);

class Events {
public:
    enum class Way : std::uint8_t { best, poll, kqueue };  // the last one fails where the system has none
    struct Ready {
        std::size_t token = 0;
        bool read = false, write = false;  // an error or the end of the stream counts as both
    };

    static Result<Events> create(Way way = Way::best);
    ~Events();
    Events(Events&&) noexcept;
    Events& operator=(Events&&) noexcept;

    Result<void> add(int fd, std::size_t token, bool read, bool write);
    Result<void> change(int fd, std::size_t token, bool read, bool write);
    // Right before it is closed.
    void forget(int fd);

    // What has come until the deadline, perhaps nothing. Valid until the next call.
    Result<std::span<const Ready>> wait(Deadline deadline);

    struct State;  // one a way

private:
    explicit Events(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace greylag::sys
