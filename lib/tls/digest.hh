// The one digest that only OpenSSL still has: CRAM-MD5 needs it (RFC 2104, RFC 2195).
#pragma once
#include <string>
#include <string_view>

namespace greylag::tls {

std::string hmac_md5(std::string_view key, std::string_view text);  // 16 octets

}  // namespace greylag::tls
