// What the real smtpd does with the policy's programs, waits and copies.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "base/ascii.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/fake_mailer.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// smtpd with a peer of our choice, a mailer that writes down, and the users joe and ann.
struct House {
    Scratch dir;
    FakeMailer mailer{dir, "", "libexec/send"};
    std::string smtpd = program_path("smtpd");

    explicit House(std::string_view config = "", const std::string& peer = "192.0.2.7") {
        dir.write("conf", "[smtpd]\ndomain = example.org\n[paths]\nstate = " + dir.at("state") + "\nlib = " + dir.at("lib") +
                              "\nlibexec = " + dir.at("libexec") + "\n[mailer]\npostmaster = joe@example.org\n[log]\nto = " +
                              dir.at("log") + "\n" + std::string(config));
        dir.make_directory("state/spool");
        dir.make_directory("lib");
        for (const char* user : {"joe", "ann"}) dir.make_directory("state/mail/example.org/" + std::string(user));
        dir.write("net/remote", peer + "!40000");
        dir.write("net/local", "192.0.2.25!25");
    }
    // sh, with $D as the directory.
    void program(const std::string& name, const std::string& script) const {
        dir.write("lib/" + name, "#!/bin/sh\nD=" + dir.path() + "\n" + script + "\n", 0700);
    }
    Session start(std::vector<std::string> options = {}, bool with_peer = true) const {
        Start how;
        how.program = smtpd;
        how.arguments = {"-C", dir.at("conf")};
        if (with_peer) how.arguments.insert(how.arguments.end(), {"-n", dir.at("net")});
        how.arguments.insert(how.arguments.end(), options.begin(), options.end());
        how.environment = {"PATH=/usr/bin:/bin"};
        return must(Session::start(how));
    }
    std::string log() const { return dir.read("log").value_or(""); }
    bool logged(std::string_view text) const { return log().find(text) != std::string::npos; }
};

// Greeting, EHLO, MAIL.
void open(Session& session, std::string_view sender = "x@sender.example") {
    CHECK(session.wire.reply().starts_with("220 "));
    CHECK(session.wire.ask("EHLO client.home.arpa").starts_with("250"));
    CHECK(session.wire.ask("MAIL FROM:<" + std::string(sender) + ">").starts_with("250"));
}
std::string message(Session& session, std::string_view text = "Subject: x\r\n\r\nbody\r\n") {
    CHECK(session.wire.ask("DATA").starts_with("354"));
    return session.wire.ask(std::string(text) + ".");
}
void quit(Session& session) {
    CHECK(session.wire.ask("QUIT").starts_with("221"));
    CHECK(must(session.wait()).ok());
}

#define NEED(house) \
    if ((house).smtpd.empty()) SKIP("smtpd is not built")

}  // namespace

TEST_CASE("validateaddress: its words, and what its end means") {
    House house;
    NEED(house);
    house.program("validateaddress",
                  "printf '[%s]' \"$#\" \"$@\" >>$D/seen; env >$D/env\ncase $1 in ann*) exit 1;; 'joe+'later*) exit 75;; "
                  "'joe+'odd*) exit 9;; "
                  "'joe+'dead*) kill -9 $$;; esac");
    auto session = house.start();
    open(session);
    CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
    CHECK(house.dir.read("seen").value_or("") == "[3][joe@example.org][192.0.2.7][client.home.arpa]");
    CHECK(house.dir.read("env").value_or("").find("HOME=") == std::string::npos);
    CHECK(session.wire.ask("RCPT TO:<ann@example.org>").starts_with("550 5.1.1 "));
    CHECK(session.wire.ask("RCPT TO:<joe+later@example.org>").starts_with("451 4.3.0 "));
    CHECK(session.wire.ask("RCPT TO:<joe+odd@example.org>").starts_with("451 4.3.0 "));
    CHECK(session.wire.ask("RCPT TO:<joe+dead@example.org>").starts_with("451 4.3.0 "));
    // Never an option, never a shell's word.
    CHECK(session.wire.ask("RCPT TO:<-joe@example.org>").starts_with("5"));
    CHECK(session.wire.ask("RCPT TO:<joe+${HOME}`date`'@example.org>").starts_with("250 "));
    CHECK(house.dir.read("seen").value_or("").ends_with("[joe+${HOME}`date`'@example.org][192.0.2.7][client.home.arpa]"));
    quit(session);
    CHECK(house.logged("validateaddress: exit 9"));
    CHECK(house.logged("validateaddress: signal 9"));
}

