// Refuses to know names: who dials has an address or a path.
#include "sys/dial.hh"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "sys/address.hh"
#include "sys/io.hh"

namespace greylag::sys {

namespace {

std::unexpected<Error> failed(const std::string& what, int code) {
    Error error = os_error(what, code);
    error.lasting = Lasting::temporary;
    return std::unexpected(std::move(error));
}

const sockaddr* generic(const void* address) { return static_cast<const sockaddr*>(address); }

// Whom it was about is written out only where it failed: loops dial thousands of times a second.
std::string naming(const End& to) {
    const std::string address = to.address.text();
    return "connecting to " + (to.address.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(to.port);
}
std::string naming(const std::string& path) { return "connecting to " + path; }

// connect(2) that does not wait. EAGAIN: a UNIX socket whose queue is full; nothing says when it has room.
template <class Where>
Result<Fd> begun(Fd fd, const void* address, socklen_t length, const Where& where) {
    if (!fd) return failed(naming(where), errno);
    if (::connect(fd.get(), generic(address), length) < 0 && errno != EINPROGRESS && errno != EINTR)
        return failed(naming(where), errno);
    return fd;
}

template <class Where>
Result<bool> settled(int fd, const Where& where) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    void* place = &peer;
    // On the loopback it is there at once, and this one call says so.
    if (::getpeername(fd, static_cast<sockaddr*>(place), &length) == 0) return true;
    pollfd entry{fd, POLLOUT, 0};
    const int count = ::poll(&entry, 1, 0);
    if (count < 0 && errno != EINTR) return failed(naming(where), errno);
    if (count <= 0) return false;
    int code = 0;
    socklen_t size = sizeof code;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0) code = errno;
    if (code != 0) return failed(naming(where), code);
    return true;
}

template <class Where>
Result<Fd> waited_for(Fd fd, const Where& where, Deadline deadline) {
    for (;;) {
        if (TRY(settled(fd.get(), where))) return fd;
        if (deadline.passed()) return base::fail_later(Kind::timeout, naming(where) + ": time is up");
        Interest interest{fd.get(), false, true};
        static_cast<void>(TRY(wait_any({&interest, 1}, deadline)));
    }
}

// Each of these may be refused by a system without harm to the connection, but for the source address.
Result<void> prepare(int fd, const DialHow& how, const End& to) {
    no_delay(fd);
    if (how.abort) {
        const linger none{1, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    if (how.window > 0) {
        ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &how.window, sizeof how.window);
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &how.window, sizeof how.window);
    }
    if (!how.source) return {};
#ifdef IP_BIND_ADDRESS_NO_PORT
    // The port is chosen at connect(2), by the whole pair: else 28000 connections were all.
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
#endif
    sockaddr_storage place{};
    const socklen_t length = socket_address({*how.source, 0}, place);
    const void* address = &place;
    if (::bind(fd, generic(address), length) < 0) return failed(naming(to) + " from " + how.source->text(), errno);
    return {};
}

}  // namespace

Result<Fd> begin_dial(const End& to, const DialHow& how, Fd again) {
    sockaddr_storage place{};
    const socklen_t length = socket_address(to, place);
    if (again) return begun(std::move(again), &place, length, to);
    Fd fd(::socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd) TRY(prepare(fd.get(), how, to));
    return begun(std::move(fd), &place, length, to);
}

bool disconnect(int fd) {
#ifdef __linux__
    // tcp(7) does not tell, but connect(2) does; elsewhere only datagrams know it.
    sockaddr nowhere{};
    nowhere.sa_family = AF_UNSPEC;
    return ::connect(fd, &nowhere, sizeof nowhere) == 0;
#else
    static_cast<void>(fd);
    return false;
#endif
}

Result<bool> dialled(int fd, const End& to) { return settled(fd, to); }

Result<Fd> dial(const End& to, Deadline deadline) { return waited_for(TRY(begin_dial(to, {})), to, deadline); }

Result<Fd> begin_dial_unix(const std::string& path) {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof place.sun_path)
        return base::fail(Kind::syntax, "'" + path + "' cannot be the name of a socket");
    std::memcpy(place.sun_path, path.data(), path.size());
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return begun(std::move(fd), &place, sizeof place, path);
}

Result<Fd> dial_unix(const std::string& path, Deadline deadline) {
    return waited_for(TRY(begin_dial_unix(path)), path, deadline);
}

}  // namespace greylag::sys
