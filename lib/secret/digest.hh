// BLAKE2b (RFC 7693) of bytes: names and comparisons that a stranger cannot steer. Knows no file and keeps no key.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace greylag::secret {

using Digest = std::array<std::uint8_t, 32>;

// With a key (16 to 64 bytes) it is a message authentication code; shorter and longer keys are hashed to 32 bytes first.
Digest digest(std::string_view bytes, std::string_view key = {});

std::string hex(const Digest& digest);  // 64 lower-case digits

}  // namespace greylag::secret
