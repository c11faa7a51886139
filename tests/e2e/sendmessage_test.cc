// The real sendmessage: against the real smtpd, and against servers that are not kind (sendmessage(1)).
#include "base/ascii.hh"
#include "sys/file.hh"
#include "tests/e2e/site.hh"
#include "tests/support/certificates.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/must.hh"
#include "tests/support/spawn.hh"
#include "tests/support/terminal.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Sent {
    int status = 0;
    std::string out, err;
};

struct Submitter {
    Scratch dir;
    std::string program = program_path("sendmessage");

    Sent run(std::vector<std::string> words, std::string_view message) const {
        dir.write("message", message);
        const sys::Fd in = must(sys::open_read(dir.at("message")));
        sys::Command command;
        command.path = program;
        command.arguments = std::move(words);
        command.environment = {"PATH=/usr/bin:/bin", "TZ=UTC", "GREYLAG_CONF=/dev/null"};
        command.in = in.get();
        const auto said = must(sys::run(command, soon(), 1 << 20, 1 << 20));
        const bool exited = said.ending.how == sys::Ending::How::exited;
        return {exited ? said.ending.status : -said.ending.status, said.out, said.err};
    }
};

#define NEEDS_SENDMESSAGE(s) \
    if ((s).program.empty()) SKIP("sendmessage is not built")

std::string at_port(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }
bool contains(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

const std::string message = "From: a@x.example\nTo: b@y.example\nSubject: s\n\nhello\n";
const Turn hi = Turn::say("220 x ESMTP\r\n"), ehlo = Turn::on("EHLO ", "250 x\r\n"), mail = Turn::on("MAIL", "250 2.1.0 ok\r\n"),
           rcpt = Turn::on("RCPT", "250 2.1.5 ok\r\n"), data = Turn::on("DATA", "354 go\r\n"),
           body = Turn::body("250 2.0.0 kept\r\n"), quit = Turn::on("QUIT", "221 bye\r\n").and_close(),
           ehlo_tls = Turn::on("EHLO ", "250-x\r\n250 STARTTLS\r\n"),
           ehlo_auth = Turn::on("EHLO ", "250-x\r\n250 AUTH PLAIN\r\n");
const Script accepting{hi, ehlo, mail, rcpt, data, body, quit};

}  // namespace

TEST_CASE("sendmessage: through the real smtpd into a mailbox") {
    const Submitter s;
    NEEDS_SENDMESSAGE(s);
    Site site;
    if (!site.built()) SKIP("smtpd or send is not built");
    const auto port = site.free_port();
    const auto smtpd = started(site, site.smtpd, {"-l", "127.0.0.1:" + std::to_string(port)}, port);
    smtpd.connect();
    const Sent sent = s.run({"--servers", at_port(port), "--header", "To: you@greylag.test", "--header", "Subject: a note",
                             "--originator", "me@client.example", "--text"},
                            "From the body: this is no field.\n.\n");
    CHECK(sent.err == "");
    CHECK(sent.out == "");
    CHECK(sent.status == 0);
    const std::string got = site.take_message();
    CHECK(contains(got, "From: me@client.example\n"));
    CHECK(contains(got, "To: you@greylag.test\n"));
    CHECK(contains(got, "Subject: a note\n"));
    CHECK(contains(got, "Content-Type: text/plain; charset=us-ascii\n"));
    CHECK(got.ends_with("\n\nFrom the body: this is no field.\n.\n"));

    const Sent refused = s.run(
        {"--servers", at_port(port), "--recipients", "you@greylag.test, nobody@greylag.test", "--atleastone", "on"}, message);
    CHECK(refused.status == 0);
    CHECK(refused.out.starts_with("nobody@greylag.test 550 5.1.1 "));
    CHECK(site.take_message() != "");
    const Sent none = s.run({"--servers", at_port(port), "--recipients", "you@greylag.test, nobody@greylag.test"}, message);
    CHECK(none.status == 69);
    CHECK(none.out.starts_with("nobody@greylag.test 550 5.1.1 "));
    CHECK(none.err.starts_with("sendmessage: " + at_port(port) + ": 550 5.1.1 "));
}

