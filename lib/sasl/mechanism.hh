// The mechanisms we speak, strongest first, and what they need from whoever runs them. This room is pure: digests, nonces and
// channel bindings come in as functions and values.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace greylag::sasl {

enum class Mechanism : std::uint8_t {
    scram_sha_256_plus,
    scram_sha_256,
    scram_sha_1,
    digest_md5,
    cram_md5,
    otp,
    external,
    oauthbearer,
    xoauth2,
    plain,
    login,
    anonymous
};

// One table for both sides: our server offers the rows that are `served`, a client speaks them all.
struct Row {
    Mechanism mechanism;
    std::string_view name;  // as IANA writes it
    bool served;
    bool open;     // who reads along has the password, or the token, afterwards
    bool unasked;  // a client may pick it by itself; the others mean something else than "log in with this password"
};
inline constexpr std::array table{Row{Mechanism::scram_sha_256_plus, "SCRAM-SHA-256-PLUS", true, false, true},
                                  Row{Mechanism::scram_sha_256, "SCRAM-SHA-256", true, false, true},
                                  Row{Mechanism::scram_sha_1, "SCRAM-SHA-1", false, false, true},
                                  Row{Mechanism::digest_md5, "DIGEST-MD5", false, false, true},
                                  Row{Mechanism::cram_md5, "CRAM-MD5", true, false, true},
                                  Row{Mechanism::otp, "OTP", false, false, false},
                                  Row{Mechanism::external, "EXTERNAL", false, false, false},
                                  Row{Mechanism::oauthbearer, "OAUTHBEARER", false, true, false},
                                  Row{Mechanism::xoauth2, "XOAUTH2", false, true, false},
                                  Row{Mechanism::plain, "PLAIN", true, true, true},
                                  Row{Mechanism::login, "LOGIN", true, true, true},
                                  Row{Mechanism::anonymous, "ANONYMOUS", false, false, false}};

constexpr const Row& row(Mechanism m) { return table[static_cast<std::size_t>(m)]; }
constexpr std::string_view name(Mechanism m) { return row(m).name; }
constexpr bool served(Mechanism m) { return row(m).served; }
constexpr bool sends_password(Mechanism m) { return row(m).open; }
std::optional<Mechanism> find(std::string_view name);

namespace detail {
template <bool all>
constexpr std::size_t count() {
    std::size_t n = 0;
    for (const Row& one : table) n += all || one.served ? 1 : 0;
    return n;
}
template <bool all>
constexpr auto list() {
    std::array<Mechanism, count<all>()> out{};
    std::size_t n = 0;
    for (const Row& one : table)
        if (all || one.served) out[n++] = one.mechanism;
    return out;
}
}  // namespace detail
inline constexpr auto mechanisms = detail::list<false>();  // that the server offers
inline constexpr auto spoken = detail::list<true>();       // that a client speaks

// Cryptography of the caller's; where a function is missing the mechanisms that need it are not to be had.
struct Digests {
    using Hash = std::string (*)(std::string_view text);
    using Mac = std::string (*)(std::string_view key, std::string_view text);
    using Stretch = std::string (*)(std::string_view password, std::string_view salt, unsigned iterations);
    Hash sha256 = nullptr;
    Mac hmac_sha256 = nullptr;
    Stretch pbkdf2_sha256 = nullptr;
    bool (*equal)(std::string_view a, std::string_view b) = nullptr;  // in constant time
    Mac hmac_md5 = nullptr;
    Hash md5 = nullptr;
    Hash sha1 = nullptr;
    Mac hmac_sha1 = nullptr;
    Stretch pbkdf2_sha1 = nullptr;
};
bool can(Mechanism mechanism, const Digests& digests);

// What ties an exchange to the TLS session around it; empty where there is none (RFC 9266, RFC 5929).
struct Bindings {
    std::string exporter;   // "tls-exporter"
    std::string end_point;  // "tls-server-end-point"
    bool any() const { return !exporter.empty() || !end_point.empty(); }
};

// What a client has to choose by. No mechanism of ours brings a security layer: what protects the session is the TLS around it,
// `bits` strong, and where that is less than `least_bits` there is none to choose.
struct Means {
    Digests digests;
    bool can_bind = false;
    bool clear_allowed = false;  // the password may go over this wire as it is
    bool certificate = false;    // we showed one: EXTERNAL may be picked
    bool answers = false;        // somebody is there to answer a challenge: OTP may be picked
    unsigned bits = 0, least_bits = 0;
};
// Of those offered the ones to be tried, strongest first.
std::vector<Mechanism> ranked(std::span<const std::string> offered, const Means& means);

// The first of them.
std::optional<Mechanism> strongest(std::span<const std::string> offered, const Means& means);

// What may be a user's name or a password on the wire: UTF-8 without controls, not empty, 255 octets at most.
bool is_plausible(std::string_view text);

}  // namespace greylag::sasl
