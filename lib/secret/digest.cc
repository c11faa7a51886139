#include "secret/digest.hh"

#include <sodium.h>

#include "base/hex.hh"

namespace greylag::secret {

namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

Digest digest(std::string_view bytes, std::string_view key) {
    Digest out{}, short_key{};
    const unsigned char* used = key.empty() ? nullptr : bytes_of(key);
    std::size_t size = key.size();
    if (!key.empty() && (size < crypto_generichash_KEYBYTES_MIN || size > crypto_generichash_KEYBYTES_MAX)) {
        crypto_generichash(short_key.data(), short_key.size(), bytes_of(key), key.size(), nullptr, 0);
        used = short_key.data();
        size = short_key.size();
    }
    crypto_generichash(out.data(), out.size(), bytes_of(bytes), bytes.size(), used, size);
    return out;
}

std::string hex(const Digest& digest) {
    std::string out;
    out.reserve(2 * digest.size());
    for (const std::uint8_t byte : digest) base::append_hex(out, static_cast<char>(byte), base::hex_lower);
    return out;
}

}  // namespace greylag::secret