TEST_CASE("validateaddress: one that hangs is ended") {
    House house("[mailer]\ntimeout = 300ms\n");
    NEED(house);
    house.program("validateaddress", "sleep 60 & echo $! >$D/child; wait");
    auto session = house.start();
    open(session);
    CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("451 4.3.0 "));
    quit(session);
    CHECK(house.logged("validateaddress: timed out"));
}

TEST_CASE("submission: our own people's mail gets what it lacks, a stranger's nothing") {
    House house("[smtpd]\nournets = 198.51.100.0/24\n", "198.51.100.7");
    NEED(house);
    const auto stored = [&](std::string_view text) {
        auto session = house.start();
        open(session, "ann@example.org");
        CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250"));
        CHECK(message(session, text).starts_with("250 2.6.0 "));
        quit(session);
        return house.mailer.runs().back().message;
    };
    const std::string lacking = stored("Subject: x\r\n\r\nbody\r\n");
    CHECK(lacking.find("\nDate: ") < lacking.find("\nFrom: ann@example.org\nMessage-ID: <"));
    CHECK(lacking.ends_with("@example.org>\nSubject: x\n\nbody\n"));
    // A header that is longer than what is waited for may have it all further down.
    const std::string header = "X-Long: " + std::string(60'000, 'x') + "\r\nX-More: " + std::string(10'000, 'y') + "\r\n";
    CHECK(stored(header + "Date: d\r\n\r\n").find("\nFrom: ") == std::string::npos);
    house.dir.write("net/remote", "192.0.2.7!40000");
    const std::string strange = stored("Subject: x\r\n\r\nbody\r\n");
    for (const char* name : {"\nDate: ", "\nFrom: ", "\nMessage-ID: "}) CHECK(strange.find(name) == std::string::npos);
}

TEST_CASE("senders: a name stands for its addresses, and silence is no refusal") {
    DnsResponder dns;
    dns.address("friend.example.net", "192.0.2.7");
    dns.address("other.example.net", "192.0.2.8");
    dns.fault("broken.example.net", DnsFault::servfail);
    House house("[dns]\nnameservers = " + dns.text() + "\n");
    NEED(house);
    house.dir.write("lib/senders",
                    "joe@example.org other.example.net\njoe@example.org Friend.Example.net\n"
                    "ann@example.org other.example.net\njoe+x@example.org broken.example.net\n");
    auto session = house.start();
    open(session);
    CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
    CHECK(session.wire.ask("RCPT TO:<ann@example.org>").starts_with("550 5.7.1 "));
    CHECK(session.wire.ask("RCPT TO:<joe+x@example.org>").starts_with("451 4.3.0 "));
    quit(session);
}

