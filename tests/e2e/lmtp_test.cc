// smtpd with an LMTP server in the mailer's place (contract: -m lmtp:/path, lmtp:host:port): a server that says what a script
// says, and Dovecot's where it is installed.
#include <unistd.h>

#include "tests/e2e/receiver.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

const std::string hello = "250-lmtp.example\r\n250 8BITMIME\r\n";

// Greeting to MAIL, then these.
Script behind_mail(std::vector<Turn> more) {
    Script all{Turn::say("220 lmtp.example LMTP\r\n"), Turn::on("LHLO greylag.test", hello),
               Turn::on("MAIL FROM:<", "250 2.1.0 ok\r\n")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}
Turn rcpt(const std::string& to, const std::string& reply) {
    return Turn::on("RCPT TO:<" + to + "@greylag.test>", reply + "\r\n");
}
Turn go() { return Turn::on("DATA", "354 go\r\n"); }

std::string place(const FakeSmtp& server) { return "lmtp:127.0.0.1:" + std::to_string(server.port()); }

std::string to(std::string_view user) { return "RCPT TO:<" + std::string(user) + "@greylag.test>"; }

bool ends(Session& s) { return s.wire.ask("QUIT").starts_with("221 ") && s.wait().has_value(); }

}  // namespace

TEST_CASE("lmtp mailer: a recipient is asked there, and the message arrives as it was sent") {
    const Receiver receiver;
    if (!receiver.built()) SKIP("smtpd is not built");
    const Script script = behind_mail({rcpt("one", "250 2.1.5 ok"), rcpt("two", "550 5.1.1 no such user here"),
                                       rcpt("three", "452 4.2.2 mailbox full"), rcpt("four", "250 2.1.5 ok"), go(),
                                       Turn::body("250 2.0.0 kept one\r\n250 2.0.0 kept four\r\n"), Turn::on("QUIT", "")});
    const FakeSmtp tcp({script});
    const FakeSmtp local({script}, FakeSmtp::UnixSocket{receiver.scratch.at("lmtp.sock")});
    for (const auto* server : {&tcp, &local}) {
        receiver.configure(server == &tcp ? place(tcp) : "lmtp:" + receiver.scratch.at("lmtp.sock"));
        auto s = receiver.start();
        Receiver::begin(s);
        CHECK(s.wire.ask(to("one")).starts_with("250 2.1.5 "));
        CHECK(s.wire.ask(to("two")) == "550 5.1.1 the mailer says: no such user here\r\n");
        CHECK(s.wire.ask(to("three")) == "452 4.2.2 the mailer says: mailbox full\r\n");
        CHECK(s.wire.ask("RCPT TO:<x@elsewhere.example>").starts_with("550 5.7.1 "));  // not even asked there
        CHECK(s.wire.ask(to("four")).starts_with("250 2.1.5 "));
        CHECK(Receiver::send(s, "Subject: x\r\n\r\n..\r\n\xff\r\nend\r\n").starts_with("250 2.6.0 sent: "));
        CHECK(ends(s));
        const Heard heard = server->wait_for(0);
        CHECK(heard.fault == "");
        REQUIRE(heard.bodies.size() == 1);
        CHECK(heard.bodies[0].starts_with("Received: from client.home.arpa"));
        CHECK(heard.bodies[0].ends_with("\r\nSubject: x\r\n\r\n..\r\n\xff\r\nend\r\n.\r\n"));
        REQUIRE(!receiver.logged("deliver").empty());
        CHECK(receiver.logged("deliver").back().find("to=\"one@greylag.test,four@greylag.test\"") != std::string::npos);
    }
}

TEST_CASE("lmtp mailer: answers that differ become one, and none is lost") {
    struct Case {
        std::vector<std::string> each;  // behind the dot
        std::string reply;
        std::vector<std::string> failed;  // deliver-failed: code and recipient
        bool notice = false;
    };
    const std::vector<Case> cases = {
        {{"250 2.0.0 ok", "250 2.0.0 ok"}, "250 2.6.0 ", {}},
        {{"250 2.0.0 ok", "550 5.1.1 gone"}, "250 2.6.0 ", {"code=550", "two@"}, true},
        {{"552 5.2.2 full", "250 2.0.0 ok"}, "250 2.6.0 ", {"code=552", "one@"}, true},
        {{"250 2.0.0 ok", "452 4.2.2 full"}, "451 4.2.2 ", {"code=452", "two@"}},
        {{"550 5.1.1 gone", "451 4.3.0 busy"}, "451 4.3.0 ", {"code=550", "one@", "code=451", "two@"}},
        {{"550 5.1.1 gone", "554 5.6.0 spam"}, "550 5.1.1 ", {"code=550", "one@", "code=554", "two@"}},
        {{"250 2.0.0 ok"}, "451 4.3.0 ", {"two@"}},  // and it closes
        {{}, "451 4.3.0 ", {"one@", "two@"}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.reply);
        CAPTURE(c.each.size());
        const Receiver receiver;
        if (!receiver.built()) SKIP("smtpd is not built");
        std::string answers;
        for (const auto& each : c.each) answers += each + "\r\n";
        Turn body = Turn::body(answers);
        if (c.each.size() < 2) body.and_close();
        std::vector<Turn> turns{rcpt("one", "250 ok"), rcpt("two", "250 ok"), go(), body};
        if (c.notice)
            turns.insert(turns.end(), {Turn::on("MAIL FROM:<>", "250 ok\r\n"), rcpt("postmaster", "250 ok"), go(),
                                       Turn::body("250 2.0.0 kept\r\n")});
        if (c.each.size() == 2) turns.push_back(Turn::on("QUIT", ""));
        const FakeSmtp server({behind_mail(turns)});
        receiver.configure(place(server));
        auto s = receiver.start();
        Receiver::begin(s);
        s.wire.ask(to("one"));
        s.wire.ask(to("two"));
        CHECK(Receiver::send(s).starts_with(c.reply));
        CHECK(ends(s));
        const Heard heard = server.wait_for(0);
        CHECK(heard.fault == "");
        std::string failed;
        for (const auto& line : receiver.logged("deliver-failed")) failed += line + "\n";
        for (const auto& part : c.failed) CHECK_MESSAGE(failed.find(part) != std::string::npos, failed);
        if (c.failed.empty()) CHECK(failed == "");
        REQUIRE(heard.bodies.size() == (c.notice ? 2 : 1));
        if (!c.notice) continue;
        CHECK(heard.bodies[1].find("\r\nAuto-Submitted: auto-generated\r\n") != std::string::npos);
        CHECK(heard.bodies[1].find(c.failed[1] + "greylag.test: " + c.failed[0].substr(5) + " 5.") != std::string::npos);
        CHECK(heard.bodies[1].find("\r\n    Subject: x\r\n") != std::string::npos);
    }
}

