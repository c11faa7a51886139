// Password hashes: argon2id as libsodium makes them, a string that says its own parameters ("$argon2id$v=19$m=...").
#pragma once
#include <string>
#include <string_view>

#include "base/result.hh"

namespace greylag::secret {

// Two passes over 19 MiB, what OWASP asks for at least: about 50 ms, and a crowd of logins still fits into memory.
Result<std::string> hash_password(std::string_view password);

// Whether it is the one. An error means that nothing is known: Kind::limit, temporary, when there is not enough memory;
// Kind::syntax for what is no hash of ours, Kind::limit for one that asks for more than memory_limit_kib.
Result<bool> is_password(std::string_view hash, std::string_view password);
inline constexpr unsigned memory_limit_kib = 256 << 10;

// Nothing when is_password() could work with it, else why not.
Result<void> check_hash(std::string_view hash);

// A hash nobody has the password of: unknown users are checked against it, so that time does not tell them apart.
std::string_view nobodys_hash();

}  // namespace greylag::secret