TEST_CASE("sendmessage: options on the wire") {
    const Submitter s;
    NEEDS_SENDMESSAGE(s);
    const Turn ehlo_xque = Turn::on("EHLO there.example", "250-x\r\n250 XQUE\r\n");
    const FakeSmtp server(
        {{hi, ehlo_xque, Turn::on("QUED", "250 ok\r\n"), Turn::on("MAIL FROM:<o@x.example>", "250 ok\r\n"),
          Turn::on("RCPT TO:<r@y.example>", "250 ok\r\n"), Turn::on("RCPT TO:<q@y.example>", "250 ok\r\n"), data, body, quit},
         {hi, ehlo, Turn::on("MAIL FROM:<>", "250 ok\r\n"), rcpt, data, body, quit},
         {hi, ehlo_tls, mail, rcpt, data, body, quit}});
    const std::string at = std::to_string(server.port());
    const Sent all =
        s.run({"--servers=127.0.0.1", "--ports=" + at, "--client=there.example", "--queue=on", "--originator=O <o@x.example>",
               "--recipients=r@y.example,q@y.example", "--header=X-One: 1", "--header", "X-Two: 2", "--debug=on"},
              message);
    CHECK(all.status == 0);
    CHECK(all.err.starts_with("Trying 127.0.0.1 (127.0.0.1:" + at + ")\nS: 220 x ESMTP\nC: EHLO there.example\n"));
    CHECK(all.err.ends_with("S: 250 2.0.0 kept\nC: QUIT\nS: 221 bye\n"));
    const Heard heard = server.wait_for(0);
    CHECK(heard.fault == "");
    CHECK(contains(heard.bodies.at(0), "X-One: 1\r\nX-Two: 2\r\n"));
    CHECK(contains(heard.bodies.at(0), "Sender: O <o@x.example>\r\n"));
    CHECK(s.run({"--servers", at_port(server.port()), "--originator", ""}, message).status == 0);
    CHECK(s.run({"--servers", at_port(server.port()), "--usetls", "off"}, message).status == 0);
    CHECK(server.wait_for(2).fault == "");
}

TEST_CASE("sendmessage: the policy's word, and a command that is asked") {
    const Submitter s;
    NEEDS_SENDMESSAGE(s);
    const Turn refused = Turn::on("STARTTLS", "454 4.7.0 not now\r\n");
    const Script no{hi, ehlo_tls, refused, quit}, yes{hi, ehlo_tls, refused, mail, rcpt, data, body, quit};
    const FakeSmtp server({no, no, yes, yes, no});
    const auto send = [&](std::vector<std::string> more) {
        more.insert(more.end(), {"--servers", at_port(server.port())});
        return s.run(std::move(more), message);
    };
    const Sent first = send({});
    CHECK(first.status == 76);
    CHECK(first.err == "sendmessage: " + at_port(server.port()) + ": 454 4.7.0 not now\n");
    CHECK(send({"--tlspolicy", "secure"}).status == 76);
    CHECK(send({"--tlspolicy", "insecure"}).status == 0);
    s.dir.write("ask", "#!/bin/sh\necho \"$@\" >>" + s.dir.at("asked") + "\necho $1\n", 0700);
    CHECK(send({"--tlspolicy", s.dir.at("ask") + " insecure"}).status == 0);
    CHECK(send({"--tlspolicy", s.dir.at("ask") + " secure"}).status == 76);
    CHECK(s.dir.read("asked").value_or("") == "insecure 454 not now\nsecure 454 not now\n");
    CHECK(!contains(server.wait_for(4).bytes, "MAIL"));
}

TEST_CASE("sendmessage: TLS, --ca and --tlsimport") {
    const Submitter s;
    NEEDS_SENDMESSAGE(s);
    const Authority authority;
    s.dir.write("ca.pem", authority.pem());
    const std::string good = authority.issue({.names = "IP:127.0.0.1"});
    const FakeSmtp server(
        {{hi, ehlo_tls, Turn::on("STARTTLS", "220 go\r\n"), Turn::tls(good), ehlo, mail, rcpt, data, body, quit},
         {Turn::tls(good), hi, ehlo, mail, rcpt, data, body, quit},
         {hi, ehlo_tls, Turn::on("STARTTLS", "220 go\r\n"), Turn::tls(good)}});
    CHECK(s.run({"--servers", at_port(server.port()), "--ca", s.dir.at("ca.pem")}, message).status == 0);
    CHECK(s.run({"--servers", at_port(server.port()), "--ca", s.dir.at("ca.pem"), "--tlsimport", "on"}, message).status == 0);
    const Sent strange = s.run({"--servers", at_port(server.port())}, message);
    CHECK(strange.status == 76);
    CHECK(contains(strange.err, "TLS"));
    CHECK(s.run({"--servers", at_port(server.port()), "--ca", s.dir.at("nothing")}, message).status == 78);
}

