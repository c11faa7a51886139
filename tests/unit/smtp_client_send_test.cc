// send_message against servers in raw octets: fail-over, TLS and its policy, AUTH, recipients, blind copies. What
// ::smtp::sendmessage gets wrong has tests of that name.
#include "base/ascii.hh"
#include "base/base64.hh"
#include "client/smtp_client.hh"
#include "tests/support/certificates.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/scratch.hh"
#include "tests/support/stream.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
namespace sc = greylag::smtp_client;
using FailureKind = sc::Failure::Kind;

namespace {

const std::string message =
    "From: a@x.example\nTo: b@y.example\nSubject: s\nDate: Sun, 22 Nov 2026 00:44:04 +0100\nMessage-ID: <1@x>\n\n.hello\n";

const Turn hi = Turn::say("220 x ESMTP\r\n"), ehlo = Turn::on("EHLO ", "250 x\r\n"), mail = Turn::on("MAIL", "250 2.1.0 ok\r\n"),
           rcpt = Turn::on("RCPT", "250 2.1.5 ok\r\n"), data = Turn::on("DATA", "354 go\r\n"),
           body = Turn::body("250 2.0.0 kept\r\n"), quit = Turn::on("QUIT", "221 bye\r\n").and_close(),
           starttls = Turn::on("STARTTLS", "220 go\r\n");

Turn ehlo_with(const std::string& keywords) {
    std::string reply = "250-x\r\n";
    const auto words = base::split(keywords, ',');
    for (const auto word : words) reply += "250-" + std::string(word) + "\r\n";
    return Turn::on("EHLO ", reply + "250 HELP\r\n");
}
const Script accepting{hi, ehlo, mail, rcpt, data, body, quit};

sc::Options to_port(std::uint16_t port) {
    sc::Options options;
    options.servers = {{"127.0.0.1", port}};
    options.client = "me.example";
    options.dial.timeout_ms = 20'000;
    return options;
}
sc::Options to_ports(const std::vector<std::uint16_t>& ports) {
    sc::Options options = to_port(ports.front());
    options.servers.clear();
    for (const auto port : ports) options.servers.push_back({"127.0.0.1", port});
    return options;
}
sc::Options with_user(sc::Options options) {
    options.credentials.user = "joe";
    options.credentials.password = "secret";
    return options;
}

// "sent CODE TEXT", or "KIND CODE TEXT"; what was refused behind it, in braces.
std::string outcome(const std::expected<sc::Report, sc::SendFailure>& result) {
    constexpr const char* kinds[] = {"usage",    "no_host", "refused",        "later",
                                     "protocol", "tls",     "authentication", "configuration"};
    std::string out = result ? "sent " + std::to_string(result->reply.code) + " " + result->reply.text()
                             : std::string(kinds[static_cast<int>(result.error().kind)]) + " " +
                                   std::to_string(result.error().code) + " " + result.error().text;
    for (const auto& r : result ? result->refused : result.error().refused)
        out += " {" + r.address + " " + std::to_string(r.code) + " " + r.text + "}";
    return out;
}
std::string sent(const sc::Options& options, const std::string& text = message) {
    return outcome(sc::send_message(options, text));
}

struct House {
    Scratch dir;
    Authority authority;
    std::string good = authority.issue({.common_name = "mx", .names = "IP:127.0.0.1"});
    std::string bad = self_signed({.common_name = "mx"});
    House() { dir.write("ca.pem", authority.pem()); }
    sc::Options to(std::uint16_t port) const {
        sc::Options options = to_port(port);
        options.tls_options.authorities = dir.at("ca.pem");
        return options;
    }
};

std::string clear_part(const Heard& heard) { return heard.bytes.substr(0, heard.bytes.find("[TLS]")); }
bool contains(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("send_message: a plain server") {
    const FakeSmtp server({accepting});
    const auto result = sc::send_message(to_port(server.port()), message);
    CHECK(outcome(result) == "sent 250 kept");
    REQUIRE(result);
    CHECK(result->server.port == server.port());
    CHECK(result->accepted == std::vector<std::string>{"b@y.example"});
    CHECK(result->notes.empty());
    const Heard heard = server.wait_for(0);
    CHECK(heard.fault == "");
    CHECK(heard.bytes.starts_with("EHLO me.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n"));
    CHECK(heard.bodies.at(0).ends_with("\r\n\r\n..hello\r\n.\r\n"));
}

TEST_CASE("send_message: SIZE, 8BITMIME, SMTPUTF8 and PIPELINING where they are offered") {
    const FakeSmtp server({{hi, ehlo_with("PIPELINING,SIZE 10000,8BITMIME,SMTPUTF8"), mail, rcpt, rcpt, data, body, quit},
                           {hi, ehlo_with("SIZE 10"), quit},
                           {hi, ehlo, quit},
                           {hi, ehlo, mail, rcpt, data, body, quit}});
    auto options = to_port(server.port());
    options.recipients = "b@y.example, \xc3\xbc@y.example";
    CHECK(sent(options, message + "\xc3\xbc\n") == "sent 250 kept");
    CHECK(contains(server.wait_for(0).bytes,
                   " BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<b@y.example>\r\nRCPT TO:<\xc3\xbc@y.example>\r\nDATA\r\n"));
    CHECK(contains(server.wait_for(0).bytes, " SIZE="));
    options.recipients.clear();
    CHECK(sent(options).starts_with("refused 552 the message has "));
    options.recipients = "\xc3\xbc@y.example";
    CHECK(sent(options) == "refused 553 an address needs SMTPUTF8, which this server does not offer");
    options.recipients.clear();
    CHECK(sent(options, message + std::string(1500, 'x') + "\n") == "sent 250 kept");
    const std::string folded = server.wait_for(3).bytes;
    for (const auto line : base::split(folded, '\n')) CHECK(line.size() <= 999);
}

TEST_CASE("send_message: servers in turn") {
    const FakeSmtp good({accepting}), busy({{Turn::say("421 4.3.2 busy\r\n").and_close()}}),
        rude({{Turn::say("554 no\r\n"), quit}}),
        deaf({{hi, Turn::on("EHLO", "550 no\r\n"), Turn::on("HELO", "550 no\r\n"), quit}}),
        slow({{hi, ehlo, Turn::on("MAIL", "451 4.7.1 wait\r\n"), quit}}),
        grey({{hi, ehlo, mail, Turn::on("RCPT", "450 4.7.1 greylisted\r\n"), quit}}),
        full({{hi, ehlo, mail, rcpt, Turn::on("DATA", "452 full\r\n"), quit}}),
        late({{hi, ehlo, mail, rcpt, data, Turn::body("451 4.3.0 later\r\n"), quit}}),
        never({{hi, ehlo, Turn::on("MAIL", "550 5.7.1 not you\r\n"), quit}}),
        lost({{hi, ehlo, mail, rcpt, data, Turn::body("").and_close()}}),
        broken({{hi, ehlo, mail, Turn::on("RCPT", "").and_close()}}), nonsense({{Turn::say("hello\r\n")}});
    const std::uint16_t closed = must(listen_at("127.0.0.1")).port;
    for (const std::uint16_t first : {closed, busy.port(), rude.port(), deaf.port(), slow.port(), grey.port(), full.port(),
                                      late.port(), broken.port(), nonsense.port()}) {
        INFO(first);
        const auto result = sc::send_message(to_ports({first, good.port()}), message);
        CHECK(outcome(result) == "sent 250 kept");
        if (result) CHECK(result->server.port == good.port());
    }
    // A refusal is an answer, and what was lost behind the dot may be there.
    CHECK(sent(to_ports({never.port(), good.port()})) == "refused 550 not you");
    CHECK(contains(sent(to_ports({lost.port(), good.port()})), "later 0 127.0.0.1:"));
    CHECK(good.heard().size() == 10);
    // "Later" anywhere is later.
    CHECK(sent(to_ports({slow.port(), rude.port()})) == "later 451 wait");
    CHECK(sent(to_ports({rude.port(), slow.port()})) == "later 451 wait");
    CHECK(sent(to_ports({rude.port()})) == "refused 554 no");
    CHECK(sent(to_ports({nonsense.port()})).starts_with("protocol 0 "));
}

TEST_CASE("send_message: a server that is silent costs its time and no more") {
    const FakeSmtp mute({{hi, ehlo, Turn::on("MAIL", "").and_stall()}}),
        hesitant({{hi, ehlo, mail, rcpt, data, Turn::body("").and_stall()}}), good({accepting});
    auto options = to_ports({mute.port(), good.port()});
    options.dial.timeout_ms = 100;
    CHECK(sent(options) == "sent 250 kept");
    auto waiting = to_port(hesitant.port());
    waiting.final_timeout_ms = 50;
    CHECK(sent(waiting) ==
          "later 0 127.0.0.1:" + std::to_string(hesitant.port()) + ": its answer to the message did not come within 50 ms");
}

TEST_CASE("send_message: a refused recipient, with and without at_least_one") {
    const Turn no = Turn::on("RCPT TO:<bad", "550 5.1.1 no such user\r\n");
    const FakeSmtp server({{hi, ehlo, mail, rcpt, no, quit},
                           {hi, ehlo, mail, rcpt, no, data, body, quit},
                           {hi, ehlo, mail, no, quit},
                           {hi, ehlo_with("PIPELINING"), mail, no, rcpt, data, body, quit}});
    auto options = to_port(server.port());
    options.recipients = "ok@y.example, bad@z.example";
    CHECK(sent(options) == "refused 550 no such user {bad@z.example 550 no such user}");
    CHECK(!contains(server.wait_for(0).bytes, "DATA"));
    options.at_least_one = true;
    const auto some = sc::send_message(options, message);
    CHECK(outcome(some) == "sent 250 kept {bad@z.example 550 no such user}");
    CHECK(some->refused.at(0).enhanced == "5.1.1");
    CHECK(some->accepted == std::vector<std::string>{"ok@y.example"});
    options.recipients = "bad@z.example";
    CHECK(sent(options) == "refused 550 no such user {bad@z.example 550 no such user}");
    options.recipients = "bad@z.example, ok@y.example";
    CHECK(sent(options) == "sent 250 kept {bad@z.example 550 no such user}");
    CHECK(server.wait_for(3).fault == "");
}

TEST_CASE("send_message: many recipients under PIPELINING never fill both ends") {
    std::string list;
    Script script{hi, ehlo_with("PIPELINING"), mail};
    for (int i = 0; i < 1000; ++i) {
        list += (i ? ", " : "") + std::string("user") + std::to_string(i) + "@y.example";
        script.push_back(i % 3 == 0 ? Turn::on("RCPT", "550 " + std::string(400, 'x') + "\r\n") : rcpt);
    }
    script.insert(script.end(), {data, body, quit});
    const FakeSmtp server({script});
    auto options = to_port(server.port());
    options.recipients = list;
    options.at_least_one = true;
    const auto result = sc::send_message(options, message);
    REQUIRE(result);
    CHECK(result->refused.size() == 334);
    CHECK(result->accepted.size() == 666);
}

TEST_CASE("send_message: a blind copy is a second transaction on the same session") {
    const FakeSmtp server(
        {{hi, ehlo, mail, rcpt, data, body, mail, rcpt, data, body, quit},
         {hi, ehlo, mail, rcpt, data, body, mail, Turn::on("RCPT", "550 5.1.1 who\r\n"), rcpt, data, body, quit},
         {hi, ehlo, mail, rcpt, data, body, Turn::on("MAIL", "452 enough\r\n"), quit},
         {hi, ehlo, mail, rcpt, data, Turn::body("550 no\r\n"), quit}});
    auto options = to_port(server.port());
    options.headers = {{"Bcc", "hidden@z.example"}};
    CHECK(sent(options) == "sent 250 kept");
    const Heard heard = server.wait_for(0);
    CHECK(heard.fault == "");
    REQUIRE(heard.bodies.size() == 2);
    CHECK(!contains(heard.bodies[0], "hidden"));
    CHECK(!contains(heard.bodies[1], "hidden"));
    CHECK(contains(heard.bodies[1], "Subject: [Bcc] s\r\n"));
    CHECK(contains(heard.bodies[1], "Content-Type: multipart/digest; boundary=\"=_"));
    CHECK(contains(heard.bytes, "RCPT TO:<hidden@z.example>"));
    options.headers = {{"Bcc", "gone@z.example, hidden@z.example"}};
    CHECK(sent(options) == "sent 250 kept {gone@z.example 550 who}");
    CHECK(sent(options) == "sent 250 kept {gone@z.example 452 enough} {hidden@z.example 452 enough}");
    CHECK(sent(options) == "refused 550 no");
    CHECK(server.wait_for(3).bodies.size() == 1);
}

TEST_CASE("send_message: XQUE where it is offered, and a note where not") {
    const Turn qued = Turn::on("QUED", "250 queued mode\r\n");
    const FakeSmtp server({{hi, ehlo_with("XQUE"), qued, mail, rcpt, data, body, quit},
                           accepting,
                           {hi, ehlo_with("XQUE"), mail, rcpt, data, body, quit},
                           {hi, ehlo_with("XQUE"), Turn::on("QUED", "502 no\r\n"), mail, rcpt, data, body, quit}});
    auto options = to_port(server.port());
    options.queue = true;
    CHECK(sc::send_message(options, message)->notes.empty());
    CHECK(sc::send_message(options, message)->notes.at(0) == "the server offers no XQUE: it was not asked to queue the message");
    options.queue = false;
    CHECK(sent(options) == "sent 250 kept");
    options.queue = true;
    CHECK(sc::send_message(options, message)->notes.at(0) == "the server does not want to queue the message: no");
}

TEST_CASE("send_message: the name it gives") {
    const FakeSmtp server({accepting});
    auto options = to_port(server.port());
    options.client.clear();
    options.servers.push_back({"localhost", 1});
    CHECK(sent(options) == "sent 250 kept");
    CHECK(server.wait_for(0).bytes.starts_with("EHLO localhost\r\n"));
    options.servers.pop_back();
    CHECK(sent(options) == "sent 250 kept");
    CHECK(!server.wait_for(1).bytes.starts_with("EHLO localhost\r\n"));
    for (const char* name : {"two words", "a\r\nMAIL FROM:<x>", "[nonsense]", "-x"}) {
        options.client = name;
        CHECK(sent(options) == "usage 0 the client's name is neither a domain nor an address in brackets");
    }
    options.client = "[192.0.2.1]";
    CHECK(sent(options) == "sent 250 kept");
    options.servers.clear();
    CHECK(sent(options) == "usage 0 no server");
}

TEST_CASE("send_message: STARTTLS where it is offered, TLS from the first octet, neither") {
    const House house;
    const FakeSmtp server({{hi, ehlo_with("STARTTLS"), starttls, Turn::tls(house.good), ehlo, mail, rcpt, data, body, quit},
                           {Turn::tls(house.good), hi, ehlo, mail, rcpt, data, body, quit},
                           {hi, ehlo_with("STARTTLS"), mail, rcpt, data, body, quit},
                           {hi, ehlo_with("TLS"), mail, rcpt, data, body, quit},
                           {hi, ehlo, quit}});
    auto options = house.to(server.port());
    CHECK(sent(options) == "sent 250 kept");
    CHECK(clear_part(server.wait_for(0)) == "EHLO me.example\r\nSTARTTLS\r\n");
    options.tls = sc::Options::Tls::implicit;
    CHECK(sent(options) == "sent 250 kept");
    CHECK(clear_part(server.wait_for(1)) == "");
    options.tls = sc::Options::Tls::off;
    CHECK(sent(options) == "sent 250 kept");
    options.tls = sc::Options::Tls::offered;
    CHECK(sent(options) == "sent 250 kept");
    options.tls = sc::Options::Tls::required;
    CHECK(sent(options) == "tls 0 the server offers no STARTTLS");
    CHECK(!contains(server.wait_for(4).bytes, "MAIL"));
}

TEST_CASE("send_message: the methods of AUTH in turn, then the message") {
    const std::string challenge = "334 " + base::base64_encode("<1.2@x>") + "\r\n";
    const FakeSmtp server({{hi, ehlo_with("AUTH CRAM-MD5 PLAIN"), Turn::on("AUTH CRAM-MD5", challenge),
                            Turn::on("", "535 no\r\n"), Turn::on("AUTH PLAIN", "235 ok\r\n"), mail, rcpt, data, body, quit}});
    auto options = with_user(to_port(server.port()));
    options.credentials.without_tls = true;
    CHECK(sent(options) == "sent 250 kept");
    CHECK(server.wait_for(0).fault == "");
}

// --- what ::smtp::sendmessage gets wrong ---------------------------------------------------------------------------------

TEST_CASE("tcllib defect 1: AUTH refused by every method, and the mail was sent all the same") {
    const FakeSmtp server({{hi, ehlo_with("AUTH PLAIN LOGIN"), Turn::on("AUTH PLAIN", "535 5.7.8 wrong\r\n"),
                            Turn::on("AUTH LOGIN", "535 5.7.8 wrong\r\n"), quit}}),
        other({accepting});
    auto options = with_user(to_ports({server.port(), other.port()}));
    options.credentials.without_tls = true;
    CHECK(sent(options) == "authentication 535 wrong");
    CHECK(server.wait_for(0).fault == "");
    CHECK(!contains(server.wait_for(0).bytes, "MAIL"));
    CHECK(other.heard().empty());
    // A server without any AUTH gets nothing either, the next one does.
    const FakeSmtp without({{hi, ehlo, quit}}),
        with({{hi, ehlo_with("AUTH PLAIN"), Turn::on("AUTH", "235 ok\r\n"), mail, rcpt, data, body, quit}});
    options.servers = {{"127.0.0.1", without.port()}, {"127.0.0.1", with.port()}};
    CHECK(sent(options) == "sent 250 kept");
}

TEST_CASE("tcllib defect 2: STARTTLS refused, and password and mail went in clear") {
    const House house;
    const Turn refused = Turn::on("STARTTLS", "454 4.7.0 no TLS now\r\n");
    const Script stubborn{hi, ehlo_with("STARTTLS,AUTH PLAIN"), refused, quit};
    const FakeSmtp server(
        {stubborn,
         stubborn,
         {hi, ehlo_with("STARTTLS,AUTH PLAIN"), refused, Turn::on("AUTH PLAIN", "235 ok\r\n"), mail, rcpt, data, body, quit}});
    auto options = with_user(house.to(server.port()));
    CHECK(sent(options) == "tls 454 no TLS now");
    std::string asked;
    options.tls_policy = [&](int code, std::string_view text) {
        asked = std::to_string(code) + " " + std::string(text);
        return sc::TlsAnswer::secure;
    };
    CHECK(sent(options) == "tls 454 no TLS now");
    CHECK(asked == "454 no TLS now");
    for (const std::size_t n : {0u, 1u}) {
        CHECK(server.wait_for(n).fault == "");
        CHECK(!contains(server.wait_for(n).bytes, "AUTH"));
        CHECK(!contains(server.wait_for(n).bytes, "MAIL"));
    }
    // Only who says so goes on in clear.
    options.tls_policy = [](int, std::string_view) { return sc::TlsAnswer::insecure; };
    CHECK(sent(options) == "sent 250 kept");
    // And a server that offers TLS no more gets no password: somebody may have taken the word out.
    const FakeSmtp stripped({{hi, ehlo_with("AUTH PLAIN"), quit}});
    options = with_user(house.to(stripped.port()));
    CHECK(sent(options).starts_with("authentication 0 "));
    CHECK(!contains(stripped.wait_for(0).bytes, "AUTH"));
}

TEST_CASE("tcllib defect 3: any certificate was believed, the policy was never asked about a failed handshake") {
    const House house;
    const Script deceiver{hi, ehlo_with("STARTTLS,AUTH PLAIN"), starttls, Turn::tls(house.bad)};
    Script taken = deceiver;
    taken.insert(taken.end(), {ehlo_with("AUTH PLAIN"), Turn::on("AUTH PLAIN", "235 ok\r\n"), mail, rcpt, data, body, quit});
    const Script no_tls{hi, ehlo_with("STARTTLS"), starttls, Turn::take(1, "").and_close()},
        clear{hi, ehlo_with("STARTTLS"), mail, rcpt, data, body, quit};
    const FakeSmtp server({deceiver, deceiver, deceiver, taken});
    auto options = with_user(house.to(server.port()));
    const std::string first = sent(options);
    CHECK(first.starts_with("tls 0 127.0.0.1:"));
    CHECK(contains(first, "self-signed"));
    int code = -1;
    options.tls_policy = [&](int given, std::string_view text) {
        code = given;
        CHECK(contains(std::string(text), "self-signed"));
        return sc::TlsAnswer::secure;
    };
    CHECK(sent(options).starts_with("tls 0 "));
    CHECK(code == 0);
    // "insecure" is still better under TLS than without.
    options.tls_policy = [](int, std::string_view) { return sc::TlsAnswer::insecure; };
    CHECK(sent(options) == "sent 250 kept");
    for (const std::size_t n : {0u, 1u, 2u, 3u}) CHECK(clear_part(server.wait_for(n)) == "EHLO me.example\r\nSTARTTLS\r\n");

    const FakeSmtp broken({no_tls, no_tls, no_tls, clear});
    options = house.to(broken.port());
    CHECK(sent(options).starts_with("tls 0 127.0.0.1:"));
    options.tls_policy = [](int, std::string_view) { return sc::TlsAnswer::insecure; };
    CHECK(sent(options) == "sent 250 kept");
    CHECK(contains(server.wait_for(3).bytes, "[TLS]"));
    // Octets slipped in behind the 220 end it.
    const FakeSmtp injected({{hi, ehlo_with("STARTTLS"), Turn::on("STARTTLS", "220 go\r\n250 AUTH PLAIN\r\n")}});
    CHECK(contains(sent(house.to(injected.port())), "the server spoke before the handshake"));
}

TEST_CASE("tcllib defect 4: after 'secure' the error was the greeting") {
    const House house;
    const FakeSmtp server(
        {{Turn::say("220 mock.example ESMTP\r\n"), ehlo_with("STARTTLS"), Turn::on("STARTTLS", "454 4.7.0 not now\r\n"), quit}}),
        next({accepting});
    auto options = house.to(server.port());
    options.tls_policy = [](int, std::string_view) { return sc::TlsAnswer::secure; };
    const auto result = sc::send_message(options, message);
    REQUIRE(!result);
    CHECK(result.error().code == 454);
    CHECK(result.error().enhanced == "4.7.0");
    CHECK(result.error().text == "not now");
    CHECK(result.error().server.port == server.port());
    options.servers.push_back({"127.0.0.1", next.port()});
    CHECK(sent(options) == "sent 250 kept");
}

TEST_CASE("tcllib defect 5: one Content-Transfer-Encoding, a clean digest, and no NTLM first") {
    const FakeSmtp server(
        {{hi, ehlo, mail, rcpt, data, body, mail, rcpt, data, body, quit},
         {hi, ehlo_with("AUTH NTLM OTP PLAIN"), Turn::on("AUTH PLAIN", "235 ok\r\n"), mail, rcpt, data, body, quit}});
    auto options = to_port(server.port());
    options.headers = {{"Bcc", "hidden@z.example"}};
    CHECK(sent(options, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n" +
                            message + "\xc3\xbc\n") == "sent 250 kept");
    const Heard heard = server.wait_for(0);
    const auto count = [](const std::string& text, std::string_view what) {
        std::size_t n = 0;
        for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
        return n;
    };
    CHECK(count(heard.bodies.at(0), "Content-Transfer-Encoding: ") == 1);
    CHECK(count(heard.bodies.at(1), "boundary=") == 1);
    CHECK(!contains(heard.bodies.at(1), "\r\n;"));
    options = with_user(to_port(server.port()));
    options.credentials.without_tls = true;
    CHECK(sent(options) == "sent 250 kept");
}

TEST_CASE("tcllib defect 6: what is missing for AUTH is said, the dialogue can be seen, port 465 works") {
    const House house;
    const FakeSmtp server(
        {{hi, ehlo_with("AUTH GSSAPI"), quit}, {Turn::tls(house.good), hi, ehlo, mail, rcpt, data, body, quit}});
    CHECK(contains(sent(with_user(to_port(server.port()))), "no mechanism that may be used here is among those offered: GSSAPI"));
    auto options = house.to(server.port());
    options.tls = sc::Options::Tls::implicit;
    std::string shown;
    options.dial.trace = [&](bool ours, std::string_view line) { shown += (ours ? "C: " : "S: ") + std::string(line) + "\n"; };
    CHECK(sent(options) == "sent 250 kept");
    CHECK(contains(shown, "S: 220 x ESMTP\nC: EHLO me.example\n"));
    CHECK(contains(shown, " octets of message]\nS: 250 2.0.0 kept\nC: QUIT\nS: 221 bye\n"));
}
