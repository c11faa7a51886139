#include "secret/password.hh"

#include <sodium.h>

#include <array>
#include <cerrno>

#include "base/ascii.hh"

namespace greylag::secret {

namespace {

constexpr unsigned passes = 2;
constexpr std::size_t memory = 19u << 20;
constexpr std::size_t key_size = 32;
constexpr std::string_view beginning = "$argon2id$v=19$m=";

struct Hash {
    unsigned kib = 0, passes = 0;
    std::array<unsigned char, crypto_pwhash_SALTBYTES> salt{};
    std::array<unsigned char, key_size> key{};
};

template <std::size_t N>
bool decode(std::string_view text, std::array<unsigned char, N>& out) {
    std::size_t got = 0;
    return ::sodium_base642bin(out.data(), N, text.data(), text.size(), nullptr, &got, nullptr,
                               sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
           got == N;
}

// $argon2id$v=19$m=19456,t=2,p=1$SALT$KEY. More lanes than one, libsodium does not make.
Result<Hash> parse(std::string_view text) {
    const auto bad = [] { return base::fail(Kind::syntax, "this is no argon2id hash that libsodium can check"); };
    if (!text.starts_with(beginning)) return bad();
    const auto parts = base::split(text.substr(beginning.size()), '$');
    if (parts.size() != 3) return bad();
    const auto numbers = base::split(parts[0], ',');
    if (numbers.size() != 3 || !numbers[1].starts_with("t=") || numbers[2] != "p=1") return bad();
    const auto kib = base::parse_number<unsigned>(numbers[0]);
    const auto count = base::parse_number<unsigned>(numbers[1].substr(2));
    Hash hash;
    if (!kib || !count || *kib < 8 || *count < 1 || !decode(parts[1], hash.salt) || !decode(parts[2], hash.key)) return bad();
    if (*kib > memory_limit_kib || *count > 100)
        return base::fail(Kind::limit, "a password hash that needs " + std::to_string(*kib / 1024) + " MiB is not checked");
    hash.kib = *kib;
    hash.passes = *count;
    return hash;
}

// Chooses the fast implementations for this processor.
void start() { [[maybe_unused]] const int done = ::sodium_init(); }

std::unexpected<Error> no_memory(std::size_t kib) {
    return base::fail_later(Kind::limit, "a password hash: not enough memory for " + std::to_string(kib / 1024) + " MiB", ENOMEM);
}

}  // namespace

Result<std::string> hash_password(std::string_view password) {
    start();
    std::array<char, crypto_pwhash_STRBYTES> out{};
    if (::crypto_pwhash_str_alg(out.data(), password.data(), password.size(), passes, memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return no_memory(memory >> 10);
    return std::string(out.data());
}

Result<void> check_hash(std::string_view hash) {
    TRY(parse(hash));
    return {};
}

// crypto_pwhash_str_verify has one answer for "wrong" and "could not try"; with the numbers taken apart, all that can go wrong
// in crypto_pwhash is memory.
Result<bool> is_password(std::string_view text, std::string_view password) {
    const Hash hash = TRY(parse(text));
    start();
    std::array<unsigned char, key_size> key{};
    if (::crypto_pwhash(key.data(), key.size(), password.data(), password.size(), hash.salt.data(), hash.passes,
                        std::size_t{hash.kib} << 10, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return no_memory(hash.kib);
    const bool same = ::sodium_memcmp(key.data(), hash.key.data(), key.size()) == 0;
    ::sodium_memzero(key.data(), key.size());
    return same;
}

std::string_view nobodys_hash() {
    return "$argon2id$v=19$m=19456,t=2,p=1$7k2F004sO8bP3sFPepSE9g$pougLZgESfdO13wpuK5tDeXbIPu6VOeDETjEo2QTQ4U";
}

}  // namespace greylag::secret
