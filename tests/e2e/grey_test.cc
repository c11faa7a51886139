// Greylisting by the real smtpd and greyctl: who is put off, who comes through, and what lies on the disk between.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <set>

#include "base/ascii.hh"
#include "mail/ip.hh"
#include "sys/clock.hh"
#include "sys/rights.hh"
#include "tests/e2e/site.hh"
#include "tests/support/namespace.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

constexpr std::int64_t minute = 60, hour = 3600;

// A host with greylisting on; the peer is whoever a test says.
struct GreySite {
    Site site;
    std::string greyctl = program_path("greyctl");

    explicit GreySite(std::string_view configuration = "") {
        site.scratch.write("smtpd.conf", *site.scratch.read("smtpd.conf") + std::string(configuration));
        site.scratch.make_directory("state/mail/greylag.test/me");
    }
    bool built() const { return site.built() && !greyctl.empty(); }

    Session call(const std::string& peer) const {
        const std::string net = "net-" + peer;
        site.scratch.write(net + "/remote", peer + "!2525\n");
        site.scratch.write(net + "/local", "192.0.2.25!25\n");
        Start how;
        how.program = site.smtpd;
        how.arguments = {"-gn", site.scratch.at(net)};
        how.environment = site.environment();
        auto session = must(Session::start(how));
        session.wire.reply();
        session.wire.ask("EHLO client.home.arpa");
        return session;
    }
    // The code of the answer to each recipient.
    std::string codes(const std::string& peer, std::initializer_list<const char*> recipients,
                      const char* sender = "a@b.example") const {
        auto session = call(peer);
        session.wire.ask("MAIL FROM:<" + std::string(sender) + ">");
        std::string all;
        for (const auto* recipient : recipients)
            all += (all.empty() ? "" : " ") + session.wire.ask("RCPT TO:<" + std::string(recipient) + ">").substr(0, 3);
        session.wire.ask("QUIT");
        must(session.wait());
        return all;
    }
    std::string code(const std::string& peer, const char* recipient = "you@greylag.test") const {
        return codes(peer, {recipient});
    }

    std::string record(const std::string& remote, const std::string& recipient = "you@greylag.test") const {
        return site.scratch.at("state/grey/tmp/192.0.2.25/" + remote + "/" + recipient);
    }
    void age(const std::string& path, std::int64_t seconds) const {
        const timespec then{sys::wall_millis() / 1000 - seconds, 0};
        const timespec both[] = {then, then};
        REQUIRE(::utimensat(AT_FDCWD, path.c_str(), both, AT_SYMLINK_NOFOLLOW) == 0);
    }
    std::string whitelist() const { return site.scratch.read("state/grey/whitelist").value_or("<none>"); }
    std::string log() const { return site.scratch.read("log").value_or(""); }
    unsigned logged(std::string_view word) const {
        unsigned count = 0;
        const std::string all = log();
        for (const auto line : base::split(all, '\n')) count += line.find(word) != std::string_view::npos;
        return count;
    }
    sys::Said run(const std::string& program, std::vector<std::string> arguments) const {
        sys::Command command;
        command.path = program;
        command.arguments = std::move(arguments);
        command.environment = site.environment();
        return must(sys::run(command, soon(), 1 << 20, 1 << 16));
    }
    sys::Said ctl(std::vector<std::string> arguments) const { return run(greyctl, std::move(arguments)); }
};

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

}  // namespace

#define GREY_SITE(name, ...)    \
    GreySite name{__VA_ARGS__}; \
    if (!name.built()) SKIP("smtpd, send or greyctl is not built")

TEST_CASE("greylist: first call, early, in time, white from then on") {
    GREY_SITE(s);
    auto session = s.call("198.51.100.7");
    session.wire.ask("MAIL FROM:<a@b.example>");
    CHECK(session.wire.ask("RCPT TO:<you@greylag.test>") ==
          "451 4.7.1 greylisted; try again from the same address; seconds left: 300\r\n");
    CHECK(session.wire.ask("DATA").substr(0, 3) == "554");
    session.wire.ask("QUIT");
    must(session.wait());
    CHECK(has(s.log(), "greylist id="));
    CHECK(has(s.log(), "ip=198.51.100.7 code=451 reason=greylisted wait=300"));

    const std::string record = s.record("198.51.100.0");
    s.age(record, 2 * minute);
    CHECK(s.code("198.51.100.7") == "451");
    s.age(record, 4 * minute);
    CHECK(s.code("198.51.100.99") == "451");  // another address of the network: one caller
    s.age(record, 5 * minute);
    CHECK(s.whitelist() == "<none>");
    CHECK(s.code("198.51.100.99") == "250");
    CHECK(s.whitelist().starts_with("198.51.100.0/24 # 20"));
    CHECK(s.whitelist().ends_with("Z greylist passed\n"));
    CHECK(has(s.log(), "ip=198.51.100.99 net=198.51.100.0/24 to=\"you@greylag.test\""));
    CHECK(s.code("198.51.100.1", "me@greylag.test") == "250");  // white, whoever it writes to
    CHECK(s.code("198.51.101.1") == "451");
    const std::string whitelist = s.whitelist();
    CHECK(base::split(whitelist, '\n').size() == 2);
}

