// What a session leaves in the log (smtpd(8), The log): its lines, one id through them, and where they go.
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/ascii.hh"
#include "sys/io.hh"
#include "sys/rights.hh"
#include "tests/e2e/receiver.hh"
#include "tests/support/fake_mailer.hh"
#include "tests/support/namespace.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (const auto line : base::split(text, '\n'))
        if (!line.empty()) lines.emplace_back(line);
    return lines;
}

// A session that says one thing of each kind.
std::string one_session(const Receiver& r) {
    auto s = r.start();
    Receiver::begin(s, "\"a b\"@b.example");
    s.wire.ask("NONSENSE \x1b[31m");
    s.wire.ask("RCPT TO:<x@elsewhere.example>");
    s.wire.ask("RCPT TO:<c@greylag.test>");
    CHECK(Receiver::send(s).starts_with("250 2.6.0 "));
    CHECK(s.wire.ask("QUIT").starts_with("221 "));
    CHECK(must(s.wait()).ok());
    return s.err();
}

const char* const words[] = {"connect", "reject", "accept", "deliver", "disconnect"};

// Word, id and the rest of each line, behind what the destination puts in front.
void check_lines(const std::vector<std::string>& lines) {
    REQUIRE(lines.size() == std::size(words));
    std::string id;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CAPTURE(lines[i]);
        const std::string begin = std::string(words[i]) + " id=";
        const std::size_t at = lines[i].find(begin);
        REQUIRE(at != std::string::npos);
        const std::string here = lines[i].substr(at + begin.size(), lines[i].find(' ', at + begin.size()) - at - begin.size());
        if (id.empty()) id = here;
        CHECK(here == id);
        CHECK(lines[i].find(" ip=unknown") != std::string::npos);
        for (const char c : lines[i]) CHECK(base::is_printable(c));
    }
    CHECK(lines[1].find("code=550 reason=relay-denied helo=\"client.home.arpa\" from=\"\\\"a b\\\"@b.example\" "
                        "about=\"x@elsewhere.example\"") != std::string::npos);
    CHECK(lines[2].ends_with("helo=\"client.home.arpa\" from=\"\\\"a b\\\"@b.example\" to=\"c@greylag.test\""));
    CHECK(lines[3].find(" msgid=" + id + " size=") != std::string::npos);
    CHECK(lines[4].ends_with("reason=quit commands=ehlo:1,mail:1,rcpt:2,data:1,quit:1,unknown:1 messages=1 errors=2"));
}

}  // namespace

TEST_CASE("log: a session's lines in a file, one id through all of them") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true");
    CHECK(one_session(r) == "");
    check_lines(lines_of(r.log()));
}

TEST_CASE("log: what goes wrong before root's rights are gone makes no file of root's") {
    if (!sys::is_root()) SKIP("needs root");
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    const std::string folder = r.scratch.at("");
    REQUIRE(::chown(folder.c_str(), 65534, 65534) == 0);
    REQUIRE(::chmod(folder.c_str(), 0755) == 0);
    // A fault of the file; and a certificate where the program that could use it is not installed.
    r.scratch.write("only/smtpd", *read_whole(r.smtpd), 0755);
    const std::pair<std::string, std::string> cases[] = {{r.smtpd, "[limits]\nsize = 3\n"},
                                                         {r.scratch.at("only/smtpd"), "[tls]\ncertificate = /none\n"},
                                                         {r.scratch.at("only/smtpd"), "[smtpd]\nuser = no-such-user\n"}};
    for (const auto& [program, more] : cases) {
        CAPTURE(more);
        r.configure("/bin/true", more + "[paths]\nlibexec = /none\n" +
                                     (more.find("user") == std::string::npos ? "[smtpd]\nuser = 65534\n" : ""));
        Start how;
        how.program = program;
        how.arguments = {"-l", "127.0.0.1:0"};
        if (more.starts_with("[limits]")) how.arguments.clear();
        how.environment = {"GREYLAG_CONF=" + r.scratch.at("smtpd.conf")};
        auto s = must(Session::start(how));
        if (more.starts_with("[tls]")) {
            CHECK(eventually([&] { return r.log().find("reason=listening") != std::string::npos; }));
            s.signal(SIGTERM);
        }
        must(s.wait());
        struct stat info {};
        const bool is_there = ::stat(r.scratch.at("log").c_str(), &info) == 0;
        CHECK(is_there == (more.find("user") == std::string::npos));
        if (is_there) CHECK(info.st_uid == 65534);
        ::unlink(r.scratch.at("log").c_str());
    }
}

