// Linear in the message and independent of its size in memory. Positions are never shared state here: every read names its
// offset, because a descriptor inherited from smtpd is one open file for everybody who holds it.
#include "sys/durable.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>

namespace greylag::sys {
namespace {

constexpr std::size_t block = 256 * 1024;

std::unexpected<Error> failed(std::string_view what) { return std::unexpected(os_error(what, errno)); }

ssize_t read_block(int fd, char* room, std::size_t size, std::uint64_t offset) {
    ssize_t got = -1;
    do got = ::pread(fd, room, size, static_cast<off_t>(offset));
    while (got < 0 && errno == EINTR);
    return got;
}

Result<void> write_whole(int fd, const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t wrote = ::write(fd, bytes, size);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return failed("writing the message");
        bytes += wrote;
        size -= static_cast<std::size_t>(wrote);
    }
    return {};
}

}  // namespace

Result<std::uint64_t> position(int fd) {
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    if (at >= 0) return static_cast<std::uint64_t>(at);
    if (errno == ESPIPE) return base::fail(Kind::usage, "the descriptor cannot be positioned: it is a pipe or a socket");
    return failed("asking for a position");
}

Result<void> seek(int fd, std::uint64_t offset) {
    if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) return failed("positioning the message");
    return {};
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t limit) {
    // Most messages are small: pages are only touched where octets come.
    constexpr std::size_t first = 16 << 10;
    std::string bytes;
    while (bytes.size() < limit) {
        const std::size_t had = bytes.size();
        const std::size_t want = std::min({had == 0 ? first : had, block, limit - had});
        ssize_t got = 0;
        bytes.resize_and_overwrite(had + want, [&](char* data, std::size_t) {
            got = read_block(fd, data + had, want, offset + had);
            return had + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
        });
        if (got < 0) return failed("reading the message");
        if (got == 0) break;
    }
    return bytes;
}

Result<void> copy_from(int from, std::uint64_t offset, int to) {
#if defined(__linux__)
    // Whatever stops it (another file system, an old kernel, the end, a full disk) is found again by the loop below, which
    // knows how to say it.
    for (;;) {
        off64_t at = static_cast<off64_t>(offset);
        const ssize_t moved = ::copy_file_range(from, &at, to, nullptr, 1u << 30, 0);
        if (moved <= 0) break;
        offset += static_cast<std::uint64_t>(moved);
    }
#endif
    const auto room = std::make_unique_for_overwrite<char[]>(block);
    for (;;) {
        const ssize_t got = read_block(from, room.get(), block, offset);
        if (got < 0) return failed("reading the message");
        if (got == 0) return {};
        auto wrote = write_whole(to, room.get(), static_cast<std::size_t>(got));
        if (!wrote) return wrote;
        offset += static_cast<std::uint64_t>(got);
    }
}

Result<void> finish(Fd fd) {
    int status = -1;
    do status = ::fsync(fd.get());
    while (status < 0 && errno == EINTR);
    if (status < 0) return failed("making the message safe");
    // NFS may keep an error back until close.
    if (::close(fd.release()) < 0 && errno != EINTR) return failed("closing the message");
    return {};
}

Result<void> move_file(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) < 0) return failed(to);
    return {};
}

void remove_file(const std::string& path) { ::unlink(path.c_str()); }

Stamp stamp() {
    static std::atomic<unsigned> counter{0};
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    return {micros / 1'000'000, static_cast<unsigned>(micros % 1'000'000), ::getpid(), counter.fetch_add(1)};
}

}  // namespace greylag::sys