TEST_CASE("greylist: early retries do not restart the clock; too late is a first call again") {
    GREY_SITE(s);
    s.code("198.51.100.7");
    const std::string record = s.record("198.51.100.0");
    s.age(record, 3 * minute);
    struct stat before {
    }, after{};
    ::stat(record.c_str(), &before);
    for (int i = 0; i < 3; ++i) CHECK(s.code("198.51.100.7") == "451");
    ::stat(record.c_str(), &after);
    CHECK(before.st_mtime == after.st_mtime);
    s.age(record, 14 * hour + 5);
    CHECK(s.code("198.51.100.7") == "451");
    ::stat(record.c_str(), &after);
    CHECK(after.st_mtime >= sys::wall_millis() / 1000 - 20);
    s.age(record, 13 * hour);
    CHECK(s.code("198.51.100.7") == "250");
}

TEST_CASE("greylist: a clock that jumps blocks nobody for ever") {
    GREY_SITE(s);
    s.code("198.51.100.7");
    const std::string record = s.record("198.51.100.0");
    for (const std::int64_t jump : {hour, -hour, 10 * 365 * 24 * hour, -10 * 365 * 24 * hour}) {
        s.age(record, jump == hour ? 20 * hour : jump);
        CHECK(s.code("198.51.100.7") == "451");
        s.age(record, 6 * minute);  // as after a wait of six minutes from there
        CHECK(s.code("198.51.100.7") == "250");
        ::unlink(s.site.scratch.at("state/grey/whitelist").c_str());
    }
}

TEST_CASE("greylist: IPv6, single hosts, and the window by configuration") {
    GREY_SITE(s, "[grey]\nnet4 = 32\nnet6 = 128\nmin = 1s\nmax = 1h\n");
    CHECK(s.code("2001:db8:1:2:3::4") == "451");
    CHECK(s.code("198.51.100.7") == "451");
    s.age(s.record("2001:db8:1:2:3::4"), minute);
    s.age(s.record("198.51.100.7"), minute);
    CHECK(s.code("2001:db8:1:2:3::5") == "451");
    CHECK(s.code("198.51.100.8") == "451");
    CHECK(s.code("2001:db8:1:2:3::4") == "250");
    CHECK(s.code("198.51.100.7") == "250");
    CHECK(s.whitelist().starts_with("2001:db8:1:2:3::4 # "));
    CHECK(has(s.whitelist(), "\n198.51.100.7 # "));
}

TEST_CASE("greylist: the null sender is asked at DATA, and one known recipient is enough") {
    GREY_SITE(s);
    CHECK(s.codes("198.51.100.7", {"you@greylag.test", "nobody@greylag.test"}, "") == "250 550");
    CHECK(!s.site.scratch.exists("state/grey"));  // a call-out leaves no trace
    const auto bounce = [&](bool chunked) {
        auto session = s.call("198.51.100.7");
        session.wire.ask("MAIL FROM:<>");
        session.wire.ask("RCPT TO:<you@greylag.test>");
        session.wire.ask("RCPT TO:<me@greylag.test>");
        std::string said = session.wire.ask(chunked ? "BDAT 8 LAST\r\nx: y\r\n" : "DATA");
        if (said.starts_with("354")) said = session.wire.ask("Subject: x\r\n\r\n.");
        session.wire.ask("QUIT");
        must(session.wait());
        return said.substr(0, 9);
    };
    CHECK(bounce(false) == "451 4.7.1");
    CHECK(bounce(true) == "451 4.7.1");
    CHECK(s.site.scratch.files("state/grey/tmp").size() == 2);
    s.age(s.record("198.51.100.0"), 6 * minute);
    CHECK(bounce(false) == "250 2.6.0");
    CHECK(has(s.whitelist(), "198.51.100.0/24"));
}