TEST_CASE("lmtp mailer: a server that is not there, says no, or talks nonsense costs the sender a wait and no mail") {
    const Receiver receiver;
    if (!receiver.built()) SKIP("smtpd is not built");
    const auto asked = [&](const std::string& mailer) {
        receiver.configure(mailer, "[mailer]\ntimeout = 2s\n");
        auto s = receiver.start();
        Receiver::begin(s);
        const std::string reply = s.wire.ask(to("one"));
        CHECK(ends(s));
        return reply;
    };
    CHECK(asked("lmtp:" + receiver.scratch.at("no.sock")).starts_with("451 4.3.0 "));
    CHECK(asked("lmtp:no-such-name.invalid:24").starts_with("451 4.3.0 "));
    for (const char* greeting : {"554 no service\r\n", "421 busy\r\n", "hello\r\n", "220-a\r\n221 b\r\n"}) {
        const FakeSmtp server({{Turn::say(greeting)}});
        CHECK_MESSAGE(asked(place(server)).starts_with("451 4.3.0 "), greeting);
    }
    const FakeSmtp silent({{Turn::say("").and_stall()}});
    CHECK(asked(place(silent)).starts_with("451 4.3.0 "));
    // The reply is one line whatever the server's words hold.
    const FakeSmtp rude({behind_mail({rcpt("one", "550-5.1.1 no\x1b[31m\r\n550 5.1.1 \x01" + std::string(2000, 'x'))})});
    const std::string reply = asked(place(rude));
    CHECK(reply.starts_with("550 5.1.1 the mailer says: no\\x1b[31m \\x01xxx"));
    CHECK(reply.size() <= 512);
    CHECK(reply.find("\r\n") == reply.size() - 2);
}

TEST_CASE("lmtp mailer: a server that left while the client paused is asked again before the body goes") {
    const Receiver receiver;
    if (!receiver.built()) SKIP("smtpd is not built");
    const FakeSmtp server({behind_mail({rcpt("one", "250 ok").and_close()}),
                           behind_mail({rcpt("one", "250 ok"), go(), Turn::body("250 2.0.0 kept\r\n"), Turn::on("QUIT", "")})});
    receiver.configure(place(server));
    auto s = receiver.start();
    Receiver::begin(s);
    CHECK(s.wire.ask(to("one")).starts_with("250 2.1.5 "));
    server.wait_for(0);
    CHECK(Receiver::send(s).starts_with("250 2.6.0 "));
    CHECK(ends(s));
    CHECK(server.wait_for(1).bodies.size() == 1);
    // A second transaction is a connection of its own.
}

TEST_CASE("lmtp mailer: a new transaction knows nothing of the last") {
    const Receiver receiver;
    if (!receiver.built()) SKIP("smtpd is not built");
    const FakeSmtp server({behind_mail({rcpt("one", "250 ok"), Turn::on("QUIT", "")}),
                           behind_mail({rcpt("two", "250 ok"), go(), Turn::body("250 2.0.0 kept\r\n"), Turn::on("QUIT", "")})});
    receiver.configure(place(server));
    auto s = receiver.start();
    Receiver::begin(s);
    CHECK(s.wire.ask(to("one")).starts_with("250 2.1.5 "));
    CHECK(s.wire.ask("RSET").starts_with("250 "));
    CHECK(s.wire.ask("MAIL FROM:<c@d.example>").starts_with("250 "));
    CHECK(s.wire.ask(to("two")).starts_with("250 2.1.5 "));
    CHECK(Receiver::send(s).starts_with("250 2.6.0 "));
    CHECK(ends(s));
    CHECK(server.wait_for(0).fault == "");
    CHECK(server.wait_for(1).fault == "");
}
