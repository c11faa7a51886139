// A TLS session over two descriptors, which stay the caller's. Every wait has a deadline. When one direction has ended, by
// close_notify, by the end of the transport or by a fault, it has ended for good: what still comes on the wire is not looked at.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sys/clock.hh"
#include "tls/engine.hh"

namespace greylag::tls {

class Stream {
public:
    ~Stream();
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;

    // As sys::read_some and sys::write_all: 0 is the end.
    Result<std::size_t> read_some(std::span<char> room, sys::Deadline deadline);
    Result<void> write_all(std::string_view bytes, sys::Deadline deadline);
    // Octets for read_some, or the end, are here, or come until the deadline.
    bool readable(sys::Deadline deadline);
    // They are here already, and poll(2) on the descriptor would not see them.
    bool pending();
    void close(sys::Deadline deadline);  // says close_notify; does not wait for the other end's

    std::string description() const;  // "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"
    int bits() const;                 // of the cipher's key
    bool resumed() const;
    const PeerCertificate& peer() const;  // a client's: what the server showed (tls/client.hh); empty for a server

    // Channel bindings (RFC 9266, RFC 5929 4); empty where this session has none.
    std::string exporter() const;
    std::string server_end_point() const;

private:
    friend class ClientContext;
    friend class ServerContext;
    struct State;
    // The handshake, and then a stream.
    static Result<Stream> make(Engine engine, int in, int out, sys::Deadline deadline);
    explicit Stream(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace greylag::tls
