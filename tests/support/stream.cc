#include "tests/support/stream.hh"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

#include <cstring>

#include "sys/io.hh"

namespace greylag::test {

void pause_briefly() { ::poll(nullptr, 0, 2); }

Result<void> Stream::send(std::string_view bytes, sys::Deadline deadline) {
    return tls_ ? tls_->send(bytes, deadline) : sys::write_all(out(), bytes, deadline);
}

Result<void> Stream::start_tls(const TlsWish& wish, sys::Deadline deadline) {
    if (!buffer_.empty()) return base::fail(Kind::protocol, "octets before the handshake: \"" + buffer_ + "\"");
    tls_ = TRY(TlsLayer::start(in_.get(), out(), wish, deadline));
    return {};
}

Result<bool> Stream::fill(sys::Deadline deadline) {
    if (tls_) {
        const std::string bytes = TRY(tls_->receive(deadline));
        buffer_ += bytes;
        return !bytes.empty();
    }
    char room[16384];
    const std::size_t n = TRY(sys::read_some(in_.get(), room, deadline));
    buffer_.append(room, n);
    return n > 0;
}

Result<std::string> Stream::read_line(sys::Deadline deadline) {
    std::size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
        if (TRY(fill(deadline))) continue;
        if (buffer_.empty()) return base::fail(Kind::closed, "the stream ended");
        return base::fail(Kind::protocol, "the stream ended inside the line \"" + std::exchange(buffer_, {}) + "\"");
    }
    std::string line = buffer_.substr(0, end + 1);
    buffer_.erase(0, end + 1);
    return line;
}

Result<std::string> Stream::read_reply(sys::Deadline deadline) {
    std::string reply;
    for (;;) {
        auto line = read_line(deadline);
        if (!line && !reply.empty()) return base::fail(Kind::protocol, line.error().text + " inside the reply \"" + reply + "\"");
        if (!line) return line;
        reply += *line;
        const bool digits = line->size() >= 3 && line->find_first_not_of("0123456789") >= 3;
        if (!digits || line->compare(0, 3, reply, 0, 3) != 0) return base::fail(Kind::protocol, "no reply: \"" + reply + "\"");
        if (line->size() < 4 || (*line)[3] != '-') return reply;
    }
}

Result<std::string> Stream::read_exactly(std::size_t octets, sys::Deadline deadline) {
    while (buffer_.size() < octets)
        if (!TRY(fill(deadline))) return base::fail(Kind::closed, "the stream ended after \"" + buffer_ + "\"");
    std::string bytes = buffer_.substr(0, octets);
    buffer_.erase(0, octets);
    return bytes;
}

Result<std::string> Stream::read_to_end(sys::Deadline deadline) {
    for (;;) {
        const auto more = fill(deadline);
        if (!more && more.error().kind != Kind::closed) return std::unexpected(more.error());
        if (!more || !*more) return std::exchange(buffer_, {});
    }
}

std::string Stream::reply(sys::Deadline deadline) {
    auto got = read_reply(deadline);
    return got ? *std::move(got) : "<" + got.error().text + ">";
}

std::string Stream::ask(std::string_view line) {
    if (auto sent = send(std::string(line) + "\r\n"); !sent) return "<" + sent.error().text + ">";
    return reply();
}

Result<bool> Stream::wait_readable(sys::Deadline deadline) {
    if (!buffer_.empty()) return true;
    if (tls_) return fill(deadline).has_value();
    return sys::readable(in_.get(), deadline);
}

Result<void> Stream::flushed(sys::Deadline deadline) {
    const auto empty = [&] {
        int left = 0;
#if defined(SIOCOUTQ)
        if (::ioctl(out(), SIOCOUTQ, &left) == 0) return left == 0;
#elif defined(FIONWRITE)
        if (::ioctl(out(), FIONWRITE, &left) == 0) return left == 0;
#endif
        return ::ioctl(out(), FIONREAD, &left) != 0 || left == 0;  // a pipe
    };
    if (eventually(empty, deadline)) return {};
    return base::fail_later(Kind::timeout, "the other end does not read");
}

void Stream::half_close() {
    if (tls_) tls_->close_notify();
    if (out_)
        out_.reset();
    else
        ::shutdown(in_.get(), SHUT_WR);
}

void Stream::close() {
    out_.reset();
    in_.reset();
}

void Stream::reset() {
    const linger now{1, 0};
    ::setsockopt(in_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
}

namespace {

union Name {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

Result<socklen_t> make_name(Name& name, const std::string& address, std::uint16_t port) {
    std::memset(&name, 0, sizeof name);
    if (::inet_pton(AF_INET, address.c_str(), &name.v4.sin_addr) == 1) {
        name.v4.sin_family = AF_INET;
        name.v4.sin_port = htons(port);
        return static_cast<socklen_t>(sizeof name.v4);
    }
    if (::inet_pton(AF_INET6, address.c_str(), &name.v6.sin6_addr) == 1) {
        name.v6.sin6_family = AF_INET6;
        name.v6.sin6_port = htons(port);
        return static_cast<socklen_t>(sizeof name.v6);
    }
    return base::fail(Kind::usage, address + " is no numeric address");
}

}  // namespace

Result<Stream> connect_to(const std::string& address, std::uint16_t port, sys::Deadline deadline, const std::string& source) {
    Name name;
    const socklen_t size = TRY(make_name(name, address, port));
    sys::Fd fd(::socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return std::unexpected(sys::os_error("socket", errno));
    if (!source.empty()) {
        Name from;
        const socklen_t length = TRY(make_name(from, source, 0));
        if (::bind(fd.get(), &from.any, length) != 0) return std::unexpected(sys::os_error("bind to " + source, errno));
    }
    if (::connect(fd.get(), &name.any, size) != 0 && errno != EINPROGRESS)
        return std::unexpected(sys::os_error("connect", errno));
    pollfd ready{fd.get(), POLLOUT, 0};
    if (::poll(&ready, 1, deadline.poll_timeout()) != 1) return base::fail_later(Kind::timeout, "connect: no answer");
    int fault = 0;
    socklen_t length = sizeof fault;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &fault, &length);
    if (fault != 0) return std::unexpected(sys::os_error("connect to " + address, fault));
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return Stream(std::move(fd));
}

Result<Listening> listen_at(const std::string& address, std::uint16_t port) {
    Name name;
    socklen_t size = TRY(make_name(name, address, port));
    Listening out;
    out.fd = sys::Fd(::socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(out.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(out.fd.get(), &name.any, size) != 0 || ::listen(out.fd.get(), 128) != 0 ||
        ::getsockname(out.fd.get(), &name.any, &size) != 0)
        return std::unexpected(sys::os_error("listen on " + address, errno));
    out.port = ntohs(name.any.sa_family == AF_INET ? name.v4.sin_port : name.v6.sin6_port);
    return out;
}

}  // namespace greylag::test
