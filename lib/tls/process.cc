#include "tls/process.hh"

#include <openssl/evp.h>

#include "tls/algorithms.hh"
#include "tls/openssl.hh"

namespace greylag::tls {

void own_process() {
    constexpr std::uint64_t nothing_more = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
                                           OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS |
                                           OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS;
    ::OPENSSL_init_crypto(nothing_more, nullptr);
    ::OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_SSL_STRINGS, nullptr);
    load_few_algorithms();
    // The first fetch of all takes over whatever has an old name by then, and that costs more than the fetch.
    ::EVP_MD_free(::EVP_MD_fetch(nullptr, "SHA2-256", nullptr));
    // Signatures of certificates ask for these by an old way.
    for (const EVP_MD* one : {::EVP_sha1(), ::EVP_sha224(), ::EVP_sha256(), ::EVP_sha384(), ::EVP_sha512()})
        ::EVP_add_digest(one);
}

}  // namespace greylag::tls
