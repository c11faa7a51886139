// The digests that only OpenSSL still has: mechanisms of SASL need them (RFC 1321, RFC 3174, RFC 2104, RFC 8018).
#pragma once
#include <string>
#include <string_view>

namespace greylag::tls {

std::string md5(std::string_view text);                              // 16 octets
std::string sha1(std::string_view text);                             // 20 octets
std::string hmac_md5(std::string_view key, std::string_view text);   // 16 octets
std::string hmac_sha1(std::string_view key, std::string_view text);  // 20 octets
// One block, 20 octets; `iterations` is 1 at least.
std::string pbkdf2_sha1(std::string_view password, std::string_view salt, unsigned iterations);

}  // namespace greylag::tls