TEST_CASE("greylist: several recipients, one of them known") {
    GREY_SITE(s);
    CHECK(s.code("198.51.100.7") == "451");
    s.age(s.record("198.51.100.0"), 6 * minute);
    CHECK(s.codes("198.51.100.7", {"me@greylag.test", "you@greylag.test", "me@greylag.test"}) == "451 250 250");
}

TEST_CASE("greylist: trusted peers are never asked; who is refused for good is not asked to come again") {
    GREY_SITE(s, "[smtpd]\nournets = 198.51.100.0/24\n");
    CHECK(s.code("198.51.100.7") == "250");
    CHECK(s.codes("203.0.113.7", {"x@elsewhere.test", "nobody@greylag.test"}) == "550 550");
    CHECK(!s.site.scratch.exists("state/grey"));
}

TEST_CASE("greylist: nothing is touched before the first recipient") {
    GREY_SITE(s);
    auto session = s.call("198.51.100.7");
    session.wire.ask("MAIL FROM:<a@b.example>");
    CHECK(!s.site.scratch.exists("state/grey"));
    session.wire.ask("QUIT");
    must(session.wait());
    CHECK(!s.site.scratch.exists("state/grey"));
}

TEST_CASE("greylist: a peer without an address is let through, and the log says so") {
    GREY_SITE(s);
    Start how;
    how.program = s.site.smtpd;
    how.arguments = {"-g"};
    how.environment = s.site.environment();
    auto session = must(Session::start(how));
    session.wire.reply();
    session.wire.ask("EHLO client.home.arpa");
    session.wire.ask("MAIL FROM:<a@b.example>");
    CHECK(session.wire.ask("RCPT TO:<you@greylag.test>").substr(0, 3) == "250");
    CHECK(session.wire.ask("RCPT TO:<me@greylag.test>").substr(0, 3) == "250");
    CHECK(s.logged("the address of the peer is not known; not greylisted") == 1);
}

TEST_CASE("greylist: hostile recipients make harmless names") {
    GREY_SITE(s, "[mailer]\ncatchall = you@greylag.test\n");
    const std::string longest = std::string(64, '/') + "@" + std::string(60, 'a') + ".greylag.test";
    GREY_SITE(wide, "[smtpd]\nourdomains = *.greylag.test\n[mailer]\ncatchall = you@greylag.test\n");
    const char* recipients[] = {"\"..\"@greylag.test",         "\".\"@greylag.test",     "\"../../../../etc/x\"@greylag.test",
                                "\"a/b\"@greylag.test",        "x'--@greylag.test",      "\"a b\"@greylag.test",
                                "\"\\\\.\\\\.\"@greylag.test", "...@greylag.test",       "-rf@greylag.test",
                                "\"-rf /\"@greylag.test",      "$(reboot)@greylag.test", "\"%2e%2e\"@greylag.test"};
    std::set<std::string> codes;
    for (const auto* recipient : recipients) codes.insert(s.code("198.51.100.7", recipient));
    CHECK(!codes.contains(""));
    for (const auto& name : s.site.scratch.files("state/grey")) {
        CHECK(name.starts_with("tmp/192.0.2.25/198.51.100.0/"));
        CHECK(std::count(name.begin(), name.end(), '/') == 3);
    }
    CHECK(s.site.scratch.files("state/grey").size() >= 8);
    CHECK(wide.code("198.51.100.7", longest.c_str()) == "451");
    const auto names = wide.site.scratch.list("state/grey/tmp/192.0.2.25/198.51.100.0");
    REQUIRE(names.size() == 1);
    CHECK(names[0].size() == 185);
    wide.age(wide.record("198.51.100.0", names[0]), 6 * minute);
    CHECK(wide.code("198.51.100.7", longest.c_str()) == "250");
}

TEST_CASE("greylist: state that others bent fails open, with a line in the log") {
    GREY_SITE(s);
    SUBCASE("grey is a file") { s.site.scratch.write("state/grey", ""); }
    SUBCASE("grey is a link") {
        s.site.scratch.make_directory("elsewhere");
        REQUIRE(::symlink(s.site.scratch.at("elsewhere").c_str(), s.site.scratch.at("state/grey").c_str()) == 0);
    }
    SUBCASE("tmp is a file") { s.site.scratch.write("state/grey/tmp", ""); }
    SUBCASE("the whitelist is a directory") { s.site.scratch.make_directory("state/grey/whitelist"); }
    SUBCASE("others may write") {
        s.site.scratch.make_directory("state/grey/tmp");
        REQUIRE(::chmod(s.site.scratch.at("state/grey/tmp").c_str(), 0777) == 0);
    }
    SUBCASE("the record is a link to a file that is old enough") {
        s.site.scratch.make_directory("state/grey/tmp/192.0.2.25/198.51.100.0");
        REQUIRE(::symlink("/etc/passwd", s.record("198.51.100.0").c_str()) == 0);
    }
    CHECK(s.codes("198.51.100.7", {"you@greylag.test", "me@greylag.test"}) == "250 250");
    CHECK(s.logged("note id=") == 1);
    CHECK(has(s.log(), "; not greylisted\""));
    CHECK(!has(s.log(), "errno"));
}

