// A TLS session without a descriptor, for programs with a loop of their own: octets of the wire in, octets for the wire out.
// Nothing here waits.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace greylag::tls {

struct PeerCertificate;

class Engine {
public:
    ~Engine();
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;

    Result<void> begin();                            // a client's first flight; nothing for a server
    Result<void> take(std::string_view from_wire);   // goes on with the handshake, too
    bool ready() const;                              // the handshake is done
    Result<std::size_t> read(std::span<char> room);  // 0: nothing more for now, or ended()
    bool ended() const;
    Result<void> write(std::string_view plain);  // only when ready()
    void close();                                // close_notify
    std::string_view to_wire() const;            // what is to be sent
    void sent(std::size_t octets);               // so many of them were

    std::string description() const;      // "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"
    int bits() const;                     // of the cipher's key
    bool resumed() const;                 // an earlier session was gone on with
    const PeerCertificate& peer() const;  // a client's: what the server showed; empty for a server

    // Channel bindings (RFC 9266, RFC 5929 4) when ready(); empty where this session has none.
    std::string exporter() const;
    std::string server_end_point() const;

private:
    friend class ClientContext;
    friend class ServerContext;
    friend class Stream;
    struct State;
    explicit Engine(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace greylag::tls
