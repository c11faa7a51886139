// smtpd-passwd: sets or deletes a user's password in the users file of smtpd.
#include <sysexits.h>
#include <unistd.h>

#include "base/wipe.hh"
#include "cmd/program.hh"
#include "cmd/smtpd-passwd/edit.hh"
#include "cmd/smtpd-passwd/options.hh"
#include "secret/random.hh"
#include "sys/fd.hh"
#include "sys/rights.hh"
#include "sys/terminal.hh"

using namespace greylag;

namespace {

constexpr std::size_t longest = 1024;
constexpr cmd::Program program{"smtpd-passwd", passwd::option_table, "user"};

int fail(const Error& error) {
    program.complain(0, error.text);
    switch (error.kind) {
        case Kind::usage: return EX_DATAERR;
        case Kind::config: return EX_CONFIG;
        case Kind::not_found: return EX_NOUSER;
        case Kind::denied: return EX_NOPERM;
        case Kind::closed: return EX_NOINPUT;
        case Kind::syntax:
        case Kind::io:
        case Kind::timeout:
        case Kind::limit:
        case Kind::protocol:
        case Kind::unavailable:
        case Kind::internal: break;
    }
    return error.lasting == Lasting::temporary ? EX_TEMPFAIL : EX_IOERR;
}

Result<base::Secret> password() {
    if (!sys::is_terminal(STDIN_FILENO)) return base::Secret(TRY(sys::read_line(STDIN_FILENO, longest)));
    base::Secret once(TRY(sys::ask_password("New password: ")));
    const base::Secret again(TRY(sys::ask_password("Once more: ")));
    if (!secret::equal(once.get(), again.get())) return base::fail(Kind::usage, "the two are not the same; nothing was changed");
    return once;
}

// Root makes the file for the user that smtpd runs as, who must read it. With -f the configuration may say nothing.
std::optional<sys::Owner> reader(const base::CommandLine& given) {
    if (!sys::is_root()) return std::nullopt;
    const auto file = cmd::load_settings(given.value('C'));
    if (!file || file->loaded.settings.smtpd.user.empty()) return std::nullopt;
    const auto account = sys::find_account(file->loaded.settings.smtpd.user);
    return account ? std::optional(sys::Owner{account->uid, account->gid}) : std::nullopt;
}

Result<std::string> users_file(const base::CommandLine& given) {
    if (given.has('f')) return std::string(given.value('f'));
    const auto file = TRY(cmd::load_settings(given.value('C')));
    if (!file.loaded.faults.empty()) return base::fail(Kind::config, file.loaded.faults.front().text());
    const std::string& users = file.loaded.settings.auth.users;
    if (users.empty()) return base::fail(Kind::config, "[auth] users names no file; give one with -f");
    return users;
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto given = program.arguments(argc, argv, {}, true);
    if (!given) return given.error();
    if (given->operands.size() != 1) return program.usage("one user is needed");
    const auto kinds = given->has('m') ? passwd::parse_kinds(given->value('m')) : Result<passwd::Kinds>(passwd::Kinds{});
    if (!kinds) return program.usage(kinds.error().text);
    if (given->has('d') && given->has('m')) return program.usage("-d and -m exclude each other");

    const std::string user(given->operands.front());
    const auto file = users_file(*given);
    if (!file) return fail(file.error());
    Result<void> done;
    if (given->has('d')) {
        done = passwd::delete_user(*file, user);
    } else {
        const auto word = password();
        if (!word) return fail(word.error());
        done = passwd::set_password(*file, user, word->get(), *kinds, reader(*given));
    }
    return done ? EX_OK : fail(done.error());
}
