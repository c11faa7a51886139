// The messages of SCRAM and the keys in them, for both sides (RFC 5802, RFC 7677).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "sasl/mechanism.hh"

namespace greylag::sasl {

inline constexpr unsigned least_iterations = 4096;      // RFC 7677 4, RFC 5802 5.1
inline constexpr unsigned most_iterations = 1'000'000;  // half a second of ours

// What a server keeps: nobody can log in with it.
struct ScramVerifier {
    unsigned iterations = 0;
    std::string salt, stored_key, server_key;
};
ScramVerifier make_verifier(const Digests& digests, std::string_view password, std::string salt, unsigned iterations);

// What a client answers to a salt, and what the server must say then. `text` is all that was said and the rest of this message.
struct ScramProof {
    std::string proof, signature;
};
ScramProof prove(const Digests& digests, bool sha256, std::string_view password, std::string_view salt, unsigned iterations,
                 std::string_view text);

// "=2C" and "=3D" for comma and equals sign.
std::string escape_name(std::string_view name);
std::optional<std::string> unescape_name(std::string_view text);

// Takes "x=value" from the front of a list between commas; nothing, and nothing taken, when another attribute stands there.
std::optional<std::string_view> take_attribute(std::string_view& list, char attribute);

std::string xor_of(std::string_view a, std::string_view b);  // of the same length

}  // namespace greylag::sasl
