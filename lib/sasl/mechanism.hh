// The mechanisms we speak, strongest first, and what they need from whoever runs them. This room is pure: digests, nonces and
// channel bindings come in as functions and values.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace greylag::sasl {

enum class Mechanism : std::uint8_t { scram_sha_256_plus, scram_sha_256, cram_md5, plain, login };
inline constexpr std::array mechanisms{Mechanism::scram_sha_256_plus, Mechanism::scram_sha_256, Mechanism::cram_md5,
                                       Mechanism::plain, Mechanism::login};

std::string_view name(Mechanism mechanism);  // as IANA writes it
std::optional<Mechanism> find(std::string_view name);
constexpr bool sends_password(Mechanism m) { return m == Mechanism::plain || m == Mechanism::login; }

// Cryptography of the caller's.
struct Digests {
    std::string (*sha256)(std::string_view text) = nullptr;
    std::string (*hmac_sha256)(std::string_view key, std::string_view text) = nullptr;
    std::string (*pbkdf2_sha256)(std::string_view password, std::string_view salt, unsigned iterations) = nullptr;
    bool (*equal)(std::string_view a, std::string_view b) = nullptr;                 // in constant time
    std::string (*hmac_md5)(std::string_view key, std::string_view text) = nullptr;  // nullptr: CRAM-MD5 is not to be had
};

// What ties an exchange to the TLS session around it; empty where there is none (RFC 9266, RFC 5929).
struct Bindings {
    std::string exporter;   // "tls-exporter"
    std::string end_point;  // "tls-server-end-point"
    bool any() const { return !exporter.empty() || !end_point.empty(); }
};

// The strongest of those offered that we may use: a password goes out only where `clear_allowed`.
std::optional<Mechanism> strongest(std::span<const std::string> offered, bool can_bind, bool has_md5, bool clear_allowed);

// What may be a user's name or a password on the wire: UTF-8 without controls, not empty, 255 octets at most.
bool is_plausible(std::string_view text);

}  // namespace greylag::sasl
