// Randomness nobody can guess, and comparison that does not tell where two texts differ.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace greylag::secret {

std::string random_bytes(std::size_t count);

// Printable ASCII without comma, '=', '@' and angle brackets: fit for a SCRAM nonce (RFC 5802) and the left side of a
// message identifier. 6 bits a character.
std::string random_text(std::size_t count);

// In time that depends on the lengths alone.
bool equal(std::string_view a, std::string_view b);

}  // namespace greylag::secret
