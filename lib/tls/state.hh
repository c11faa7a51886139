// Inside lib/tls only: what a Stream is. OpenSSL sees memory; the octets travel by sys, which knows deadlines.
#pragma once
#include "tls/openssl.hh"
#include "tls/stream.hh"

namespace greylag::tls {

struct Stream::State {
    Session ssl;
    BIO *from_wire = nullptr, *to_wire = nullptr;  // the session's own
    int in = -1, out = -1;
    bool server = false;
    bool in_ended = false, out_ended = false;

    static Result<std::unique_ptr<State>> make(SSL_CTX* context, int in, int out, bool server);

    // SSL_do_handshake, SSL_read ... until it has an answer: 1 for success, 0 for the end of the session, else an error.
    template <class Call>
    Result<int> run(Call call, sys::Deadline deadline);
    Result<void> handshake(sys::Deadline deadline);
    Result<void> flush(sys::Deadline deadline);
    Result<void> fill(sys::Deadline deadline);
};

template <class Call>
Result<int> Stream::State::run(Call call, sys::Deadline deadline) {
    for (;;) {
        ::ERR_clear_error();
        const int result = call();
        const int fault = ::SSL_get_error(ssl.get(), result);
        // Alerts, too, must reach the other end.
        const auto sent = flush(deadline);
        if (result > 0) return sent ? Result<int>(result) : Result<int>(std::unexpected(sent.error()));
        if (fault == SSL_ERROR_ZERO_RETURN) return 0;
        if (fault != SSL_ERROR_WANT_READ) return base::fail(Kind::protocol, "TLS: " + reason());
        if (!sent) return std::unexpected(sent.error());
        if (in_ended) return 0;
        TRY(fill(deadline));
    }
}

}  // namespace greylag::tls