namespace {

// In a namespace of its own, with a file system of its own on state/grey.
std::string with_mounted(const GreySite& s, const char* options, unsigned long flags, const std::function<std::string()>& work) {
    return in_namespace({}, [&]() -> std::string {
        const std::string grey = s.site.scratch.at("state/grey");
        if (::mount("none", grey.c_str(), "tmpfs", 0, options) != 0) return "no tmpfs";
        for (const char* name : {"/tmp", "/tmp/192.0.2.25"})
            if (::mkdir((grey + name).c_str(), 0700) != 0) return "no directory";
        if (flags != 0 && ::mount("none", grey.c_str(), nullptr, MS_REMOUNT | flags, options) != 0) return "no remount";
        return work();
    });
}

}  // namespace

TEST_CASE("greylist: a read-only and a full disk fail open, with a line in the log") {
    if (const auto why = namespace_forbidden(); !why.empty()) SKIP(why);
    GREY_SITE(s);
    s.site.scratch.make_directory("state/grey");
    const auto passes = [&]() -> std::string {
        const std::string said = s.codes("198.51.100.7", {"you@greylag.test", "me@greylag.test"});
        return said == "250 250" ? "" : said;
    };
    SUBCASE("read-only") {
        CHECK(with_mounted(s, "size=1m,mode=0700", MS_RDONLY, passes) == "");
        CHECK(s.logged("Read-only file system; not greylisted") == 1);
    }
    SUBCASE("no inode left") {
        CHECK(with_mounted(s, "size=1m,mode=0700,nr_inodes=3", 0, passes) == "");
        CHECK(s.logged("No space left on device; not greylisted") == 1);
    }
}

TEST_CASE("greylist: twenty processes at once on one whitelist: every line once, none mangled") {
    GREY_SITE(s, "[grey]\nmin = 0s\n");
    s.site.scratch.write("state/grey/whitelist", "# ours\n203.0.113.9");
    std::vector<Session> sessions;
    for (int i = 0; i < 20; ++i) {
        // Ten networks, each twice.
        sessions.push_back(s.call("198.51." + std::to_string(100 + i % 10) + "." + std::to_string(1 + i)));
        sessions.back().wire.ask("MAIL FROM:<a@b.example>");
        sessions.back().wire.ask("RCPT TO:<me@greylag.test>");
    }
    for (auto& session : sessions) must(session.wire.send("RCPT TO:<you@greylag.test>\r\nRCPT TO:<me@greylag.test>\r\n"));
    for (auto& session : sessions) {
        session.wire.reply();
        CHECK(session.wire.reply().substr(0, 3) == "250");
        session.wire.ask("QUIT");
        must(session.wait());
    }
    std::map<std::string, int> lines;
    const std::string whitelist = s.whitelist();
    for (const auto line : base::split(whitelist, '\n')) ++lines[std::string(line.substr(0, line.find(' ')))];
    CHECK(s.whitelist().starts_with("# ours\n203.0.113.9\n198.51."));
    CHECK(s.whitelist().ends_with("greylist passed\n"));
    CHECK(lines.size() == 13);  // the ten, the two that were there, and what follows the last newline
    for (const auto& [network, count] : lines) {
        CAPTURE(network);
        CHECK(count == 1);
    }
    CHECK(s.logged("whitelist id=") == 10);
}

