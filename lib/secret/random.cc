#include "secret/random.hh"

#include <sodium.h>

namespace greylag::secret {

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    ::randombytes_buf(bytes.data(), count);
    return bytes;
}

std::string random_text(std::size_t count) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static_assert(letters.size() == 64);
    std::string text = random_bytes(count);
    for (char& c : text) c = letters[static_cast<unsigned char>(c) & 63];
    return text;
}

bool equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace greylag::secret
