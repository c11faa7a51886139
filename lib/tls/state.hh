// Inside lib/tls only: what an Engine and a Stream are. OpenSSL sees memory; the octets travel by whoever owns the engine.
#pragma once
#include "tls/client.hh"
#include "tls/openssl.hh"

namespace greylag::tls {

struct ClientMemory;  // client.cc

// What a client's session knows of its server, and where its context may learn from it.
struct Watch {
    std::string name;  // as it was dialled
    PeerCertificate peer;
    bool refused = false;  // the handshake ends because of the certificate
    ClientMemory* memory = nullptr;
};

enum class Step { done, more, end };  // more: octets of the wire are wanted; end: close_notify

struct Engine::State {
    Session ssl;
    BIO *from_wire = nullptr, *to_wire = nullptr;  // the session's own
    bool server = false;
    bool in_ended = false, out_ended = false;
    Watch watch;

    static Result<std::unique_ptr<State>> make(SSL_CTX* context, bool server);

    // One call of OpenSSL (SSL_do_handshake, SSL_read ...). Alerts, too, stand in to_wire afterwards.
    template <class Call>
    Result<Step> step(Call call) {
        ::ERR_clear_error();
        const int result = call();
        if (result > 0) return Step::done;
        const int fault = ::SSL_get_error(ssl.get(), result);
        if (fault == SSL_ERROR_ZERO_RETURN) return Step::end;
        if (fault == SSL_ERROR_WANT_READ) return Step::more;
        return base::fail(Kind::protocol, "TLS: " + reason());
    }
    Result<Step> handshake();
    Result<Step> read(std::span<char> room, std::size_t& got);
    Result<Step> write(std::string_view plain);
    Result<Step> peek();
    void close();

    void heard(std::string_view octets);
    std::string_view to_send() const;
    void sent(std::size_t octets);
};

struct Stream::State {
    Engine engine;
    int in = -1, out = -1;

    Engine::State& session() { return *engine.state_; }
    // Calls until it has an answer that is not Step::more; the end of the wire is Step::end.
    template <class Call>
    Result<Step> run(Call call, sys::Deadline deadline);
    Result<void> handshake(sys::Deadline deadline);
    Result<void> flush(sys::Deadline deadline);
    Result<void> fill(sys::Deadline deadline);
};

}  // namespace greylag::tls
