// smtpd under TLS from outside: certificates chosen, old protocols refused, an end that is final, a loop that sees renewals.
// wire.md rows 79, 84, 86.
#include <openssl/ssl.h>
#include <signal.h>

#include "base/base64.hh"
#include "sasl/client.hh"
#include "sys/io.hh"
#include "tests/e2e/site.hh"
#include "tests/support/sasl.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// A site with certificates: mx.pem has both kinds, sni/other.greylag.test.pem is another one.
class TlsSite : public Site {
public:
    TlsSite() {
        // RSA stands first in the file: EC goes first all the same.
        scratch.write("mx.pem",
                      make_identity(KeyKind::rsa, "rsa.greylag.test") + make_identity(KeyKind::p256, "ec.greylag.test"));
        scratch.write("sni/other.greylag.test.pem", make_identity(KeyKind::p256, "other.greylag.test"));
        scratch.write("users", sasl::show_user(user_with("joe", "secret")) + "\n");
        scratch.write("smtpd.conf", *scratch.read("smtpd.conf") + "[tls]\ncertificate = " + scratch.at("mx.pem") +
                                        "\nsni_directory = " + scratch.at("sni") + "\n[auth]\nusers = " + scratch.at("users") +
                                        "\n");
    }
    Session session(std::vector<std::string> options = {}, Wire wire = Wire::tcp) const {
        Start how;
        how.program = smtpd;
        how.arguments = {"-C", configuration};
        how.arguments.insert(how.arguments.end(), options.begin(), options.end());
        how.environment = environment();
        how.wire = wire;
        return must(Session::start(how));
    }
    // Greeted, and STARTTLS answered with 220.
    Session asked(Wire wire = Wire::tcp) const {
        auto s = session({}, wire);
        CHECK(s.wire.reply().starts_with("220 "));
        CHECK(s.wire.ask("EHLO client.home.arpa").find("STARTTLS") != std::string::npos);
        CHECK(s.wire.ask("STARTTLS").starts_with("220 "));
        return s;
    }
    std::string log() const { return scratch.read("log").value_or(""); }
};

#define NEED(site) \
    if (!(site).built() || program_path("smtpd-tls").empty()) SKIP("smtpd or smtpd-tls is not built")

}  // namespace

TEST_CASE("tls: STARTTLS over a socket and over two pipes") {
    const TlsSite site;
    NEED(site);
    for (const Wire wire : {Wire::tcp, Wire::socketpair, Wire::pipes}) {
        auto s = site.asked(wire);
        must(s.wire.start_tls());
        CHECK(s.wire.tls()->version() == "TLSv1.3");
        CHECK_FALSE(s.wire.tls()->compressed());
        CHECK(s.wire.tls()->ticket().empty());
        CHECK(s.wire.ask("MAIL FROM:<a@b.example>").starts_with("503 "));
        const std::string ehlo = s.wire.ask("EHLO client.home.arpa");
        CHECK(ehlo.find("STARTTLS") == std::string::npos);
        CHECK(ehlo.find("AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN") != std::string::npos);
        CHECK(s.wire.ask("QUIT").starts_with("221 "));
        CHECK(must(s.wire.read_to_end()).empty());
        CHECK(must(s.wait()).ok());
        CHECK(s.err().empty());
    }
}

TEST_CASE("tls: the certificate that fits, by name and by what the client can (row 86)") {
    const TlsSite site;
    NEED(site);
    struct Row {
        TlsWish wish;
        std::string subject;
    };
    const Row rows[] = {{{}, "ec.greylag.test"},
                        {{.rsa_only = true}, "rsa.greylag.test"},
                        {{.newest = TLS1_2_VERSION}, "ec.greylag.test"},
                        {{.newest = TLS1_2_VERSION, .rsa_only = true}, "rsa.greylag.test"},
                        {{.server_name = "other.greylag.test"}, "other.greylag.test"},
                        {{.server_name = "OTHER.greylag.TEST"}, "other.greylag.test"},
                        {{.server_name = "unknown.greylag.test"}, "ec.greylag.test"},
                        {{.server_name = "../mx"}, "ec.greylag.test"},
                        {{.alpn = "h2"}, "ec.greylag.test"},
                        {{.alpn = "smtp"}, "ec.greylag.test"}};
    for (const Row& row : rows) {
        auto s = site.asked();
        must(s.wire.start_tls(row.wish));
        CHECK(s.wire.tls()->peer_subject() == row.subject);
        CHECK(s.wire.ask("QUIT").starts_with("221 "));
    }
}

