// One user of the users file set or taken out, the file replaced as a whole.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sys/file.hh"

namespace greylag::passwd {

struct Kinds {
    bool argon2id = true, scram = true, cram_md5 = false;
};
// "plain,scram-sha-256": mechanisms by their IANA names, case ignored.
Result<Kinds> parse_kinds(std::string_view list);

// Kind::usage for a name or password that cannot be used, else what the file system says. The lock FILE.lock keeps two
// editors apart; who reads sees the old file or the new one. Mode 0600; the owner stays, and a new file is `owner`'s.
Result<void> set_password(const std::string& file, const std::string& user, std::string_view password, const Kinds& kinds,
                          std::optional<sys::Owner> owner = {});
Result<void> delete_user(const std::string& file, const std::string& user);  // Kind::not_found

}  // namespace greylag::passwd
