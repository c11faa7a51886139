#include "tls/digest.hh"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace greylag::tls {

std::string hmac_md5(std::string_view key, std::string_view text) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    const void* at = text.data();
    ::HMAC(EVP_md5(), key.data(), static_cast<int>(key.size()), static_cast<const unsigned char*>(at), text.size(), out, &size);
    return {out, out + size};
}

}  // namespace greylag::tls
