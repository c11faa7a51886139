// The public library's Connection, step by step, against a server in raw octets (RFC 5321).
#include "client/smtp_client.hh"

#include <sys/socket.h>

#include <array>

#include "client/destination.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/stream.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
namespace sc = greylag::smtp_client;
using FailureKind = sc::Failure::Kind;

namespace {

sc::Endpoint end_at(std::uint16_t port, std::string host = "127.0.0.1") { return {std::move(host), std::to_string(port), {}}; }

// What was shown, a line a line: "C: " and "S: ".
struct Shown {
    std::string lines;
    sc::DialOptions options() {
        sc::DialOptions dial;
        dial.timeout_ms = 20'000;
        dial.trace = [this](bool ours, std::string_view line) { lines += (ours ? "C: " : "S: ") + std::string(line) + "\n"; };
        return dial;
    }
};

Stream accepted(const Listening& door) { return Stream(sys::Fd(::accept(door.fd.get(), nullptr, nullptr))); }

}  // namespace

TEST_CASE("smtp_client: a whole dialogue, and how it is shown") {
    const FakeSmtp server({FakeSmtp::accepting({"PIPELINING", "SIZE 1000", "auth plain LOGIN", "AUTH=CRAM-MD5 PLAIN"})});
    Shown shown;
    auto c = must(sc::Connection::open(end_at(server.port()), shown.options()));
    CHECK(must(c.read_reply()).code == 220);
    const auto hello = must(c.hello("me.example"));
    CHECK(hello.reply.code == 250);
    REQUIRE(hello.find("size") != nullptr);
    CHECK(*hello.find("SIZE") == "1000");
    CHECK(hello.find("STARTTLS") == nullptr);
    CHECK(hello.mechanisms == std::vector<std::string>{"PLAIN", "LOGIN", "CRAM-MD5"});
    CHECK(must(c.command("MAIL FROM:<a@b.example>")).enhanced == "2.1.0");
    CHECK(must(c.command("RCPT TO:<d@e.example>")).ok());
    CHECK(must(c.command("DATA")).code == 354);
    must(c.write_message("Subject: x\n\n.dot\nbare\r"));
    must(c.write_message("\nend"));
    CHECK(must(c.end_message()).text() == "kept");
    CHECK(must(c.command("QUIT")).code == 221);
    const Heard heard = server.wait_for(0);
    CHECK(heard.fault == "");
    REQUIRE(heard.bodies.size() == 1);
    CHECK(heard.bodies[0] == "Subject: x\r\n\r\n..dot\r\nbare\r\nend\r\n.\r\n");
    CHECK(shown.lines.starts_with("S: 220 fake.example ESMTP\nC: EHLO me.example\nS: 250-fake.example\n"));
    CHECK(shown.lines.find("C: DATA\nS: 354 go on\nC: [26 octets of message]\nS: 250 2.0.0 kept\n") != std::string::npos);
    CHECK(c.remote() == "127.0.0.1:" + std::to_string(server.port()));
    CHECK(c.local().starts_with("127.0.0.1:"));
}

TEST_CASE("smtp_client: HELO where EHLO is not known; a server that wants neither; LHLO") {
    const FakeSmtp server({{Turn::say("220 x\r\n"), Turn::on("EHLO", "502 what\r\n"), Turn::on("HELO me", "250 x\r\n")},
                           {Turn::say("220 x\r\n"), Turn::on("EHLO", "421 4.3.2 busy\r\n")},
                           {Turn::say("220 x\r\n"), Turn::on("EHLO", "554 5.0.0 no\r\n"), Turn::on("HELO", "554 5.0.0 no\r\n")},
                           {Turn::say("220 x\r\n"), Turn::on("LHLO me", "250-x\r\n250 8BITMIME\r\n")}});
    const auto greeted = [&] {
        auto c = must(sc::Connection::open(end_at(server.port()), {}));
        must(c.read_reply());
        return c;
    };
    auto old = greeted();
    const auto hello = must(old.hello("me"));
    CHECK(hello.reply.code == 250);
    CHECK(hello.extensions.empty());
    auto busy = greeted();
    const auto later = busy.hello("me");
    REQUIRE(!later);
    CHECK(later.error().kind == FailureKind::later);
    CHECK(later.error().code == 421);
    CHECK(later.error().enhanced == "4.3.2");
    CHECK(later.error().text == "busy");
    auto rude = greeted();
    const auto never = rude.hello("me");
    REQUIRE(!never);
    CHECK(never.error().kind == FailureKind::refused);
    auto local = greeted();
    CHECK(must(local.hello("me", true)).find("8bitmime") != nullptr);
}

TEST_CASE("smtp_client: nothing that is not one line becomes a command") {
    const FakeSmtp server({{Turn::say("220 x\r\n"), Turn::on("QUIT", "221 x\r\n")}});
    auto c = must(sc::Connection::open(end_at(server.port()), {}));
    must(c.read_reply());
    for (const std::string_view line : {std::string_view("MAIL FROM:<a@b>\r\nRCPT TO:<evil@x>"), std::string_view("NOOP\n"),
                                        std::string_view("NOOP\r"), std::string_view("NO\0OP", 5)}) {
        const auto refused = c.command(line);
        REQUIRE(!refused);
        CHECK(refused.error().kind == FailureKind::usage);
    }
    CHECK(must(c.command("QUIT")).code == 221);
    c.close();
    CHECK(server.wait_for(0).bytes == "QUIT\r\n");
}

