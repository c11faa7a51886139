// Refuses to know names: who dials has an address or a path.
#include "sys/dial.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "sys/address.hh"
#include "sys/io.hh"

namespace greylag::sys {

namespace {

// connect(2) to a socket that does not block, waited for.
Result<Fd> connected(Fd fd, const void* address, socklen_t length, const std::string& what, Deadline deadline) {
    const auto failed = [&what](int code) {
        Error error = os_error(what, code);
        error.lasting = Lasting::temporary;
        return std::unexpected(std::move(error));
    };
    if (!fd) return failed(errno);
    if (::connect(fd.get(), static_cast<const sockaddr*>(address), length) == 0) return fd;
    // EAGAIN: a UNIX socket whose queue is full; nothing says when it has room.
    if (errno != EINPROGRESS && errno != EINTR) return failed(errno);
    for (;;) {
        pollfd entry{fd.get(), POLLOUT, 0};
        const int count = ::poll(&entry, 1, deadline.poll_timeout());
        if (count > 0) break;
        if (count < 0 && errno != EINTR) return failed(errno);
        if (deadline.passed()) return base::fail_later(Kind::timeout, what + ": time is up");
    }
    int code = 0;
    socklen_t size = sizeof code;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &code, &size) < 0) code = errno;
    if (code != 0) return failed(code);
    return fd;
}

}  // namespace

Result<Fd> dial(const End& to, Deadline deadline) {
    const std::string address = to.address.text();
    const std::string what =
        "connecting to " + (to.address.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(to.port);
    sockaddr_storage place{};
    const socklen_t length = socket_address(to, place);
    Fd fd(::socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd) no_delay(fd.get());
    return connected(std::move(fd), &place, length, what, deadline);
}

Result<Fd> dial_unix(const std::string& path, Deadline deadline) {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof place.sun_path)
        return base::fail(Kind::syntax, "'" + path + "' cannot be the name of a socket");
    std::memcpy(place.sun_path, path.data(), path.size());
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return connected(std::move(fd), &place, sizeof place, "connecting to " + path, deadline);
}

}  // namespace greylag::sys
