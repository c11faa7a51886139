// OpenSSL's words are loaded when something has gone wrong and not before: 4000 of them are a tenth of a short session.
#define OPENSSL_SUPPRESS_DEPRECATED  // room by room, which is what is wanted here
#include "tls/openssl.hh"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace greylag::tls {

namespace {

void load_words() {
    ::ERR_load_ERR_strings();
    ::ERR_load_SSL_strings();
    ::ERR_load_X509_strings();
    ::ERR_load_PEM_strings();
    ::ERR_load_ASN1_strings();
    ::ERR_load_EVP_strings();
    ::ERR_load_EC_strings();
    ::ERR_load_RSA_strings();
}

}  // namespace

std::string reason() {
    load_words();
    std::string said;
    while (const unsigned long code = ::ERR_get_error())
        if (const char* text = ::ERR_reason_error_string(code); text != nullptr && said.empty()) said = text;
    return said.empty() ? "the session is broken" : said;
}

}  // namespace greylag::tls
