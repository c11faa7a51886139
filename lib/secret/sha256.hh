// SHA-256, HMAC-SHA-256 (RFC 2104) and PBKDF2 with it (RFC 8018): what SCRAM-SHA-256 is made of.
#pragma once
#include <string>
#include <string_view>

namespace greylag::secret {

std::string sha256(std::string_view text);                             // 32 octets
std::string hmac_sha256(std::string_view key, std::string_view text);  // 32 octets
// One block, 32 octets; `iterations` is 1 at least. About half a microsecond an iteration.
std::string pbkdf2_sha256(std::string_view password, std::string_view salt, unsigned iterations);

}  // namespace greylag::secret
