// Signals that a loop waits for, delivered only inside wait(): nothing is ever interrupted halfway.
#pragma once
#include <span>
#include <vector>

#include "sys/clock.hh"
#include "sys/io.hh"

namespace greylag::sys {

// From construction on SIGTERM, SIGINT, SIGHUP and SIGCHLD are held back and seen by wait() alone. One object a process.
class Signals {
public:
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    struct Seen {
        bool stop = false;    // TERM or INT
        bool reload = false;  // HUP
        bool child = false;
        std::vector<int> ready;  // the readable descriptors
    };
    // Until a descriptor is readable, a signal comes, or the deadline.
    Seen wait(std::span<const int> fds, Deadline deadline);
    // The same for both directions: afterwards each says what has come of it, as of wait_any(), and `ready` stays empty.
    Seen wait_both(std::span<Interest> interests, Deadline deadline);

    // For one who waits for a single descriptor; a negative one only sleeps. Once `stop` was seen it is seen by every later call,
    // and before any input.
    enum class Woke { input, stop, timeout };
    Woke wait_input(int fd, Deadline deadline);
    // Until it can be written to (errors count): true. It stays true that a stop is seen by every later call.
    bool wait_output(int fd, Deadline deadline, base::Millis grace);
    // What is left of a deadline where a stop leaves no more than `grace` from when it was seen.
    Deadline within(Deadline deadline, base::Millis grace) const;

    // In a forked child: back to the default actions.
    static void restore();

private:
    void note(const Seen& seen);

    bool stop_ = false;
    std::chrono::steady_clock::time_point stopped_;
};

}  // namespace greylag::sys
