// A policy file that is there and closed to smtpd could have refused: nobody gets past it meanwhile, and somebody is told.
#include <sys/stat.h>

#include "tests/e2e/net_house.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Case {
    const char* file;   // closed: mode 0
    const char* mail;   // what MAIL is answered
    const char* rcpt;   // and RCPT, where MAIL passed
    const char* check;  // the file or folder that --check names
};
constexpr Case cases[] = {
    {"blocked", "451 4.3.0", "", "blocked"},
    {"ratify", "451 4.3.0", "", "ratify/allow"},
    {"ratify/deny", "451 4.3.0", "", "ratify/deny/ip"},
    {"ratify/deny/ip", "451 4.3.0", "", "ratify/deny/ip/*"},
    {"lib/senders", "250 2.1.0", "451 4.3.0", "lib/senders"},
    {"lib/names.blocked", "250 2.1.0", "451 4.3.0", "lib/names.blocked"},
    {"lib", "250 2.1.0", "451 4.3.0", "lib/senders"},
};

struct PolicySite {
    Site site;

    PolicySite() {
        site.scratch.write("smtpd.conf", *site.scratch.read("smtpd.conf") + "[smtpd]\nournets = 203.0.113.9\nblocked = " +
                                             site.scratch.at("blocked") + "\n[paths]\nlib = " + site.scratch.at("lib") +
                                             "\nratify = " + site.scratch.at("ratify") + "\n");
        site.scratch.write("blocked", "deny 203.0.113.200\n", 0644);
        site.scratch.write("lib/senders", "me@greylag.test 203.0.113.200\n", 0644);
        site.scratch.write("lib/names.blocked", "none@greylag.test\n", 0644);
        for (const char* name : {"ratify/allow/ip", "ratify/deny/ip", "ratify/deny/account"}) site.scratch.make_directory(name);
    }
    void mode(const char* name, unsigned mode) const {
        if (::chmod(site.scratch.at(name).c_str(), mode) != 0) throw std::runtime_error(std::string("no chmod of ") + name);
    }
    // The answers to MAIL and, where that passed, RCPT.
    std::pair<std::string, std::string> answers(const std::string& peer) const {
        site.scratch.write("net/remote", peer + "!2525\n");
        site.scratch.write("net/local", "192.0.2.25!25\n");
        Start how;
        how.program = site.smtpd;
        how.arguments = {"-n", site.scratch.at("net")};
        how.environment = site.environment();
        auto session = must(Session::start(how));
        session.wire.reply();
        session.wire.ask("EHLO client.home.arpa");
        const std::string mail = session.wire.ask("MAIL FROM:<a@b.example>");
        const std::string rcpt = mail.starts_with('2') ? session.wire.ask("RCPT TO:<you@greylag.test>") : "";
        session.wire.ask("QUIT");
        must(session.wait());
        return {mail, rcpt};
    }
    sys::Said check() const {
        sys::Command command;
        command.path = site.smtpd;
        command.arguments = {"--check"};
        command.environment = site.environment();
        return must(sys::run(command, soon(), 1 << 16, 1 << 16));
    }
};

}  // namespace

TEST_CASE("policy files that are there and closed: 451, a line in the log, and --check names them") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        forget_rights_to_files();
        for (const Case& c : cases) {
            const PolicySite s;
            const std::string file = c.file;
            wrong.has(file + ", open", s.answers("203.0.113.7").second, "250 2.1.5");
            const auto before = s.check();
            wrong.is(file + ", open: --check", std::to_string(before.ending.status) + before.err, "0");
            struct stat status {};
            ::stat(s.site.scratch.at(c.file).c_str(), &status);
            s.mode(c.file, 0);
            const auto [mail, rcpt] = s.answers("203.0.113.7");
            wrong.has(file + ", closed: MAIL", mail, c.mail);
            wrong.has(file + ", closed: RCPT", rcpt, c.rcpt);
            wrong.has(file + ": log", s.site.scratch.read("log").value_or(""),
                      "reason=policy said=\"" + s.site.scratch.at(c.file));
            const auto said = s.check();
            wrong.is(file + ": --check", std::to_string(said.ending.status), "78");
            wrong.has(file + ": --check", said.err, s.site.scratch.at(c.check) + ": Permission denied");
            s.mode(c.file, status.st_mode & 07777u);
        }
        return wrong.text();
    });
}

TEST_CASE("policy files that are closed give no right: not trusted, not let in; who is trusted is not judged by the lists") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        forget_rights_to_files();
        const PolicySite s;
        s.site.scratch.write("ratify/trusted/203.0.113.7", "", 0644);
        s.site.scratch.write("ratify/allow/ip/203.0.113.200", "", 0644);
        wrong.has("trusted: the list is not asked", s.answers("203.0.113.7").first, "250 2.1.0");
        wrong.has("let in, whatever stands below", s.answers("203.0.113.200").first, "250 2.1.0");
        for (const char* closed : {"ratify/trusted", "ratify/allow"}) {
            s.mode(closed, 0);
            const char* peer = std::string_view(closed) == "ratify/trusted" ? "203.0.113.7" : "203.0.113.200";
            s.mode("blocked", std::string_view(closed) == "ratify/trusted" ? 0 : 0644);
            wrong.has(closed, s.answers(peer).first, "451 4.3.0");
            wrong.has("of our networks", s.answers("203.0.113.9").second, "250 2.1.5");
            s.mode(closed, 0755);
        }
        return wrong.text();
    });
}
