// The digests for tests of SASL, and one user with every credential.
#pragma once
#include "client/digests.hh"
#include "sasl/users.hh"
#include "secret/password.hh"
#include "secret/random.hh"

namespace greylag::test {

inline const sasl::Digests digests = client::all_digests();

inline sasl::User user_with(std::string name, std::string_view password) {
    sasl::User user;
    user.name = std::move(name);
    user.argon2id = secret::hash_password(password).value_or("");
    user.scram = sasl::make_verifier(digests, password, "0123456789abcdef", sasl::least_iterations);
    user.cram_md5 = password;
    return user;
}

}  // namespace greylag::test