TEST_CASE("log: what keeps a client out is told to it and logged") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.scratch.write("net/remote", "somewhere\n");
    struct Case {
        std::string more;
        std::vector<std::string> options;
        std::string logged;
    };
    std::vector<Case> cases{{"[limits]\nsize = 3\n", {}, ": 'size' in [limits] must be 1k to 1024G"},
                            {"", {"-n", r.scratch.at("net")}, "net/remote: not of the form address!port"}};
    if (sys::is_root()) cases.push_back({"[smtpd]\nuser = no-such-user\n", {}, "user no-such-user: not in /etc/passwd"});
    for (const auto& c : cases) {
        CAPTURE(c.logged);
        r.configure("/bin/true", c.more);
        auto s = r.start(c.options);
        CHECK(s.wire.reply() == "421 4.3.5 Server configuration error\r\n");
        CHECK(must(s.wait()).status == 78);
        CHECK(r.log().find("reason=config said=\"") != std::string::npos);
        CHECK(r.log().find(c.logged) != std::string::npos);
        CHECK(s.err().find(c.logged) != std::string::npos);
        ::unlink(r.scratch.at("log").c_str());
    }
}

TEST_CASE("log: on standard error, and as JSON") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    const auto with_log = [&](const std::string& log) {
        r.configure("/bin/true");
        std::string text = r.scratch.read("smtpd.conf").value_or("");
        const std::string old = "to = " + r.scratch.at("log");
        text.replace(text.find(old), old.size(), log);
        r.scratch.write("smtpd.conf", text);
        return lines_of(one_session(r));
    };
    check_lines(with_log("to = stderr"));
    CHECK(!r.scratch.exists("log"));
    const auto json = with_log("to = stderr\nformat = json");
    REQUIRE(json.size() == std::size(words));
    const std::string id = json[0].substr(json[0].find("\"id\""), 30);
    for (std::size_t i = 0; i < json.size(); ++i) {
        CHECK(json[i].starts_with("{\"event\":\"" + std::string(words[i]) + "\","));
        CHECK(json[i].find(id.substr(0, id.find(','))) != std::string::npos);
        CHECK(json[i].ends_with("}"));
    }
}

TEST_CASE("log: syslog gets a datagram a line, with facility mail") {
    if (const std::string why = namespace_forbidden(); !why.empty()) SKIP(why);
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true");
    std::string text = r.scratch.read("smtpd.conf").value_or("");
    const std::string old = "to = " + r.scratch.at("log");
    text.replace(text.find(old), old.size(), "to = syslog");
    r.scratch.write("smtpd.conf", text);
    std::string error;
    const std::string said = in_namespace({}, [&]() -> std::string {
        // A /dev of our own with what a program needs of it.
        const std::string dev = r.scratch.at("dev");
        r.scratch.make_directory("dev");
        if (::mount("tmpfs", dev.c_str(), "tmpfs", 0, nullptr) != 0) return "?no tmpfs here";
        r.scratch.write("dev/null", "");
        if (::mount("/dev/null", (dev + "/null").c_str(), nullptr, MS_BIND, nullptr) != 0) return "?no bind mount here";
        if (::mount(dev.c_str(), "/dev", nullptr, MS_MOVE, nullptr) != 0) return "?/dev cannot be replaced";
        const sys::Fd door(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_un place{};
        place.sun_family = AF_UNIX;
        std::string(_PATH_LOG).copy(place.sun_path, sizeof place.sun_path - 1);
        const void* address = &place;
        if (::bind(door.get(), static_cast<const sockaddr*>(address), sizeof place) != 0) return "?cannot listen on /dev/log";
        one_session(r);
        std::string lines;
        char room[4096];
        for (std::size_t i = 0; i < std::size(words); ++i)
            lines += std::string(room, must(sys::read_some(door.get(), room, soon()))) + "\n";
        return lines;
    });
    if (said.starts_with("?")) SKIP(said.substr(1));
    const auto lines = lines_of(said);
    check_lines(lines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const int level = std::string_view(words[i]) == "reject" ? LOG_NOTICE : LOG_INFO;
        CHECK(lines[i].starts_with("<" + std::to_string(LOG_MAIL | level) + ">"));
        CHECK(lines[i].find(" smtpd[") != std::string::npos);
    }
}

TEST_CASE("log: a client that resets while it waits for its 250: one message, and it says so") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.scratch.write(
        "slow",
        "#!/bin/sh\ncat >\"${0%/*}/taken.$$\"\n: >\"${0%/*}/started\"\nwhile [ ! -e \"${0%/*}/go\" ]; do sleep 0.05; done\n",
        0700);
    r.configure(r.scratch.at("slow"));
    auto s = r.start({}, Wire::tcp);
    Receiver::begin(s);
    s.wire.ask("RCPT TO:<c@greylag.test>");
    s.wire.ask("DATA");
    must(s.wire.send("Subject: x\r\n\r\n.\r\n"));
    REQUIRE(eventually([&] { return r.scratch.exists("started"); }));
    s.wire.reset();
    r.scratch.write("go", "");
    CHECK(must(s.wait()).ok());
    unsigned taken = 0;
    for (const auto& name : r.scratch.list())
        if (name.starts_with("taken.")) ++taken;
    CHECK(taken == 1);
    CHECK(r.logged("deliver").size() == 1);
    REQUIRE(r.logged("disconnect").size() == 1);
    CHECK(r.logged("disconnect").front().find("reason=eof") != std::string::npos);
    CHECK(r.logged("disconnect").front().find("messages=1") != std::string::npos);
}
