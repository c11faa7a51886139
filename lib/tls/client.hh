// The client's side of TLS: whom to believe, made ready once, used for any number of sessions.
//
// A certificate is believed when its chain ends in a known authority and it bears the name that was dialled (RFC 6125, RFC
// 7817), or when its own digest or its key's is pinned: then neither chain, name nor date matter. The authorities come from a
// hashed directory: a bundle costs 30 ms to read. TLS 1.2 and 1.3, no renegotiation, no compression.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "sys/clock.hh"
#include "tls/engine.hh"
#include "tls/stream.hh"

namespace greylag::tls {

struct ClientPolicy {
    std::string authorities;         // a hashed directory or a PEM file; empty: the system's directory
    std::vector<std::string> known;  // "sha256:HEX" of a certificate, "spki-sha256:HEX" of its key, lower case
    std::string identity;            // our certificate, chain and key in one PEM file; empty: none
    std::string minimum = "1.2";     // or "1.3"
    bool insist = true;              // a certificate that is not believed ends the handshake; else it is only reported
};

// What the server showed; texts are not escaped.
struct PeerCertificate {
    bool believed = false;
    std::string reason;               // why not: "self-signed certificate", "it is for other.example, not mx.example"
    std::string subject, issuer;      // one line each
    std::vector<std::string> names;   // of the certificate
    std::string not_after;            // "2027-01-31 12:00:00 UTC"
    std::string sha256, spki_sha256;  // as ClientPolicy::known writes them
};

class ClientContext {
public:
    // The error's sentence names the file and what is wrong with it.
    static Result<ClientContext> make(const ClientPolicy& policy);
    ~ClientContext();
    ClientContext(ClientContext&&) noexcept;
    ClientContext& operator=(ClientContext&&) noexcept;

    // The whole handshake. `name` is the host as it was dialled: a domain goes into SNI and is compared; an address is compared
    // with the certificate's addresses; empty: nothing is compared, and only a pinned certificate is believed. The last session
    // of this context is offered for resumption. The descriptors stay the caller's and outlive the stream, as this context does.
    Result<Stream> connect(int in, int out, std::string_view name, sys::Deadline deadline) const;

    // The same for an event loop: no descriptor, no wait.
    Result<Engine> engine(std::string_view name) const;

private:
    struct State;
    explicit ClientContext(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace greylag::tls