TEST_CASE("smtp_client: what the server says before it goes is heard; silence and nonsense are told apart") {
    const FakeSmtp server({{Turn::say("220 x\r\n"), Turn::on("MAIL", "421 4.3.0 going down\r\n").and_close()},
                           {Turn::say("220 x\r\n"), Turn::on("MAIL", "").and_close()},
                           {Turn::say("220 x\r\n"), Turn::on("MAIL", "").and_stall()},
                           {Turn::say("HTTP/1.1 400 no\r\n")}});
    sc::DialOptions quick;
    quick.timeout_ms = 50;
    auto a = must(sc::Connection::open(end_at(server.port()), {}));
    must(a.read_reply());
    CHECK(must(a.command("MAIL FROM:<>")).code == 421);
    const auto after = a.command("RSET");
    REQUIRE(!after);
    CHECK(after.error().kind == FailureKind::later);

    auto b = must(sc::Connection::open(end_at(server.port()), {}));
    must(b.read_reply());
    const auto closed = b.command("MAIL FROM:<>");
    REQUIRE(!closed);
    CHECK(closed.error().text == b.remote() + ": the server closed the connection before its answer to MAIL");

    auto s = must(sc::Connection::open(end_at(server.port()), {}));
    must(s.read_reply());
    s.timeout(50);
    const auto late = s.command("MAIL FROM:<>");
    REQUIRE(!late);
    CHECK(late.error().kind == FailureKind::later);
    CHECK(late.error().text == s.remote() + ": its answer to MAIL did not come within 50 ms");

    auto d = must(sc::Connection::open(end_at(server.port()), {}));
    const auto nonsense = d.read_reply();
    REQUIRE(!nonsense);
    CHECK(nonsense.error().kind == FailureKind::protocol);
    CHECK(nonsense.error().text.find("HTTP/1.1 400 no") != std::string::npos);
}

TEST_CASE("smtp_client: octets as they are, and the end of what we send") {
    const Listening door = must(listen_at("127.0.0.1"));
    auto c = must(sc::Connection::open(end_at(door.port), {}));
    CHECK(c.descriptor() >= 0);
    CHECK(!c.pending());
    CHECK(!c.secure());
    Stream peer = accepted(door);
    must(peer.send("220 one\r\n220 two\r\nraw"));
    CHECK(must(c.read_reply()).text() == "one");
    CHECK(c.pending());
    std::array<char, 4> room;
    CHECK(std::string(room.data(), must(c.read_some(room))) == "220 ");
    std::array<char, 64> rest;
    std::string read;
    while (read.size() < 8) read += std::string(rest.data(), must(c.read_some(rest)));
    CHECK(read == "two\r\nraw");
    CHECK(!c.pending());
    must(c.write("ab\ncd"));
    must(c.half_close());
    CHECK(must(peer.read_to_end()) == "ab\ncd");
    must(peer.send("late"));
    peer.close();
    CHECK(must(c.read_some(rest)) == 4);
    CHECK(must(c.read_some(rest)) == 0);
    c.close();
    CHECK(c.descriptor() == -1);
    CHECK(!c.command("NOOP"));
}

TEST_CASE("smtp_client: a connection that was closed is no connection") {
    const FakeSmtp server({{Turn::say("220 x\r\n")}});
    auto c = must(sc::Connection::open(end_at(server.port()), {}));
    must(c.read_reply());
    c.close();
    c.close();
    CHECK_FALSE(c.command("NOOP"));
    CHECK_FALSE(c.half_close());
    CHECK_FALSE(c.start_tls({}));
    CHECK_FALSE(c.secure());
    CHECK_FALSE(c.pending());
    CHECK(c.readable(0));
    std::array<char, 8> room{};
    CHECK(must(c.read_some(room)) == 0);
}

TEST_CASE("smtp_client: passwords in AUTH are not shown") {
    const FakeSmtp server({{Turn::say("220 x\r\n"), Turn::on("AUTH", "535 no\r\n")}});
    Shown shown;
    auto c = must(sc::Connection::open(end_at(server.port()), shown.options()));
    must(c.read_reply());
    must(c.command("auth PLAIN AGJvYgBzZWNyZXQ="));
    CHECK(shown.lines == "S: 220 x\nC: auth PLAIN ***\nS: 535 no\n");
    c.close();
    CHECK(server.wait_for(0).bytes == "auth PLAIN AGJvYgBzZWNyZXQ=\r\n");
}

TEST_CASE("smtp_client: a UNIX socket") {
    const Scratch dir;
    const FakeSmtp server({{Turn::say("220 here\r\n")}}, FakeSmtp::UnixSocket{dir.at("door")});
    sc::Endpoint to;
    to.path = dir.at("door");
    auto c = must(sc::Connection::open(to, {}));
    CHECK(must(c.read_reply()).text() == "here");
    CHECK(c.remote() == dir.at("door"));
    to.path = dir.at("nothing");
    const auto nobody = sc::Connection::open(to, {});
    REQUIRE(!nobody);
    CHECK(nobody.error().kind == FailureKind::later);
}

