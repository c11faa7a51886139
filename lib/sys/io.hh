// Reads and writes with a deadline. EINTR is retried; a blocking descriptor is guarded by poll(2).
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hh"
#include "sys/clock.hh"

namespace greylag::sys {

// Bytes read; 0 is the end of the stream. Kind::timeout when the deadline passed, Kind::closed for a reset.
Result<std::size_t> read_some(int fd, std::span<char> room, Deadline deadline);

// All of it or an error. On a socket no more than the kernel takes is waited for: a peer that does not read ends in timeout.
Result<void> write_all(int fd, std::string_view bytes, Deadline deadline);

// For loops that are told when: what is here, nothing when nothing is; 0 is the end of the stream. `fd` does not block.
Result<std::optional<std::size_t>> read_now(int fd, std::span<char> room);
// How many octets of the pieces, taken as one, the kernel takes now; 0 when it takes none. `more`: the next call follows at
// once, and what it brings may travel in the same packet.
Result<std::size_t> write_now(int fd, std::span<const std::string_view> pieces, bool more = false);

// Says the end of what we send; reading goes on. No matter where `fd` is no socket.
void half_close(int fd);

// Can be read now, or until the deadline (end of stream counts).
Result<bool> readable(int fd, Deadline deadline);

// The same for writing: there is room for something.
Result<bool> writable(int fd, Deadline deadline);

// What is waited for on a descriptor, and afterwards what has come of it (errors and end of stream count as both asked for).
struct Interest {
    int fd = -1;
    bool read = false, write = false;
};
// Until something comes on one of them, or the deadline: false, and nothing has. Without any descriptor it only sleeps.
Result<bool> wait_any(std::span<Interest> interests, Deadline deadline);

// Replies are whole when they are written: none waits for the last one's acknowledgement. No matter where `fd` is no TCP.
void no_delay(int fd);

// Sleeps, but wakes early when `fd` becomes readable: true when it did (early talk, or the peer left).
bool sleep_watching(int fd, base::Millis wait);

}  // namespace greylag::sys
