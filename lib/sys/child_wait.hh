// Inside of child: waiting for a process while listening to what it says. Nobody else needs this.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "base/result.hh"
#include "sys/child.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace greylag::sys {

// The reading end of a pipe, not blocking; the first `limit` bytes are kept, the rest is read and thrown away.
struct Ear {
    Fd fd;
    std::string* text;
    std::size_t limit;
};

// Waits for the end of `pid`, the leader of its group, and reaps it. At the deadline the group gets SIGTERM, shortly after
// SIGKILL, and the answer is timed_out. What the ears hold at the end is still read, but nobody is waited for there.
Result<Ending> attend(int pid, Deadline deadline, std::span<Ear> ears);

// Reaps a process that was killed; gives up after some seconds (a process stuck in the kernel).
void wait_until_gone(int pid);

}  // namespace greylag::sys