TEST_CASE("greylist: hand edits and order survive passing, expire and remove") {
    GREY_SITE(s, "[grey]\nwhitelist_age = 30d\n");
    const std::string mine = "# our partners\n\n192.0.2.9   their relay  # keep!\nnot an address\n  2001:db8::/32\n";
    s.site.scratch.write("state/grey/whitelist", mine + "10.1.1.0/24 # 2020-01-01T00:00:00Z greylist passed\n# the end");
    s.code("198.51.100.7");
    s.age(s.record("198.51.100.0"), 6 * minute);
    CHECK(s.code("198.51.100.7") == "250");
    CHECK(s.whitelist().starts_with(mine + "10.1.1.0/24 # 2020-01-01T00:00:00Z greylist passed\n# the end\n198.51.100.0/24 # "));
    s.age(s.record("198.51.100.0"), 20 * hour);
    const auto expired = s.ctl({"expire"});
    CHECK(expired.out == "records: 1 taken out, 0 kept; whitelist: 1 lines taken out\n");
    CHECK(expired.ending.ok());
    CHECK(s.site.scratch.files("state/grey/tmp").empty());
    CHECK(s.whitelist().starts_with(mine + "# the end\n198.51.100.0/24 # "));
    CHECK(s.ctl({"remove", "198.51.100.0/24"}).out == "198.51.100.0/24: 1 line taken out\n");
    CHECK(s.whitelist() == mine + "# the end\n");
    CHECK(s.code("198.51.100.8") == "451");
    CHECK(s.code("192.0.2.9") == "250");
}

TEST_CASE("greyctl: every verb, and what it answers") {
    GREY_SITE(s);
    const auto status = [](const sys::Said& said) { return said.ending.status; };
    CHECK(s.ctl({"list"}).ending.ok());
    CHECK(has(s.ctl({"status"}).out, "(missing)"));
    CHECK(!s.site.scratch.exists("state/grey"));  // looking makes nothing
    CHECK(status(s.ctl({"check", "198.51.100.7"})) == 1);
    CHECK(s.ctl({"allow", "198.51.100.0/24", "2001:db8::7"}).out == "198.51.100.0/24 is white now\n2001:db8::7 is white now\n");
    CHECK(has(s.ctl({"allow", "198.51.100.7"}).out, "198.51.100.7 is white already by "));
    const auto white = s.ctl({"check", "198.51.100.7"});
    CHECK(status(white) == 0);
    CHECK(has(white.out, "whitelist:1: 198.51.100.0/24 # 20"));
    s.code("203.0.113.7");
    const auto grey = s.ctl({"check", "203.0.113.200"});
    CHECK(status(grey) == 1);
    CHECK(has(grey.out, "early"));
    CHECK(has(grey.out, "you@greylag.test"));
    CHECK(has(s.ctl({"list", "tmp"}).out, "203.0.113.0"));
    CHECK(!has(s.ctl({"list", "tmp"}).out, "LINE"));
    CHECK(has(s.ctl({"list", "white"}).out, "2        2001:db8::7 "));
    CHECK(has(s.ctl({"stats"}).out, "records, too early to pass                    1\n"));
    CHECK(has(s.ctl({"rebuild"}).out, "fresh: 2 lines, 1 IPv4 and 1 IPv6 intervals, 0 unreadable; 0 bytes behind it"));
    CHECK(has(s.ctl({"remove", "198.51.100.7"}).out, "0 lines taken out; still white by line 1: "));
    for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{},
                                                                                       {"frob"},
                                                                                       {"check"},
                                                                                       {"check", "x"},
                                                                                       {"check", "192.0.2.0/24"},
                                                                                       {"allow"},
                                                                                       {"allow", "mx.example.org"},
                                                                                       {"remove", "10"},
                                                                                       {"list", "x"},
                                                                                       {"stats", "x"},
                                                                                       {"-x"}}) {
        const auto said = s.ctl(wrong);
        CHECK(status(said) == 64);
        CHECK(said.err.starts_with("greyctl: "));
        CHECK(said.out == "");
    }
    CHECK(status(s.ctl({"-C", "/nowhere", "stats"})) == 78);
    s.site.scratch.write("state/grey/whitelist.tmp", "");
    ::unlink(s.site.scratch.at("state/grey/whitelist").c_str());
    s.site.scratch.make_directory("state/grey/whitelist");
    for (const char* verb : {"stats", "rebuild", "status", "expire"}) CHECK(status(s.ctl({verb})) == 74);
}

