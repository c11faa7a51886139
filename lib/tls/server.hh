// The server's side of TLS: certificates read, made ready once, used for any number of sessions.
//
// TLS 1.2 and 1.3, no renegotiation, no compression, forward secrecy only. No session is remembered here; tickets are given
// out only with a key file that all processes share. ALPN is left alone: a client may name what it likes.
#pragma once
#include <memory>
#include <string>

#include "base/result.hh"
#include "sys/clock.hh"
#include "tls/stream.hh"

namespace greylag::tls {

struct ServerFiles {
    std::string certificate;  // chain, and the key unless `key` names one; two chains with their keys: EC goes before RSA
    std::string key;
    std::string sni_directory;  // NAME.pem, chain and key
    std::string minimum;        // "1.2" or "1.3"
    std::string ticket_key;     // 80 octets: name, AES key, HMAC key; 160 with the key before; empty: no tickets
};

class ServerContext {
public:
    // The error's sentence names the file and what is wrong with it.
    static Result<ServerContext> load(const ServerFiles& files);
    ~ServerContext();
    ServerContext(ServerContext&&) noexcept;
    ServerContext& operator=(ServerContext&&) noexcept;

    // Why there are no tickets though a key file is named: sessions go on without.
    const Result<void>& tickets() const;

    // The files are not what they were when they were loaded.
    bool stale() const;

    // The whole handshake. The descriptors stay the caller's and outlive the stream, as this context does.
    Result<Stream> accept(int in, int out, sys::Deadline deadline) const;

    // The same for an event loop: no descriptor, no wait.
    Result<Engine> engine() const;

private:
    struct State;
    explicit ServerContext(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace greylag::tls
