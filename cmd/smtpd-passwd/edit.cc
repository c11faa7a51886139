#include "cmd/smtpd-passwd/edit.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/wipe.hh"
#include "client/digests.hh"
#include "sasl/users.hh"
#include "secret/password.hh"
#include "secret/random.hh"
#include "sys/file.hh"
#include "sys/tree.hh"

namespace greylag::passwd {

namespace {

constexpr std::size_t users_limit = 64 << 20;
constexpr base::Millis lock_wait{10'000};
constexpr std::size_t salt_size = 16;

Result<sys::Fd> lock(const std::string& file) {
    const std::string name = file + ".lock";
    sys::Fd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return sys::os_fail(name, errno);
    TRY(sys::lock(fd.get(), sys::Deadline::in(lock_wait), file));
    return fd;
}

Result<void> replace(const std::string& file, const std::string& name, const std::optional<sasl::User>& user,
                     std::optional<sys::Owner> owner = {}) {
    const sys::Fd locked = TRY(lock(file));
    auto text = sys::read_file(file, users_limit, sys::Guard::private_to_owner);
    const bool is_new = !text && text.error().kind == Kind::not_found;
    if (!text && !is_new) return std::unexpected(std::move(text).error());
    const std::string before = is_new ? std::string() : *std::move(text);
    const std::string after = sasl::replace_user(before, name, user);
    if (!user && after == before) return base::fail(Kind::not_found, file + ": no user '" + base::printable(name) + "'");
    return sys::replace_file(file, after, 0600, owner);
}

}  // namespace

Result<Kinds> parse_kinds(std::string_view list) {
    Kinds kinds{false, false, false};
    for (const auto word : base::split(list, ',')) {
        const auto mechanism = sasl::find(base::trim(word));
        if (!mechanism || !sasl::served(*mechanism))
            return base::fail(Kind::usage, "no such mechanism: '" + base::printable(word, 40) + "'");
        switch (*mechanism) {
            case sasl::Mechanism::plain:
            case sasl::Mechanism::login: kinds.argon2id = true; break;
            case sasl::Mechanism::scram_sha_256:
            case sasl::Mechanism::scram_sha_256_plus: kinds.scram = true; break;
            case sasl::Mechanism::cram_md5: kinds.cram_md5 = true; break;
            case sasl::Mechanism::scram_sha_1:
            case sasl::Mechanism::digest_md5:
            case sasl::Mechanism::otp:
            case sasl::Mechanism::external:
            case sasl::Mechanism::oauthbearer:
            case sasl::Mechanism::xoauth2:
            case sasl::Mechanism::anonymous: break;  // not served
        }
    }
    return kinds;
}

Result<void> set_password(const std::string& file, const std::string& user, std::string_view password, const Kinds& kinds,
                          std::optional<sys::Owner> owner) {
    if (!sasl::is_user_name(user)) return base::fail(Kind::usage, "'" + base::printable(user, 80) + "' cannot be a user's name");
    if (!sasl::is_plausible(password))
        return base::fail(Kind::usage, "a password is 1 to 255 octets of UTF-8 without control characters");
    sasl::User made;
    made.name = user;
    if (kinds.argon2id) made.argon2id = TRY(secret::hash_password(password));
    if (kinds.scram)
        made.scram = sasl::make_verifier(client::digests(), password, secret::random_bytes(salt_size), sasl::least_iterations);
    if (kinds.cram_md5) made.cram_md5 = password;
    auto done = replace(file, user, made, owner);
    base::wipe(made.cram_md5);
    return done;
}

Result<void> delete_user(const std::string& file, const std::string& user) { return replace(file, user, std::nullopt); }

}  // namespace greylag::passwd