TEST_CASE("tls: old protocols and renegotiation are refused (row 86)") {
    const TlsSite site;
    NEED(site);
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        auto s = site.asked();
        CHECK_FALSE(s.wire.start_tls({.newest = version}).has_value());
        CHECK(must(s.wait()).ok());
    }
    auto s = site.asked();
    must(s.wire.start_tls({.newest = TLS1_2_VERSION}));
    CHECK(s.wire.ask("EHLO client.home.arpa").starts_with("250"));
    CHECK(s.wire.tls()->renegotiate(soon()) != "done");
    s.wire.close();
    CHECK(must(s.wait()).ok());
}

TEST_CASE("tls: the end is final, also in the middle of a chunk (row 79)") {
    const TlsSite site;
    NEED(site);
    auto s = site.asked();
    must(s.wire.start_tls());
    s.wire.ask("EHLO client.home.arpa");
    s.wire.ask("MAIL FROM:<a@b.example>");
    s.wire.ask("RCPT TO:<you@greylag.test>");
    must(s.wire.send("BDAT 1000\r\n0123456789"));
    s.wire.tls()->close_notify();
    // Clear text behind the end: never looked at.
    REQUIRE(sys::write_all(s.wire.fd(), "x\r\nRSET\r\nQUIT\r\n", soon()).has_value());
    const auto rest = s.wire.read_to_end();
    CHECK((!rest || rest->empty()));
    CHECK(must(s.wait()).ok());
    CHECK(site.scratch.files("state/mail").empty());
    CHECK(site.log().find("reason=eof") != std::string::npos);
}

TEST_CASE("tls: a handshake that is none ends without a word in clear (row 84)") {
    const TlsSite site;
    NEED(site);
    auto s = site.asked();
    must(s.wire.send("EHLO client.home.arpa\r\nMAIL FROM:<a@b.example>\r\n"));
    const std::string rest = s.wire.read_to_end().value_or("");
    CHECK(rest.find("250") == std::string::npos);
    CHECK(rest.find("503") == std::string::npos);
    CHECK(must(s.wait()).ok());
    CHECK(site.log().find("tls id=") != std::string::npos);
}

TEST_CASE("tls: from the first octet with -t") {
    const TlsSite site;
    NEED(site);
    auto s = site.session({"-t"});
    must(s.wire.start_tls());
    CHECK(s.wire.reply().starts_with("220 "));
    CHECK(s.wire.ask("EHLO client.home.arpa").find("AUTH SCRAM-SHA-256-PLUS") != std::string::npos);
    CHECK(s.wire.ask("STARTTLS").starts_with("503 "));
    CHECK(s.wire.ask("QUIT").starts_with("221 "));
    CHECK(must(s.wait()).ok());
}

TEST_CASE("tls: SCRAM-SHA-256-PLUS is bound to this session and to no other") {
    const TlsSite site;
    NEED(site);
    for (const int version : {0, TLS1_2_VERSION}) {
        for (const bool exporter : {true, false}) {
            for (const bool honest : {true, false}) {
                auto s = site.session({"-t"});
                must(s.wire.start_tls({.newest = version}));
                s.wire.reply();
                s.wire.ask("EHLO client.home.arpa");
                sasl::Bindings bindings;
                (exporter ? bindings.exporter : bindings.end_point) =
                    exporter ? s.wire.tls()->exporter() : s.wire.tls()->end_point();
                if (!honest) (exporter ? bindings.exporter : bindings.end_point)[0] ^= 1;
                sasl::Client client(sasl::Mechanism::scram_sha_256_plus, {digests, "abc", bindings}, "joe", "secret");
                std::string said = s.wire.ask("AUTH SCRAM-SHA-256-PLUS " + base::base64_encode(*client.initial()));
                for (int i = 0; i < 2 && said.starts_with("334 "); ++i)
                    said = s.wire.ask(
                        base::base64_encode(must(client.respond(*base::base64_decode(said.substr(4, said.size() - 6))))));
                CHECK(said.substr(0, 3) == (honest ? "235" : "535"));
            }
        }
    }
}

