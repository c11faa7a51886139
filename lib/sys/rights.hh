// Giving rights away.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace greylag::sys {

bool is_root();

// Becomes `user` (a name of /etc/passwd or a number) with its groups from /etc/group, for ever. Reads the files itself: a
// static program has no NSS. Only for root; anybody else gets an error unless it is that user already.
Result<void> become(const std::string& user);

// Our own user's name in /etc/passwd; its number when it has none.
std::string login_name();
std::string find_login_name(std::uint32_t uid, std::string_view passwd);

struct Account {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;  // the primary one first
};
// What /etc/passwd and /etc/group say.
Result<Account> find_account(const std::string& user);
// From the texts of /etc/passwd and /etc/group. A name goes before a number; a number that passwd does not know is its own
// group.
Result<Account> find_account(std::string_view user, std::string_view passwd, std::string_view group);

}  // namespace greylag::sys
