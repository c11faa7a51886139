// The client's end of TLS under a Stream: OpenSSL spoken to directly, so that lib/tls is not tested by itself. And certificates.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/must.hh"

namespace greylag::test {

struct TlsWish {
    std::string server_name{};  // SNI
    std::string alpn{};
    int newest = 0;  // of OpenSSL's version numbers; 0: whatever there is
    bool rsa_only = false;
    std::string ticket{};  // a session saved before
};

class TlsLayer {
public:
    static Result<std::unique_ptr<TlsLayer>> start(int in, int out, const TlsWish& wish, sys::Deadline deadline);
    // A server's end: for programs of ours that dial. `identity` is a PEM text.
    static Result<std::unique_ptr<TlsLayer>> serve(int in, int out, const std::string& identity, sys::Deadline deadline);
    ~TlsLayer();

    Result<void> send(std::string_view bytes, sys::Deadline deadline);
    Result<std::string> receive(sys::Deadline deadline);  // empty: the end
    void close_notify();
    // Asks for a renegotiation (TLS 1.2); whatever comes of it, the error's sentence.
    std::string renegotiate(sys::Deadline deadline);

    std::string version() const;
    std::string peer_subject() const;  // the certificate's common name
    bool peer_key_is_rsa() const;
    std::string exporter() const;
    std::string end_point() const;  // SHA-256 of the certificate
    bool compressed() const;
    std::string ticket() const;  // for TlsWish::ticket; empty: the server gave none
    bool resumed() const;

private:
    struct State;
    explicit TlsLayer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// A self-signed certificate with its key behind it, PEM.
enum class KeyKind { p256, rsa };
std::string make_identity(KeyKind kind, const std::string& name);

}  // namespace greylag::test
