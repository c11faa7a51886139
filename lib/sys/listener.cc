// Sockets that wait for connections.
#include "sys/listener.hh"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/ascii.hh"
#include "sys/address.hh"
#include "sys/dial.hh"

namespace greylag::sys {

namespace {

constexpr int backlog = 1024;
constexpr unsigned most_inherited = 1024;

std::string show(const End& end) {
    const std::string address = end.address.text();
    return (end.address.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(end.port);
}

std::optional<End> own_end(int fd) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    void* place = &address;
    if (::getsockname(fd, static_cast<sockaddr*>(place), &length) < 0) return std::nullopt;
    return end_of(address);
}

Result<Fd> listen_at(const End& end) {
    const std::string what = "listening on " + show(end);
    const int family = end.address.is_v4() ? AF_INET : AF_INET6;
    Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return os_fail(what, errno);
    const int on = 1;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return os_fail(what, errno);
    if (family == AF_INET6 && ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) return os_fail(what, errno);
    sockaddr_storage address{};
    const socklen_t length = socket_address(end, address);
    const void* place = &address;
    if (::bind(fd.get(), static_cast<const sockaddr*>(place), length) < 0) return os_fail(what, errno);
    if (::listen(fd.get(), backlog) < 0) return os_fail(what, errno);
    return fd;
}

bool family_is_absent(const Error& error) { return error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL; }

// Both families on one port. The kernel's choice for the first need not be free for the second.
Result<std::vector<Fd>> listen_on_both(std::uint16_t port) {
    for (int tries = 0;; ++tries) {
        std::vector<Fd> sockets;
        auto v4 = listen_at({mail::IpAddress::v4({}), port});
        if (!v4 && !family_is_absent(v4.error())) return std::unexpected(std::move(v4).error());
        std::uint16_t chosen = port;
        if (v4) {
            if (const auto end = own_end(v4->get())) chosen = end->port;
            sockets.push_back(std::move(*v4));
        }
        auto v6 = listen_at({mail::IpAddress::v6({}), chosen});
        if (v6) {
            sockets.push_back(std::move(*v6));
        } else if (port == 0 && v6.error().code == EADDRINUSE && tries < 16) {
            continue;
        } else if (!family_is_absent(v6.error()) || sockets.empty()) {
            return std::unexpected(std::move(v6).error());
        }
        return sockets;
    }
}

}  // namespace

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
    const auto bad = [text] {
        return base::fail(Kind::syntax, "\"" + std::string(text) + "\": not address:port, [address]:port or :port");
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad();
    const auto port = base::parse_number<std::uint16_t>(text.substr(colon + 1));
    if (!port) return bad();
    std::string_view host = text.substr(0, colon);
    if (host.empty()) return ListenAddress{std::nullopt, *port};
    const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (brackets) host = host.substr(1, host.size() - 2);
    const auto address = mail::IpAddress::parse(host);
    // Without brackets nobody can tell where a v6 address ends.
    if (!address || (!brackets && host.find(':') != std::string_view::npos)) return bad();
    return ListenAddress{*address, *port};
}

std::string ListenAddress::text() const { return address ? show({*address, port}) : ":" + std::to_string(port); }

Result<std::vector<Fd>> listen_on(const ListenAddress& where) {
    if (!where.address) return listen_on_both(where.port);
    std::vector<Fd> sockets;
    sockets.push_back(TRY(listen_at({*where.address, where.port})));
    return sockets;
}

Result<Fd> listen_on_path(const std::string& path) {
    const std::string what = "listening on " + path;
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof place.sun_path)
        return base::fail(Kind::syntax, "'" + path + "' cannot be the name of a socket");
    std::memcpy(place.sun_path, path.data(), path.size());
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) {
        const auto other = begin_dial_unix(path);
        if (!other && other.error().code == ECONNREFUSED) ::unlink(path.c_str());
    }
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const void* address = &place;
    if (!fd || ::bind(fd.get(), static_cast<const sockaddr*>(address), sizeof place) < 0 || ::listen(fd.get(), backlog) < 0)
        return os_fail(what, errno);
    return fd;
}

Result<void> set_backlog(int listener, unsigned wanted) {
    constexpr unsigned most = 1U << 20;
    if (::listen(listener, static_cast<int>(std::min(wanted, most))) < 0) return os_fail("backlog", errno);
    return {};
}

Result<std::optional<Fd>> accept_now(int listener) {
    for (;;) {
        Fd client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (client) return client;
        if (errno == EAGAIN) return std::nullopt;
        if (errno != EINTR && errno != ECONNABORTED) return os_fail("accept", errno);
    }
}

std::string bound_address(int fd) {
    const auto end = own_end(fd);
    return end ? show(*end) : std::string();
}

bool is_listening(int fd) {
    int value = 0;
    socklen_t length = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value != 0;
}

std::vector<Fd> inherited_sockets() {
    const char* pid = std::getenv("LISTEN_PID");
    const char* count = std::getenv("LISTEN_FDS");
    std::vector<Fd> sockets;
    if (pid != nullptr && count != nullptr && base::parse_number<std::uint32_t>(pid) == static_cast<std::uint32_t>(::getpid())) {
        const unsigned number = base::parse_number<unsigned>(count).value_or(0);
        for (unsigned i = 0; i < number && i < most_inherited; ++i) {
            const int fd = static_cast<int>(3 + i);
            if (::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) continue;
            // An accept loop must not hang on a client that left between poll and accept.
            if (is_listening(fd)) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
            sockets.emplace_back(fd);
        }
    }
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
    return sockets;
}

}  // namespace greylag::sys
