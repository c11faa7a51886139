#include "tls/digest.hh"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace greylag::tls {

namespace {

const unsigned char* octets(std::string_view text) {
    const void* at = text.data();
    return static_cast<const unsigned char*>(at);
}

std::string hash(const EVP_MD* kind, std::string_view text) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    ::EVP_Digest(text.data(), text.size(), out, &size, kind, nullptr);
    return {out, out + size};
}

std::string mac(const EVP_MD* kind, std::string_view key, std::string_view text) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    ::HMAC(kind, key.data(), static_cast<int>(key.size()), octets(text), text.size(), out, &size);
    return {out, out + size};
}

}  // namespace

std::string md5(std::string_view text) { return hash(EVP_md5(), text); }
std::string sha1(std::string_view text) { return hash(EVP_sha1(), text); }
std::string hmac_md5(std::string_view key, std::string_view text) { return mac(EVP_md5(), key, text); }
std::string hmac_sha1(std::string_view key, std::string_view text) { return mac(EVP_sha1(), key, text); }

std::string pbkdf2_sha1(std::string_view password, std::string_view salt, unsigned iterations) {
    unsigned char out[20];
    ::PKCS5_PBKDF2_HMAC_SHA1(password.data(), static_cast<int>(password.size()), octets(salt), static_cast<int>(salt.size()),
                             static_cast<int>(iterations), sizeof out, out);
    return {out, out + sizeof out};
}

}  // namespace greylag::tls
