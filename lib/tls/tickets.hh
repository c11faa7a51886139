// Inside lib/tls only: session tickets under a key that all processes share (RFC 5077, RFC 8446 4.6.1).
#pragma once
#include <array>
#include <memory>
#include <string>

#include "tls/openssl.hh"

namespace greylag::tls {

class TicketKeys {
public:
    // 80 octets of `file`: 16 name, 32 AES-256, 32 HMAC-SHA-256; a file FILE.old beside it still opens tickets. Turns tickets
    // on for the context, which must not outlive this object's content.
    Result<void> load(const std::string& file, SSL_CTX* context);

    struct One {
        std::array<unsigned char, 16> name{};
        std::array<unsigned char, 32> cipher{}, mac{};
    };
    struct Pair {
        One now, old;
        bool has_old = false;
    };

private:
    std::unique_ptr<Pair> pair_;  // OpenSSL holds its address
};

}  // namespace greylag::tls
