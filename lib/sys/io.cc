// Bytes in and out, always by a deadline. Descriptors may be blocking or not, sockets, pipes or files.
#include "sys/io.hh"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>
#include <vector>

#include "sys/fd.hh"

namespace greylag::sys {

namespace {

Result<bool> wait_for(int fd, short events, Deadline deadline) {
    for (;;) {
        pollfd entry{fd, events, 0};
        const int count = ::poll(&entry, 1, deadline.poll_timeout());
        if (count > 0 && (entry.revents & POLLNVAL) != 0) return os_fail("poll", EBADF);
        if (count > 0) return true;
        if (count < 0 && errno != EINTR) return os_fail("poll", errno);
        if (deadline.passed()) return false;
    }
}

std::unexpected<Error> timed_out(std::string_view what) {
    return base::fail_later(Kind::timeout, std::string(what) + ": time is up");
}

// A connection that broke in any way is one that closed.
std::unexpected<Error> broken(std::string_view what, int code) {
    Error error = os_error(what, code);
    switch (code) {
        case ECONNRESET:
        case ECONNABORTED:
        case EPIPE:
        case ENOTCONN:
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case ENETUNREACH: error.kind = Kind::closed; break;
        default: break;
    }
    return std::unexpected(std::move(error));
}

// How much may be written at once so that write(2) cannot block. A blocking pipe that poll(2) calls writable has room for
// PIPE_BUF; a file never waits for anybody.
std::size_t safe_piece(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return SSIZE_MAX;
    const int flags = ::fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK) != 0 ? SSIZE_MAX : PIPE_BUF;
}

}  // namespace

Result<std::size_t> read_some(int fd, std::span<char> room, Deadline deadline) {
    for (;;) {
        // A peer that sends without pause must not outlive its deadline either.
        if (deadline.passed()) return timed_out("read");
        if (!TRY(wait_for(fd, POLLIN, deadline))) return timed_out("read");
        const ssize_t count = ::read(fd, room.data(), room.size());
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno != EINTR && errno != EAGAIN) return broken("read", errno);
    }
}

Result<void> write_all(int fd, std::string_view bytes, Deadline deadline) {
    bool socket = true;
    std::size_t piece = 0;
    while (!bytes.empty()) {
        ssize_t count = -1;
        if (socket) {
            count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count < 0 && errno == ENOTSOCK) {
                socket = false;
                piece = safe_piece(fd);
            }
        }
        if (!socket) {
            if (piece != SSIZE_MAX && !TRY(wait_for(fd, POLLOUT, deadline))) return timed_out("write");
            count = ::write(fd, bytes.data(), std::min(piece, bytes.size()));
        }
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            if (!TRY(wait_for(fd, POLLOUT, deadline))) return timed_out("write");
        } else if (errno != EINTR) {
            return broken("write", errno);
        }
        if (!bytes.empty() && deadline.passed()) return timed_out("write");
    }
    return {};
}

Result<std::optional<std::size_t>> read_now(int fd, std::span<char> room) {
    for (;;) {
        const ssize_t count = ::recv(fd, room.data(), room.size(), MSG_DONTWAIT);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno == EAGAIN) return std::nullopt;
        if (errno != EINTR) return broken("read", errno);
    }
}

Result<std::size_t> write_now(int fd, std::span<const std::string_view> pieces, bool more) {
#ifdef MSG_MORE
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
#else
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    static_cast<void>(more);
#endif
    iovec parts[8];
    msghdr message{};
    message.msg_iov = parts;
    for (const std::string_view piece : pieces) {
        if (piece.empty() || message.msg_iovlen == std::size(parts)) continue;
        parts[message.msg_iovlen++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    if (message.msg_iovlen == 0) return 0;
    for (;;) {
        // What is one piece goes the shorter way.
        const ssize_t count =
            message.msg_iovlen == 1 ? ::send(fd, parts[0].iov_base, parts[0].iov_len, flags) : ::sendmsg(fd, &message, flags);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno == EAGAIN) return 0;
        if (errno != EINTR) return broken("write", errno);
    }
}

Result<bool> readable(int fd, Deadline deadline) { return wait_for(fd, POLLIN, deadline); }

Result<bool> writable(int fd, Deadline deadline) { return wait_for(fd, POLLOUT, deadline); }

Result<bool> wait_any(std::span<Interest> interests, Deadline deadline) {
    std::vector<pollfd> entries;
    for (const Interest& i : interests)
        entries.push_back({i.fd, static_cast<short>((i.read ? POLLIN : 0) | (i.write ? POLLOUT : 0)), 0});
    int count = 0;
    while ((count = ::poll(entries.data(), entries.size(), deadline.poll_timeout())) < 0) {
        if (errno != EINTR) return os_fail("poll", errno);
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const int broken = entries[i].revents & ~(POLLIN | POLLOUT);
        interests[i].read = interests[i].read && ((entries[i].revents & POLLIN) != 0 || broken != 0);
        interests[i].write = interests[i].write && ((entries[i].revents & POLLOUT) != 0 || broken != 0);
    }
    return count > 0;
}

void half_close(int fd) { ::shutdown(fd, SHUT_WR); }

void no_delay(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool sleep_watching(int fd, base::Millis wait) {
    const auto seen = wait_for(fd, POLLIN, Deadline::in(wait));
    return !seen || *seen;
}

}  // namespace greylag::sys
