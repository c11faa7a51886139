// Inside lib/tls only: session tickets under a key that all processes share (RFC 5077, RFC 8446 4.6.1).
#pragma once
#include <array>
#include <memory>
#include <string>

#include "tls/openssl.hh"

namespace greylag::tls {

class TicketKeys {
public:
    // 80 octets of `file`: 16 name, 32 AES-256, 32 HMAC-SHA-256. 80 more are the key before it, which still opens tickets.
    // One file for both: a rotation is one rename.
    Result<void> load(const std::string& file);
    // Turns tickets on where keys were loaded. The context must not outlive this object's content.
    void enable(SSL_CTX* context) const;

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