TEST_CASE("validatesender: asked at DATA, with upas' words") {
    House house("[smtpd]\nournets = 198.51.100.0/24\n");
    NEED(house);
    house.program(
        "validatesender",
        "printf '[%s]' \"$@\" >>$D/seen\ncase $4 in bad) echo 'rejected: no such user' >&2; exit 1;; slow) exit 75;; esac");
    auto session = house.start();
    open(session, "bad@Sender.example");
    CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
    CHECK(!house.dir.exists("seen"));
    CHECK(session.wire.ask("DATA").starts_with("554 5.7.1 the sender was rejected: rejected: no such user"));
    CHECK(house.dir.read("seen").value_or("") == "[-n][/net][Sender.example][bad][192.0.2.7][client.home.arpa]");
    CHECK(session.wire.ask("MAIL FROM:<slow@sender.example>").starts_with("250"));
    CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
    CHECK(session.wire.ask("DATA").starts_with("450 4.7.0 "));
    CHECK(session.wire.ask("MAIL FROM:<-x@sender.example>").starts_with("250"));
    CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
    CHECK(session.wire.ask("DATA").starts_with("553 5.1.7 "));
    // The null sender answers one message of one sender.
    CHECK(session.wire.ask("MAIL FROM:<>").starts_with("250"));
    CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
    CHECK(session.wire.ask("RCPT TO:<ann@example.org>").starts_with("250 "));
    CHECK(session.wire.ask("DATA").starts_with("554 5.7.1 the sender was rejected: /dev/null sending to multiple"));
    CHECK(session.wire.ask("MAIL FROM:<>").starts_with("250"));
    CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
    CHECK(message(session).starts_with("250 2.6.0 "));
    quit(session);
    // The trusted are not asked about.
    house.dir.write("net/remote", "198.51.100.1!40000");
    auto trusted = house.start();
    open(trusted, "bad@sender.example");
    CHECK(trusted.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
    CHECK(message(trusted).starts_with("250 2.6.0 "));
    quit(trusted);
}

TEST_CASE("validate*: a file that is no program is passed over, and named") {
    House house;
    NEED(house);
    house.dir.write("lib/validateaddress", "exit 1\n");
    auto session = house.start();
    open(session);
    CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
    quit(session);
    CHECK(house.logged("validateaddress: not a program"));
}

TEST_CASE("-s: blocked messages are saved, denied ones are not") {
    House house;
    NEED(house);
    house.dir.write("conf", *house.dir.read("conf") + "[smtpd]\nblocked = " + house.dir.at("blocked") + "\n");
    house.dir.write("blocked", "*dial dial.example!*\n*delay delay.example!*\nblock 192.0.2.7\n");
    const auto send_as = [&](const char* sender, std::vector<std::string> options) {
        auto session = house.start(std::move(options));
        open(session, sender);
        CHECK(session.wire.ask("RCPT TO:<joe@example.org>").starts_with("250 "));
        const std::string answer = session.wire.ask("DATA");
        const std::string end = answer.starts_with("354") ? session.wire.ask("Subject: spam\r\n\r\n..dots\r\n.") : answer;
        quit(session);
        return end.substr(0, 9);
    };
    CHECK(send_as("a@b.example", {}) == "554 5.7.1");
    CHECK(!house.dir.exists("state/queue.dump"));
    CHECK(send_as("a@b.example", {"-s"}) == "554 5.7.1");
    CHECK(send_as("a@delay.example", {"-s"}) == "450 4.7.1");
    CHECK(send_as("a@dial.example", {"-s"}) == "554 5.7.1");
    const auto files = house.dir.files("state/queue.dump");
    REQUIRE(files.size() == 2);
    for (const auto& file : files) {
        INFO(file);
        const auto slash = file.find('/');
        REQUIRE(slash != std::string::npos);
        CHECK(base::is_upper(file[0]));
        CHECK(base::parse_number<unsigned>(file.substr(3, slash - 3)).value_or(0) >= 1);
        for (const char c : file.substr(slash + 1)) CHECK(base::is_digit(c));
        const std::string saved = house.dir.read("state/queue.dump/" + file).value_or("");
        CHECK(saved.starts_with("From a@"));
        CHECK(saved.find("\nReceived: from client.home.arpa ([192.0.2.7])\n") != std::string::npos);
        CHECK(saved.ends_with("\nSubject: spam\n\n.dots\n"));
        struct stat info {};
        REQUIRE(::stat(house.dir.at("state/queue.dump/" + file).c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);
    }
    CHECK(house.mailer.runs().empty());
    CHECK(house.logged("reason=blocked"));
    CHECK(house.logged("saved=" + house.dir.at("state/queue.dump/")));
}

TEST_CASE("-k: not a byte, not a line, exit 0") {
    struct Case {
        const char *evil, *peer;
        bool dropped;
    };
    const Case cases[] = {
        {"192.0.2.7", "192.0.2.7", true},       {"192.0.2.0/24", "192.0.2.7", true},  {"192.0.2.77/24", "192.0.2.7", true},
        {"192.0.2", "192.0.2.7", true},         {"192.0", "192.0.2.7", true},         {"192", "192.0.2.7", true},
        {"2001:db8::/32", "2001:db8::7", true}, {"2001:db8::7", "2001:db8::7", true}, {"192.0.2.8", "192.0.2.7", false},
        {"2001:db8::8", "2001:db8::7", false},  {"192.0.2.7", "2001:db8::7", false},
    };
    for (const auto& c : cases) {
        const std::string evil_peer = std::string(c.evil) + " " + c.peer;
        INFO(evil_peer);
        House house("", c.peer);
        NEED(house);
        auto session = house.start({"-k", "203.0.113.1", "-k", c.evil});
        if (c.dropped)
            CHECK(must(session.wire.read_to_end()) == "");
        else
            CHECK(session.wire.reply().starts_with("220 "));
        session.wire.half_close();
        CHECK(must(session.wait()).ok());
        CHECK(house.log().empty() == c.dropped);
        CHECK(session.err() == "");
    }
}

TEST_CASE("-D: strangers wait, the long list longer, talkers are refused, friends are not kept") {
    using Clock = std::chrono::steady_clock;
    const std::string config =
        "[smtpd]\ntarpit = on\ngreeting_delay = 300ms\nlong_delay = 900ms\nlong_nets = 203.0.113\nournets = 198.51.100.0/24\n";
    struct Case {
        const char* peer;
        int at_least, below;
    };
    for (const Case& c : {Case{"192.0.2.7", 300, 900}, Case{"203.0.113.9", 900, 20'000}, Case{"198.51.100.1", 0, 300}}) {
        INFO(std::string(c.peer));
        House house(config, c.peer);
        NEED(house);
        const auto begin = Clock::now();
        auto session = house.start();
        CHECK(session.wire.reply().starts_with("220 "));
        const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
        CHECK(waited >= c.at_least);
        CHECK(waited < c.below);
        quit(session);
    }
    House house("[smtpd]\n", "192.0.2.7");
    auto session = house.start({"-D"});
    must(session.wire.send("EHLO client.home.arpa\r\n"));
    CHECK(session.wire.reply().starts_with("554 5.5.0 "));
    CHECK(must(session.wire.read_to_end()) == "");
    CHECK(must(session.wait()).ok());
    CHECK(house.logged("drop "));
    CHECK(house.logged("reason=early-talk"));
    // One that leaves is not waited for.
    auto gone = house.start({"-D"});
    gone.wire.close();
    CHECK(must(gone.wait()).ok());
}

TEST_CASE("-D: the accept loop lets no more than a quarter of its sessions wait") {
    House house("[smtpd]\ntarpit = on\n[limits]\nsessions = 8\n");
    NEED(house);
    const auto port = must(listen_at("127.0.0.1")).port;
    auto loop = house.start({"-l", "127.0.0.1:" + std::to_string(port)}, false);
    REQUIRE(eventually([&] { return house.logged("reason=listening"); }));
    auto first = must(connect_to("127.0.0.1", port)), second = must(connect_to("127.0.0.1", port));
    // The third is greeted while two are still held off, and so is the fourth.
    auto third = must(connect_to("127.0.0.1", port)), fourth = must(connect_to("127.0.0.1", port));
    CHECK(third.reply().starts_with("220 "));
    CHECK(fourth.reply().starts_with("220 "));
    CHECK(!must(first.wait_readable(sys::Deadline::in(base::Millis{0}))));
    CHECK(!must(second.wait_readable(sys::Deadline::in(base::Millis{0}))));
    // A place that is given up is free for the next one.
    first.close();
    CHECK(eventually([&] {
        auto next = must(connect_to("127.0.0.1", port));
        return !must(next.wait_readable(sys::Deadline::in(base::Millis{200})));
    }));
    loop.signal(15);
    CHECK(must(loop.wait()).ok());
}

TEST_CASE("-k: the accept loop closes without a fork, a byte or a line") {
    House house;
    NEED(house);
    const auto port = must(listen_at("127.0.0.1")).port;
    auto loop = house.start({"-k", "127", "-l", "127.0.0.1:" + std::to_string(port)}, false);
    REQUIRE(eventually([&] { return house.logged("reason=listening"); }));
    const std::string before = house.log();
    for (int i = 0; i < 3; ++i) {
        auto evil = must(connect_to("127.0.0.1", port));
        CHECK(must(evil.read_to_end()) == "");
    }
    CHECK(house.log() == before);
    // No child was ever born: nothing was waited for by anybody.
    const std::string children = "/proc/" + std::to_string(loop.pid()) + "/task/" + std::to_string(loop.pid()) + "/children";
    CHECK(read_whole(children).value_or("") == "");
    loop.signal(15);
    CHECK(must(loop.wait()).ok());
}

TEST_CASE("-h: the mailer hears of the domain, and only then") {
    House house;
    NEED(house);
    for (const bool given : {false, true}) {
        auto session = house.start(given ? std::vector<std::string>{"-h", "dom.example"} : std::vector<std::string>{});
        if (given) house.dir.make_directory("state/mail/dom.example/joe");
        open(session);
        CHECK(session.wire.ask(given ? "RCPT TO:<joe@dom.example>" : "RCPT TO:<joe@example.org>").starts_with("250 "));
        CHECK(message(session).starts_with("250 2.6.0 "));
        quit(session);
        REQUIRE(house.mailer.runs().size() == (given ? 2u : 1u));
        CHECK(house.mailer.runs().back().variable("DOMAIN").value_or("none") == (given ? "dom.example" : "none"));
    }
}

TEST_CASE("--check: every fault of the policy files, with its line") {
    House house;
    NEED(house);
    house.dir.write("conf", *house.dir.read("conf") + "[smtpd]\nblocked = " + house.dir.at("blocked") +
                                "\n[paths]\nratify = " + house.dir.at("nowhere") + "\n");
    house.dir.write("blocked", "block 192.0.2.1\nblok 192.0.2.2\n*block x\n");
    house.dir.write("lib/senders", "joe@example.org\n");
    house.dir.write("lib/validatesender", "exit 0\n");
    sys::Command command;
    command.path = house.smtpd;
    command.arguments = {"--check", "-C", house.dir.at("conf")};
    auto said = must(sys::run(command, soon(), 1 << 16, 1 << 16));
    CHECK(said.ending.status == 78);
    for (const std::string& line :
         {house.dir.at("blocked:2: 'blok' is no verb"), house.dir.at("blocked:3: 'x': expected domain!user"),
          house.dir.at("lib/senders:1: expected a recipient and a host"), house.dir.at("lib/validatesender: expected a program"),
          house.dir.at("nowhere: ")}) {
        INFO(line);
        CHECK(said.err.find(line) != std::string::npos);
    }
    house.dir.write("blocked", "block 192.0.2.1\n");
    house.dir.write("lib/senders", "joe@example.org 192.0.2.0/24\n");
    house.dir.write("lib/validatesender", "#!/bin/sh\n", 0700);
    house.dir.make_directory("nowhere");
    said = must(sys::run(command, soon(), 1 << 16, 1 << 16));
    CHECK(said.err == "");
    CHECK(said.ending.ok());
}

TEST_CASE("send: -h and user@[] reach it through smtpd") {
    House house;
    NEED(house);
    const std::string send = program_path("send");
    if (send.empty()) SKIP("send is not built");
    // A courier in place of smtp, which writes down what it is given.
    house.dir.write("libexec/smtp",
                    "#!/bin/sh\necho \"$@\" >" + house.dir.at("sent") +
                        "\ncat >/dev/null\nwhile [ $# -gt 1 ]; do shift; done\n"
                        "echo \"d $1 250 ok\"\n",
                    0700);
    ::unlink(house.dir.at("libexec/send").c_str());
    REQUIRE(::symlink(send.c_str(), house.dir.at("libexec/send").c_str()) == 0);
    house.dir.make_directory("state/mail/dom.example/joe");
    auto session = house.start({"-h", "dom.example"});
    open(session);
    CHECK(session.wire.ask("RCPT TO:<joe@dom.example>").starts_with("250 "));
    CHECK(session.wire.ask("RCPT TO:<joe@[192.0.2.25]>").starts_with("250 2.1.5 receiver is joe@dom.example"));
    CHECK(session.wire.ask("RCPT TO:<ann@[]>").starts_with("250 2.1.5 receiver is ann@[192.0.2.7]"));
    CHECK(message(session).starts_with("250 2.6.0 "));
    quit(session);
    CHECK(house.dir.list("state/mail/dom.example/joe/Maildir/new").size() == 1);
    CHECK(house.dir.read("sent").value_or("").ends_with("-- [192.0.2.7] x@sender.example ann@[192.0.2.7]\n"));
}
