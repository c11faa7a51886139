// The thread of the DNS responder: its sockets, and answers that wait for their time.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <list>
#include <optional>
#include <stdexcept>

#include "tests/support/dns_responder.hh"
#include "tests/support/stream.hh"

namespace greylag::test {

struct DnsResponder::Loop {
    struct Connection {
        sys::Fd fd;
        std::string got;
    };
    struct Later {
        sys::Deadline when;
        std::string bytes;
        std::optional<sockaddr_storage> to;  // UDP
        socklen_t length = 0;
        int tcp = -1;
    };

    DnsResponder& owner;
    std::list<Connection> connections;
    std::list<Later> later;

    void run() {
        for (;;) {
            int wait = -1;
            for (const Later& l : later) {
                const int left = l.when.poll_timeout();
                wait = wait < 0 ? left : std::min(wait, left);
            }
            std::vector<pollfd> fds{
                {owner.stop_.read.get(), POLLIN, 0}, {owner.udp_.get(), POLLIN, 0}, {owner.tcp_.get(), POLLIN, 0}};
            for (const Connection& c : connections) fds.push_back({c.fd.get(), POLLIN, 0});
            if (::poll(fds.data(), static_cast<nfds_t>(fds.size()), wait) < 0 && errno != EINTR) return;
            if (fds[0].revents != 0) return;
            send_due();
            if (fds[1].revents != 0) datagram();
            auto c = connections.begin();
            for (std::size_t i = 3; i < fds.size(); ++i) {
                const bool keep = fds[i].revents == 0 || take(*c);
                if (!keep) later.remove_if([&](const Later& l) { return l.tcp == c->fd.get(); });
                c = keep ? std::next(c) : connections.erase(c);
            }
            if (fds[2].revents != 0) {
                sys::Fd fresh(::accept4(owner.tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
                if (fresh) connections.push_back({std::move(fresh), {}});
            }
        }
    }

    void send_due() {
        for (auto l = later.begin(); l != later.end();) {
            if (!l->when.passed()) {
                ++l;
                continue;
            }
            if (l->to)
                ::sendto(owner.udp_.get(), l->bytes.data(), l->bytes.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&*l->to),
                         l->length);
            else
                ::send(l->tcp, l->bytes.data(), l->bytes.size(), MSG_NOSIGNAL);
            l = later.erase(l);
        }
    }

    void datagram() {
        char packet[4096];
        sockaddr_storage from{};
        socklen_t length = sizeof from;
        const ssize_t n = ::recvfrom(owner.udp_.get(), packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &length);
        if (n <= 0) return;
        Answer a = owner.answer({packet, static_cast<std::size_t>(n)}, false);
        if (a.bytes.empty()) return;
        later.push_back({sys::Deadline::in(a.delay), std::move(a.bytes), from, length, -1});
        send_due();
    }

    // False: the connection is over.
    bool take(Connection& c) {
        char room[4096];
        const ssize_t n = ::read(c.fd.get(), room, sizeof room);
        if (n <= 0) return n < 0 && errno == EAGAIN;
        c.got.append(room, static_cast<std::size_t>(n));
        while (c.got.size() >= 2) {
            const std::size_t size =
                static_cast<std::size_t>(static_cast<unsigned char>(c.got[0])) << 8 | static_cast<unsigned char>(c.got[1]);
            if (c.got.size() < 2 + size) break;
            Answer a = owner.answer(std::string_view(c.got).substr(2, size), true);
            c.got.erase(0, 2 + size);
            if (a.bytes.empty()) continue;
            const char head[] = {static_cast<char>(a.bytes.size() >> 8), static_cast<char>(a.bytes.size() & 0xff)};
            later.push_back({sys::Deadline::in(a.delay), std::string(head, 2) + a.bytes, std::nullopt, 0, c.fd.get()});
        }
        send_due();
        return true;
    }
};

namespace {

// A UDP socket beside a listening TCP one; nothing when that port is taken.
sys::Fd datagram_socket(const std::string& address, std::uint16_t port) {
    sockaddr_storage name{};
    socklen_t size = 0;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&name);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&name);
    if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        size = sizeof *v4;
    } else if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        size = sizeof *v6;
    }
    sys::Fd fd(::socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size) != 0) fd.reset();
    return fd;
}

}  // namespace

DnsResponder::DnsResponder(const std::string& address, std::uint16_t port) : address_(address), stop_(must(sys::make_pipe())) {
    // The kernel's choice for TCP may be taken for UDP: choose again.
    for (int i = 0; i < 20 && !udp_; ++i) {
        Listening door = must(listen_at(address, port));
        udp_ = datagram_socket(address, door.port);
        tcp_ = std::move(door.fd);
        port_ = door.port;
    }
    if (!udp_) throw std::runtime_error("no port for a name server on " + address);
    thread_ = std::thread([this] { Loop{*this, {}, {}}.run(); });
}

bool DnsResponder::is_free(const std::string& address, std::uint16_t port) {
    return listen_at(address, port) && datagram_socket(address, port);
}

DnsResponder::~DnsResponder() {
    stop_.write.reset();
    thread_.join();
}

std::string DnsResponder::text() const {
    const bool v6 = address_.find(':') != std::string::npos;
    return (v6 ? "[" + address_ + "]" : address_) + ":" + std::to_string(port_);
}

}  // namespace greylag::test
