// From root to somebody, with no way back. No NSS: what is asked is in two files, or it is a number.
#include "sys/rights.hh"

#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/ascii.hh"
#include "sys/fd.hh"
#include "sys/file.hh"

namespace greylag::sys {

namespace {

constexpr std::size_t file_limit = 16 << 20;

struct Entry {
    std::string_view name;
    Account account;
};

// name:password:uid:gid:...
std::optional<Entry> passwd_entry(std::string_view line) {
    const auto fields = base::split(line, ':');
    if (fields.size() < 4 || fields[0].empty()) return std::nullopt;
    const auto uid = base::parse_number<std::uint32_t>(fields[2]);
    const auto gid = base::parse_number<std::uint32_t>(fields[3]);
    if (!uid || !gid) return std::nullopt;
    return Entry{fields[0], Account{*uid, *gid, {*gid}}};
}

std::optional<Entry> find_user(std::string_view user, std::string_view passwd) {
    const auto number = base::parse_number<std::uint32_t>(user);
    std::optional<Entry> by_number;
    for (const std::string_view line : base::split(passwd, '\n')) {
        const auto entry = passwd_entry(line);
        if (!entry) continue;
        if (entry->name == user) return entry;
        if (!by_number && number && entry->account.uid == *number) by_number = entry;
    }
    if (!by_number && number) return Entry{{}, Account{*number, *number, {*number}}};
    return by_number;
}

bool is_now(const Account& account) {
    return ::getuid() == account.uid && ::geteuid() == account.uid && ::getgid() == account.gid && ::getegid() == account.gid;
}

}  // namespace

bool is_root() { return ::geteuid() == 0; }

std::string find_login_name(std::uint32_t uid, std::string_view passwd) {
    for (const std::string_view line : base::split(passwd, '\n')) {
        const auto entry = passwd_entry(line);
        if (entry && entry->account.uid == uid) return std::string(entry->name);
    }
    return std::to_string(uid);
}

std::string login_name() {
    const auto passwd = read_file("/etc/passwd", file_limit);
    return find_login_name(::getuid(), passwd ? *passwd : "");
}

Result<Account> find_account(std::string_view user, std::string_view passwd, std::string_view group) {
    const auto entry = find_user(user, passwd);
    if (!entry) return base::fail(Kind::not_found, "user " + std::string(user) + ": not in /etc/passwd");
    Account account = entry->account;
    for (const std::string_view line : base::split(group, '\n')) {
        const auto fields = base::split(line, ':');  // name:password:gid:member,member
        if (fields.size() < 4 || entry->name.empty()) continue;
        const auto gid = base::parse_number<std::uint32_t>(fields[2]);
        const auto members = base::split(base::trim(fields[3]), ',');
        if (!gid || std::find(members.begin(), members.end(), entry->name) == members.end()) continue;
        if (std::find(account.groups.begin(), account.groups.end(), *gid) == account.groups.end()) account.groups.push_back(*gid);
    }
    return account;
}

Result<Account> find_account(const std::string& user) {
    const auto passwd = read_file("/etc/passwd", file_limit);
    const auto group = read_file("/etc/group", file_limit);
    return find_account(user, passwd ? *passwd : "", group ? *group : "");
}

Result<void> become(const std::string& user) {
    const Account account = TRY(find_account(user));
    if (!is_root()) {
        if (is_now(account)) return {};
        return base::fail(Kind::denied, "only root can become user " + user);
    }
    const std::string what = "becoming user " + user;
    const std::vector<gid_t> groups(account.groups.begin(), account.groups.end());
    if (::setgroups(groups.size(), groups.data()) < 0) return os_fail(what, errno);
    if (::setgid(account.gid) < 0) return os_fail(what, errno);
    if (::setuid(account.uid) < 0) return os_fail(what, errno);
    const bool way_back = account.uid != 0 && (::setuid(0) == 0 || ::seteuid(0) == 0);
    if (way_back || !is_now(account)) return base::fail(Kind::internal, what + ": root's rights did not go away");
    return {};
}

}  // namespace greylag::sys
