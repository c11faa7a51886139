// The steps of a durable delivery: a message copied between files by the kernel, made safe, moved into place.
#pragma once
#include <cstdint>
#include <string>

#include "base/result.hh"
#include "sys/fd.hh"

namespace greylag::sys {

// Where a seekable descriptor stands; Kind::usage for a pipe or socket.
Result<std::uint64_t> position(int fd);
Result<void> seek(int fd, std::uint64_t offset);

// At most `limit` bytes from `offset`, fewer only at the end of the file. The position does not move.
Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t limit);

// Everything of `from` behind `offset` is appended at the position of `to`. Memory stays flat; the position of `from` does
// not move. A regular file is no wait: there is no deadline.
Result<void> copy_from(int from, std::uint64_t offset, int to);

// fsync, then a checked close: after success the bytes outlive a power cut.
Result<void> finish(Fd fd);

Result<void> move_file(const std::string& from, const std::string& to);  // rename(2): atomic, replaces `to`
void remove_file(const std::string& path);                               // what is not there need not be removed

// No two calls on this machine give the same: a moment, a process and a count within it.
struct Stamp {
    std::int64_t seconds = 0;
    unsigned micros = 0;
    int process = 0;
    unsigned count = 0;
};
Stamp stamp();

}  // namespace greylag::sys
