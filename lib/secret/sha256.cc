#include "secret/sha256.hh"

#include <sodium.h>

#include <array>

#include "base/wipe.hh"

namespace greylag::secret {

namespace {

using Block = std::array<unsigned char, crypto_auth_hmacsha256_BYTES>;

const unsigned char* octets(std::string_view text) {
    const void* at = text.data();
    return static_cast<const unsigned char*>(at);
}
std::string text_of(const Block& block) { return {block.begin(), block.end()}; }

// A state that is kept saves hashing the key again: half the work of PBKDF2.
class Keyed {
public:
    explicit Keyed(std::string_view key) { ::crypto_auth_hmacsha256_init(&start_, octets(key), key.size()); }
    ~Keyed() { ::sodium_memzero(&start_, sizeof start_); }
    Keyed(const Keyed&) = delete;
    Keyed& operator=(const Keyed&) = delete;

    Block of(const unsigned char* text, std::size_t size) const {
        Block out;
        auto state = start_;
        ::crypto_auth_hmacsha256_update(&state, text, size);
        ::crypto_auth_hmacsha256_final(&state, out.data());
        ::sodium_memzero(&state, sizeof state);
        return out;
    }

private:
    crypto_auth_hmacsha256_state start_{};
};

}  // namespace

std::string sha256(std::string_view text) {
    Block out;
    static_assert(crypto_hash_sha256_BYTES == crypto_auth_hmacsha256_BYTES);
    ::crypto_hash_sha256(out.data(), octets(text), text.size());
    return text_of(out);
}

std::string hmac_sha256(std::string_view key, std::string_view text) { return text_of(Keyed(key).of(octets(text), text.size())); }

std::string pbkdf2_sha256(std::string_view password, std::string_view salt, unsigned iterations) {
    const Keyed keyed(password);
    std::string first(salt);
    first.append({'\0', '\0', '\0', '\1'});
    Block u = keyed.of(octets(first), first.size());
    Block sum = u;
    for (unsigned i = 1; i < iterations; ++i) {
        u = keyed.of(u.data(), u.size());
        for (std::size_t j = 0; j < sum.size(); ++j) sum[j] = static_cast<unsigned char>(sum[j] ^ u[j]);
    }
    std::string key = text_of(sum);
    ::sodium_memzero(u.data(), u.size());
    ::sodium_memzero(sum.data(), sum.size());
    return key;
}

}  // namespace greylag::secret
