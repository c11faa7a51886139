// Inside lib/tls only: OpenSSL's objects with owners, and its error queue as a sentence.
#pragma once
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/result.hh"

namespace greylag::tls {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Bio = std::unique_ptr<BIO, Freed<::BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<::X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<::EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<::SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<::SSL_free>>;

// What OpenSSL says was wrong first, of what it has words for; the queue is empty afterwards.
std::string reason();

}  // namespace greylag::tls