TEST_CASE("tls: the loop serves many, and sees a renewed certificate without a restart") {
    const TlsSite site;
    NEED(site);
    const auto port = site.free_port();
    const auto loop = started(site, site.smtpd, {"-C", site.configuration, "-l", "127.0.0.1:" + std::to_string(port)}, port);
    const auto subject = [&] {
        auto wire = loop.connect();
        wire.reply();
        wire.ask("EHLO client.home.arpa");
        wire.ask("STARTTLS");
        must(wire.start_tls());
        const std::string name = wire.tls()->peer_subject();
        CHECK(wire.ask("QUIT").starts_with("221 "));
        return name;
    };
    CHECK(subject() == "ec.greylag.test");
    CHECK(subject() == "ec.greylag.test");
    site.scratch.write("mx.pem", make_identity(KeyKind::p256, "renewed.greylag.test"));
    CHECK(subject() == "renewed.greylag.test");
    // A renewal that went wrong changes nothing but the log.
    site.scratch.write("mx.pem", "half a file");
    CHECK(subject() == "renewed.greylag.test");
    CHECK(site.log().find("reason=certificate") != std::string::npos);
}

TEST_CASE("tls: a session that is told to end tells its sibling") {
    const TlsSite site;
    NEED(site);
    auto s = site.asked();
    must(s.wire.start_tls());
    s.wire.ask("EHLO client.home.arpa");
    s.signal(SIGTERM);
    CHECK(s.wire.reply().starts_with("421 4.3.2"));
    CHECK(must(s.wait()).ok());
}

TEST_CASE("tls: what smtpd-tls must have and has not") {
    const TlsSite site;
    NEED(site);
    sys::Command check;
    check.path = site.smtpd;
    check.arguments = {"--check", "-C", site.configuration};
    check.environment = site.environment();
    CHECK(must(sys::run(check, soon())).ending.status == 0);
    const std::string whole = make_identity(KeyKind::p256, "a.test");
    site.scratch.write("mx.pem", whole.substr(0, whole.find("-----BEGIN PRIVATE")));
    const auto said = must(sys::run(check, soon(), 1 << 16, 1 << 16));
    CHECK(said.ending.status == 78);
    CHECK(said.err.find("mx.pem") != std::string::npos);
    site.scratch.write("users", "joe hunter2\n");
    const auto users = must(sys::run(check, soon(), 1 << 16, 1 << 16));
    CHECK(users.err.find("users:1: a word that is none of") != std::string::npos);
    CHECK(users.err.find("hunter2") == std::string::npos);
}

TEST_CASE("tls: half a record keeps nobody from ending") {
    const TlsSite site;
    NEED(site);
    auto s = site.session({"-t"});
    must(s.wire.start_tls());
    CHECK(s.wire.reply().starts_with("220 "));
    CHECK(s.wire.ask("NOOP").starts_with("250 "));
    REQUIRE(sys::write_all(s.wire.fd(), std::string_view("\x17\x03\x03\x01", 4), soon()).has_value());
    must(s.wire.flushed());
    s.signal(SIGTERM);
    CHECK(s.wire.reply().starts_with("421 4.3.2 "));
    CHECK(must(s.wait()).ok());
}

