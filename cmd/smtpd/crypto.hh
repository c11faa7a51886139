// What of a session needs OpenSSL, as an interface: the program smtpd-tls has it, smtpd has not and starts the other
// (house rule: who greets must not pay for what few ask for). Both are made of the same sources but for one file.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.hh"
#include "sasl/mechanism.hh"
#include "sys/clock.hh"

namespace greylag::smtpd {

// A connection under TLS. As sys::read_some and sys::write_all; the end of either direction is final.
class Channel {
public:
    virtual ~Channel() = default;
    virtual Result<std::size_t> read_some(std::span<char> room, sys::Deadline deadline) = 0;
    virtual Result<void> write_all(std::string_view bytes, sys::Deadline deadline) = 0;
    virtual bool readable(sys::Deadline deadline) = 0;
    virtual void close(sys::Deadline deadline) = 0;
    virtual std::string description() const = 0;
    virtual sasl::Bindings bindings() const = 0;
};

using Hmac = std::string (*)(std::string_view key, std::string_view text);

class Crypto {
public:
    virtual ~Crypto() = default;
    // Reads the certificate and the key of tickets, and again when their files have changed. With an error the certificate of
    // before stays, if there is one; where only the tickets are at fault there is the new one, and no tickets.
    virtual Result<void> prepare(const config::Settings::Tls& settings) = 0;
    virtual bool ready() const = 0;
    virtual Result<std::unique_ptr<Channel>> accept(int in, int out, sys::Deadline deadline) = 0;
    virtual Hmac hmac_md5() const = 0;
};

// crypto_openssl.cc or crypto_none.cc, whichever the program was linked with; the latter has none.
std::unique_ptr<Crypto> make_crypto();

}  // namespace greylag::smtpd
