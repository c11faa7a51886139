// The digests for tests of SASL, and one user with every credential.
#pragma once
#include "sasl/users.hh"
#include "secret/password.hh"
#include "secret/random.hh"
#include "secret/sha256.hh"
#include "tls/digest.hh"

namespace greylag::test {

inline constexpr sasl::Digests digests{secret::sha256, secret::hmac_sha256, secret::pbkdf2_sha256, secret::equal,   tls::hmac_md5,
                                       tls::md5,       tls::sha1,           tls::hmac_sha1,        tls::pbkdf2_sha1};

inline sasl::User user_with(std::string name, std::string_view password) {
    sasl::User user;
    user.name = std::move(name);
    user.argon2id = secret::hash_password(password).value_or("");
    user.scram = sasl::make_verifier(digests, password, "0123456789abcdef", sasl::least_iterations);
    user.cram_md5 = password;
    return user;
}

}  // namespace greylag::test