TEST_CASE("tls: tickets are taken by another process with the same key, and only then") {
    const TlsSite site;
    NEED(site);
    const std::string without = *site.scratch.read("smtpd.conf");
    const auto use_key = [&](std::string_view octets, unsigned mode = 0600) {
        site.scratch.write("ticket.key", octets, mode);
        site.scratch.write("smtpd.conf", without + "[tls]\nticket_key = " + site.scratch.at("ticket.key") + "\n");
    };
    struct Seen {
        bool resumed = false;
        std::string ticket{};
    };
    const auto visit = [&](TlsWish wish) {
        auto s = site.asked();
        must(s.wire.start_tls(wish));
        CHECK(s.wire.ask("EHLO client.home.arpa").starts_with("250"));
        const Seen seen{s.wire.tls()->resumed(), s.wire.tls()->ticket()};
        CHECK(s.wire.ask("QUIT").starts_with("221 "));
        CHECK(must(s.wait()).ok());
        return seen;
    };
    const std::string one(80, '1'), two(80, '2');
    for (const int version : {TLS1_2_VERSION, 0}) {
        for (const char* name : {"", "other.greylag.test"}) {
            CAPTURE(version);
            CAPTURE(name);
            TlsWish wish{.server_name = name, .newest = version};
            site.scratch.write("smtpd.conf", without);
            CHECK(visit(wish).ticket.empty());

            use_key(one);
            const Seen first = visit(wish);
            CHECK_FALSE(first.resumed);
            REQUIRE_FALSE(first.ticket.empty());
            wish.ticket = first.ticket;
            CHECK(visit(wish).resumed);
            // The key before is still good, and what it opened is renewed under the new one.
            use_key(two + one);
            const Seen second = visit(wish);
            CHECK(second.resumed);
            use_key(two);
            CHECK_FALSE(visit(wish).resumed);
            // OpenSSL's client keeps a renewed ticket to itself before TLS 1.3.
            wish.ticket = second.ticket;
            CHECK(visit(wish).resumed == (version == 0));
            site.scratch.write("smtpd.conf", without);
            CHECK_FALSE(visit(wish).resumed);
        }
    }
    // What is no key, or everybody's, is none; TLS itself goes on.
    sys::Command check;
    check.path = site.smtpd;
    check.arguments = {"--check", "-C", site.configuration};
    check.environment = site.environment();
    for (const auto& [octets, mode, what] : {std::tuple{one, 0644u, "ticket.key"}, std::tuple{one + "1", 0600u, "80 octets"}}) {
        use_key(octets, mode);
        CHECK(visit({}).ticket.empty());
        CHECK(site.log().find(what) != std::string::npos);
        const auto said = must(sys::run(check, soon(), 1 << 16, 1 << 16));
        CHECK(said.ending.status == 78);
        CHECK(said.err.find(what) != std::string::npos);
    }
    use_key(two + one);
    CHECK(must(sys::run(check, soon())).ending.status == 0);
}

TEST_CASE("tls: tickets of the loop") {
    const TlsSite site;
    NEED(site);
    site.scratch.write("ticket.key", std::string(80, 'k'));
    const auto port = site.free_port();
    site.scratch.write("smtpd.conf",
                       *site.scratch.read("smtpd.conf") + "[tls]\nticket_key = " + site.scratch.at("ticket.key") + "\n");
    const auto loop = started(site, site.smtpd, {"-C", site.configuration, "-l", "127.0.0.1:" + std::to_string(port)}, port);
    TlsWish wish;
    const auto resumed = [&] {
        auto wire = loop.connect();
        wire.reply();
        wire.ask("EHLO client.home.arpa");
        wire.ask("STARTTLS");
        must(wire.start_tls(wish));
        const bool again = wire.tls()->resumed();
        wire.ask("EHLO client.home.arpa");
        wish.ticket = wire.tls()->ticket();
        CHECK(wire.ask("QUIT").starts_with("221 "));
        return again;
    };
    CHECK_FALSE(resumed());
    CHECK(resumed());
    CHECK(resumed());
    // A changed key is seen without a restart.
    site.scratch.write("ticket.key", std::string(80, 'n') + std::string(80, 'x'));
    CHECK_FALSE(resumed());
    CHECK(resumed());
}