TEST_CASE("sendmessage: a password from a file of one's own") {
    const Submitter s;
    NEEDS_SENDMESSAGE(s);
    const FakeSmtp server({{hi, ehlo_auth, Turn::on("AUTH PLAIN AGpvZQBzZWNyZXQ=", "235 ok\r\n"), mail, rcpt, data, body, quit},
                           {hi, ehlo_auth, Turn::on("AUTH PLAIN", "535 5.7.8 no\r\n"), quit},
                           {hi, ehlo_auth, quit}});
    const auto send = [&](std::vector<std::string> more) {
        more.insert(more.end(),
                    {"--servers", at_port(server.port()), "--username", "joe", "--password-file", s.dir.at("password")});
        return s.run(std::move(more), message);
    };
    s.dir.write("password", "secret\nnotes\n", 0600);
    CHECK(send({"--usetls", "off"}).status == 0);
    const Sent wrong = send({"--usetls", "off"});
    CHECK(wrong.status == 77);
    CHECK(wrong.err == "sendmessage: " + at_port(server.port()) + ": 535 5.7.8 no\n");
    CHECK(!contains(server.wait_for(1).bytes, "MAIL"));
    // Without TLS no password is shown, and without AUTH nothing is sent.
    CHECK(send({}).status == 77);
    CHECK(server.wait_for(2).fault == "");
    s.dir.write("password", "secret\n", 0644);
    CHECK(send({"--usetls", "off"}).status == 78);
    s.dir.write("password", "\n", 0600);
    CHECK(send({"--usetls", "off"}).status == 78);
    CHECK(server.heard().size() == 3);
}

TEST_CASE("sendmessage: the password is asked for on the terminal, and not shown") {
    const Submitter s;
    NEEDS_SENDMESSAGE(s);
    const FakeSmtp server({{hi, ehlo_auth, Turn::on("AUTH PLAIN AGpvZQBzZWNyZXQ=", "235 ok\r\n"), mail, rcpt, data, body, quit}});
    s.dir.write("message", message);
    const std::vector<std::string> words{"-C",         "/dev/null", "--servers", at_port(server.port()),
                                         "--username", "joe",       "--usetls",  "off"};
    // The message comes from standard input: who asks must not read there.
    const auto run = [&](const std::string& typed) {
        const sys::Fd in = must(sys::open_read(s.dir.at("message")));
        OnTerminal person(s.program, words, in.get());
        CHECK(person.shows("Password of joe: "));
        person.type(typed);
        const int status = person.end();
        CHECK(person.shown.find("secret") == std::string::npos);
        return status;
    };
    CHECK(run("secret") == 0);
    CHECK(server.wait_for(0).fault == "");
    CHECK(contains(server.wait_for(0).bodies.at(0), "\r\n\r\nhello\r\n"));
    CHECK(run("secret\x03") == 78);  // given up: nothing was dialled
    CHECK(server.heard().size() == 1);
}

TEST_CASE("sendmessage: exit statuses, and --json for scripts") {
    const Submitter s;
    NEEDS_SENDMESSAGE(s);
    const std::uint16_t closed = must(listen_at("127.0.0.1")).port;
    const FakeSmtp server({accepting,
                           {hi, ehlo, mail, Turn::on("RCPT", "450 4.7.1 wait\r\n"), quit},
                           {Turn::say("hello\r\n")},
                           {hi, ehlo, mail, rcpt, data, Turn::body("").and_stall()}});
    const std::string at = at_port(server.port());
    const Sent sent = s.run({"--json", "--servers", at_port(closed) + "," + at}, message);
    CHECK(sent.status == 0);
    CHECK(sent.out ==
          "{\"recipient\":\"b@y.example\",\"status\":\"accepted\",\"code\":250,\"enhanced\":\"2.0.0\",\"text\":\"kept\"}\n"
          "{\"result\":\"sent\",\"exit\":0,\"server\":\"" +
              at + "\",\"code\":250,\"enhanced\":\"2.0.0\",\"text\":\"kept\"}\n");
    CHECK(s.run({"--servers", at}, message).status == 75);
    CHECK(s.run({"--servers", at}, message).status == 76);
    const Sent late = s.run({"--servers", at, "--maxsecs", "50ms"}, message);
    CHECK(late.status == 75);
    CHECK(contains(late.err, "its answer to the message did not come within 50 ms"));
    CHECK(s.run({"--servers", at_port(closed)}, message).status == 75);
    CHECK(s.run({"--servers", "nobody.invalid", "--timeout", "1"}, message).status >= 68);
    CHECK(s.run({"--servers", at}, "Subject: x\n\n").status == 64);
    CHECK(s.run({"--header", "Content-Type: x"}, message).status == 64);
    CHECK(s.run({"--nothing"}, message).status == 64);
    CHECK(s.run({"-C", s.dir.at("none")}, message).status == 78);
}
