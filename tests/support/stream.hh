// The client's end of a connection, in raw bytes. Every wait has a deadline.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"
#include "tests/support/must.hh"
#include "tests/support/tls_layer.hh"

namespace greylag::test {

class Stream {
public:
    Stream() = default;
    explicit Stream(sys::Fd both) : in_(std::move(both)) {}                        // a socket
    Stream(sys::Fd in, sys::Fd out) : in_(std::move(in)), out_(std::move(out)) {}  // two pipes

    Result<void> send(std::string_view bytes, sys::Deadline deadline = soon());

    // One line or one whole reply (lines "250-..." to "250 ..."), as it came, line ends included. Kind::closed when the stream
    // ends before the first octet, Kind::protocol when it ends, or turns into no reply, in the middle.
    Result<std::string> read_line(sys::Deadline deadline = soon());
    Result<std::string> read_reply(sys::Deadline deadline = soon());
    void unread(std::string_view bytes) { buffer_.insert(0, bytes); }  // the next to be read
    Result<std::string> read_exactly(std::size_t octets, sys::Deadline deadline = soon());
    // Everything up to the end of the stream; a reset is an end, too.
    Result<std::string> read_to_end(sys::Deadline deadline = soon());

    // The same for comparing in a CHECK: the reply, or the error's sentence between angle brackets.
    std::string reply(sys::Deadline deadline = soon());
    // Sends a line and its CRLF and returns the reply.
    std::string ask(std::string_view line);

    // True: an octet, or the end, is here; false: silence up to the deadline.
    Result<bool> wait_readable(sys::Deadline deadline);
    // The other end has read all we sent (on TCP: has received it), so that what follows is a segment of its own.
    Result<void> flushed(sys::Deadline deadline = soon());

    // From here on everything travels under TLS. What came before and was not read is an error: nobody may speak then.
    Result<void> start_tls(const TlsWish& wish = {}, sys::Deadline deadline = soon());
    TlsLayer* tls() const { return tls_.get(); }

    void half_close();  // we send nothing more
    void close();
    void reset();  // TCP: with RST
    int fd() const { return in_.get(); }

private:
    int out() const { return out_ ? out_.get() : in_.get(); }
    Result<bool> fill(sys::Deadline deadline);  // false: end of stream

    sys::Fd in_, out_;
    std::string buffer_;
    std::unique_ptr<TlsLayer> tls_;
};

// Connects to a numeric address ("127.0.0.1", "::1"), from `source` where one is given.
Result<Stream> connect_to(const std::string& address, std::uint16_t port, sys::Deadline deadline = soon(),
                          const std::string& source = {});

// A listening TCP socket on a numeric address; port 0 lets the kernel choose.
struct Listening {
    sys::Fd fd;
    std::uint16_t port = 0;
};
Result<Listening> listen_at(const std::string& address, std::uint16_t port = 0);

}  // namespace greylag::test
