// Signals that a loop waits for, delivered only inside wait(): nothing is ever interrupted halfway.
#pragma once
#include <span>
#include <vector>

#include "sys/clock.hh"

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

    // In a forked child: back to the default actions.
    static void restore();
};

}  // namespace greylag::sys