TEST_CASE("smtpd --check: root looks with the eyes of the user that will serve") {
    if (!sys::is_root()) SKIP("needs root");
    GREY_SITE(s);
    const std::string before = *s.site.scratch.read("smtpd.conf");
    s.site.scratch.write("users", "joe x\n", 0600);
    s.site.scratch.write("smtpd.conf", before + "[auth]\nusers = " + s.site.scratch.at("users") + "\n[smtpd]\nuser = 65534\n");
    ::chmod(s.site.scratch.at("").c_str(), 0755);
    const auto said = s.run(s.site.smtpd, {"--check"});
    CHECK(said.ending.status == 78);
    CHECK(has(said.err, s.site.scratch.at("users") + ": Permission denied"));
    CHECK(has(said.err, s.site.scratch.at("state") + ": expected a directory that can be written"));
    CHECK(has(said.err, s.site.scratch.at("log") + ": expected a file that can be written"));
    const std::string state = s.site.scratch.at("state");
    s.site.scratch.write("smtpd.conf", replaced(before, "to = " + s.site.scratch.at("log"), "to = " + state));
    CHECK(has(s.run(s.site.smtpd, {"--check"}).err, "): " + state + ": expected a file that can be written"));
    s.site.scratch.write("smtpd.conf", before + "[smtpd]\nuser = nobody-of-this-name\n");
    const auto unknown = s.run(s.site.smtpd, {"--check"});
    CHECK(unknown.ending.status == 78);
    CHECK(has(unknown.err, "smtpd.user ("));
    CHECK(has(unknown.err, "not in /etc/passwd"));
}

TEST_CASE("smtpd --check: the whitelist's lines, a missing whitelist, directories") {
    GREY_SITE(s);
    const auto missing = s.run(s.site.smtpd, {"-g", "--check"});
    CHECK(missing.ending.ok());
    CHECK(has(missing.out, "state/grey/whitelist is missing: nobody is white yet"));
    CHECK(!has(s.run(s.site.smtpd, {"--check"}).out, "nobody is white yet"));
    s.site.scratch.write("state/grey/whitelist", "192.0.2.1\nnonsense\n\n10 things\n");
    const auto bad = s.run(s.site.smtpd, {"-g", "--check"});
    CHECK(bad.ending.status == 78);
    CHECK(bad.err ==
          s.site.scratch.at("state/grey/whitelist") + ":2: expected an address or a network with its bits, not \"nonsense\"\n" +
              s.site.scratch.at("state/grey/whitelist") + ":4: expected an address or a network with its bits, not \"10\"\n");
    s.site.scratch.write("state/grey/whitelist", "");
    s.site.scratch.write("state/grey/tmp", "");
    CHECK(s.run(s.site.smtpd, {"-g", "--check"}).err ==
          s.site.scratch.at("state/grey/tmp") + ": expected a directory that can be written\n");
}

TEST_CASE("greylist: unreadable lines of the whitelist are named in the log, once") {
    GREY_SITE(s);
    s.site.scratch.write("state/grey/whitelist", "nonsense\n198.51.100.0/24\n");
    CHECK(s.code("198.51.100.7") == "250");
    CHECK(s.code("198.51.100.7") == "250");
    CHECK(s.logged("whitelist:1: expected an address") == 1);
}

TEST_CASE("greylist: the first whitelist: every entry dated and explained, read by greyctl, its index and smtpd") {
    GREY_SITE(s);
    const auto seed = read_whole("grey/whitelist.seed");
    REQUIRE(seed);
    s.site.scratch.write("state/grey/whitelist", *seed);
    CHECK(s.run(s.site.smtpd, {"-g", "--check"}).ending.ok());
    unsigned lines = 0, entries = 0;
    for (const auto line : base::split(*seed, '\n')) {
        lines += 1;
        if (line.empty() || line.starts_with('#')) continue;
        entries += 1;
        CAPTURE(line);
        const auto words = base::words(line);
        REQUIRE(words.size() > 5);
        const auto network = mail::Cidr::parse(words[0]);
        REQUIRE(network);
        CHECK(network->text() == words[0]);  // no bits behind the network's own
        CHECK(words[1] == "#");
        CHECK((words[2].size() == 10 && words[2].starts_with("20") && words[2][4] == '-' && words[2][7] == '-'));
        CHECK(line.find(": ", line.find('#')) != std::string_view::npos);  // who publishes it, and why it is here
        for (const auto& address : {network->address(), network->last()}) {
            const auto said = s.ctl({"check", address.text()});
            CHECK(said.ending.ok());
            CHECK(has(said.out, "whitelist:" + std::to_string(lines) + ": " + std::string(words[0])));
            CHECK(s.code(address.text()) == "250");
        }
    }
    CHECK(entries > 10);
    CHECK(
        has(s.ctl({"rebuild"}).out, "fresh: " + std::to_string(lines - 1) + " lines, 9 IPv4 and 5 IPv6 intervals, 0 unreadable"));
    CHECK(s.code("203.0.113.7") == "451");
}
