// A file to a socket without passing through this process, where the system can.
#pragma once
#include <cstdint>

#include "sys/clock.hh"

namespace greylag::sys {

// How many of the `count` octets at `offset` of `file` went to `socket`, in a process that ignores SIGPIPE. 0: none can go this
// way (a socket that blocks, a system without it), nothing is left, or time is up: whoever reads and writes instead hears why.
std::uint64_t send_file(int socket, int file, std::uint64_t offset, std::uint64_t count, Deadline deadline);

}  // namespace greylag::sys