TEST_CASE("smtp_client: addresses one after the other, and who is told") {
    DnsResponder dns;
    dns.address("two.example", "127.0.0.3");
    dns.address("two.example", "127.0.0.1");
    dns.address("six.example", "::1");
    const FakeSmtp server({{Turn::say("220 x\r\n")}});
    std::string told;
    sc::DialOptions dial;
    dial.nameservers = {dns.text()};
    dial.trying = [&](std::string_view name, std::string_view address, std::string_view failure) {
        told += std::string(name) + " " + std::string(address.substr(0, address.find(':'))) + " " + std::string(failure) + "\n";
    };
    auto c = sc::Connection::open(end_at(server.port(), "two.example"), dial);
    REQUIRE(c);
    CHECK(c->remote() == "127.0.0.1:" + std::to_string(server.port()));
    CHECK(told == "two.example 127.0.0.3 \ntwo.example 127.0.0.3 Connection refused\ntwo.example 127.0.0.1 \n");

    dns.address("xn--bcher-kva.example", "127.0.0.1");
    CHECK(sc::Connection::open(end_at(server.port(), "bücher.example"), dial));

    dial.family = sc::Family::v4;
    const auto six = sc::Connection::open(end_at(server.port(), "six.example"), dial);
    REQUIRE(!six);
    CHECK(six.error().kind == FailureKind::no_host);
    CHECK(six.error().text == "the host six.example has no address of the family asked for");
    dial.family = sc::Family::any;
    const auto unknown = sc::Connection::open(end_at(server.port(), "nobody.example"), dial);
    REQUIRE(!unknown);
    CHECK(unknown.error().kind == FailureKind::no_host);
    CHECK(unknown.error().text == "the host nobody.example has no address");
    dns.fault("busy.example", DnsFault::servfail);
    const auto busy = sc::Connection::open(end_at(server.port(), "busy.example"), dial);
    REQUIRE(!busy);
    CHECK(busy.error().kind == FailureKind::later);
}

TEST_CASE("smtp_client: our own address is chosen, localhost is never asked of DNS, [address] is one") {
    const FakeSmtp server({{Turn::say("220 x\r\n")}});
    sc::DialOptions dial;
    dial.source = "127.0.0.9";
    auto c = sc::Connection::open(end_at(server.port(), "localhost"), dial);
    REQUIRE(c);
    CHECK(c->local().starts_with("127.0.0.9:"));
    CHECK(sc::Connection::open(end_at(server.port(), "[127.0.0.1]"), {}));
    dial.source = "192.0.2.1";
    CHECK(!sc::Connection::open(end_at(server.port()), dial));
    dial.source = "here";
    const auto wrong = sc::Connection::open(end_at(server.port()), dial);
    REQUIRE(!wrong);
    CHECK(wrong.error().kind == FailureKind::usage);
}

TEST_CASE("smtp_client: what is no endpoint is the caller's mistake") {
    for (const sc::Endpoint& to :
         {sc::Endpoint{"127.0.0.1", "0", {}}, sc::Endpoint{"127.0.0.1", "no such service", {}},
          sc::Endpoint{"127.0.0.1", "70000", {}}, sc::Endpoint{"", "25", {}}, sc::Endpoint{"x", "25", std::string(200, 'x')}}) {
        const auto c = sc::Connection::open(to, {});
        REQUIRE(!c);
        CHECK(c.error().kind == FailureKind::usage);
    }
    sc::DialOptions dial;
    dial.nameservers = {"nonsense"};
    const auto c = sc::Connection::open({"mx.example", "25", {}}, dial);
    REQUIRE(!c);
    CHECK(c.error().kind == FailureKind::usage);
}

TEST_CASE("client: services by the text of /etc/services") {
    constexpr std::string_view table =
        "# services\nsmtp\t25/tcp\tmail\npop3 110/tcp pop-3 # comment nntp\ndomain 53/udp\r\nimap2 143/tcp imap\r\n";
    CHECK(client::find_service("mail", table) == 25);
    CHECK(client::find_service("pop-3", table) == 110);
    CHECK(client::find_service("imap", table) == 143);
    CHECK(!client::find_service("domain", table));
    CHECK(!client::find_service("nntp", table));
    CHECK(!client::find_service("110/tcp", table));
    CHECK(client::service_port("submission") == 587);
}

TEST_CASE("smtp_client: exit statuses") {
    using enum FailureKind;
    CHECK(sc::exit_status(usage) == 64);
    CHECK(sc::exit_status(no_host) == 68);
    CHECK(sc::exit_status(refused) == 69);
    CHECK(sc::exit_status(later) == 75);
    CHECK(sc::exit_status(protocol) == 76);
    CHECK(sc::exit_status(tls) == 76);
    CHECK(sc::exit_status(authentication) == 77);
    CHECK(sc::exit_status(configuration) == 78);
}
