// DIGEST-MD5 for a client (RFC 2831): authentication only. A server that insists on a security layer of its own is refused: TLS
// is what protects a session here.
#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sasl/mechanism.hh"

namespace greylag::sasl {

struct DigestChallenge {
    std::vector<std::string> realms;
    std::string nonce;
    bool utf8 = false;
};
// The error is a sentence without its subject: "asks for a security layer of its own".
struct DigestFault {
    std::string what;
};
std::expected<DigestChallenge, DigestFault> parse_digest_challenge(std::string_view text);

struct DigestAnswer {
    std::string text;     // what is sent
    std::string rspauth;  // what the server must prove it by, 32 hexadecimal digits
};
struct DigestWords {
    std::string_view user, password, authorization, realm, cnonce;
    std::string_view uri;  // "smtp/host"
};
// Nothing when a server without UTF-8 was given a name or a password that ISO 8859-1 does not have.
std::optional<DigestAnswer> answer_digest(const DigestChallenge& challenge, const DigestWords& words, Digests::Hash md5);

// The value of "rspauth=" alone, as a server ends the exchange.
std::optional<std::string> parse_rspauth(std::string_view text);

}  // namespace greylag::sasl
