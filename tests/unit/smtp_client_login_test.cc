// The public library's AUTH and TLS: which mechanism, what crosses the wire, and whom it believes.
#include "base/base64.hh"
#include "client/smtp_client.hh"
#include "tests/support/certificates.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/must.hh"
#include "tests/support/s_server.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
namespace sc = greylag::smtp_client;
using FailureKind = sc::Failure::Kind;

namespace {

std::string encoded(std::string_view text) { return base::base64_encode(text); }

struct Tried {
    std::string outcome;  // "235 ok" or "KIND code text"
    std::string heard;    // behind EHLO
    std::string shown;
};

std::string_view word(FailureKind kind) {
    switch (kind) {
        case FailureKind::authentication: return "authentication";
        case FailureKind::later: return "later";
        case FailureKind::protocol: return "protocol";
        case FailureKind::usage: return "usage";
        case FailureKind::no_host:
        case FailureKind::refused:
        case FailureKind::tls:
        case FailureKind::configuration: break;
    }
    return "another";
}

// One session with a server that offers `mechanisms` and then goes on as `turns` say.
Tried attempt(const std::string& mechanisms, Script turns, sc::Credentials credentials) {
    Script script{Turn::say("220 x\r\n"), Turn::on("EHLO", "250-x\r\n250 AUTH " + mechanisms + "\r\n")};
    script.insert(script.end(), turns.begin(), turns.end());
    const FakeSmtp server({script});
    Tried tried;
    sc::DialOptions dial;
    dial.timeout_ms = 20'000;
    dial.trace = [&](bool ours, std::string_view line) { tried.shown += (ours ? "C: " : "S: ") + std::string(line) + "\n"; };
    {
        auto c = must(sc::Connection::open({"127.0.0.1", std::to_string(server.port()), {}}, dial));
        must(c.read_reply());
        const auto hello = must(c.hello("me"));
        const auto reply = c.authenticate(hello, credentials);
        if (reply) {
            tried.outcome = std::to_string(reply->code) + " " + reply->text();
        } else {
            tried.outcome =
                std::string(word(reply.error().kind)) + " " + std::to_string(reply.error().code) + " " + reply.error().text;
            const std::size_t peer = tried.outcome.find(c.remote() + ": ");
            if (peer != std::string::npos) tried.outcome.erase(peer, c.remote().size() + 2);
        }
    }
    tried.heard = server.wait_for(0).bytes.substr(std::string_view("EHLO me\r\n").size());
    return tried;
}

sc::Credentials joe(bool without_tls = true) {
    sc::Credentials credentials;
    credentials.user = "joe";
    credentials.password = "secret";
    credentials.without_tls = without_tls;
    return credentials;
}

const std::string plain = "AUTH PLAIN " + base::base64_encode(std::string_view("\0joe\0secret", 11)) + "\r\n";

}  // namespace

TEST_CASE("smtp_client AUTH: PLAIN and LOGIN, and what of it is shown") {
    const auto p = attempt("LOGIN PLAIN", {Turn::on("AUTH", "235 2.7.0 welcome\r\n")}, joe());
    CHECK(p.outcome == "235 welcome");
    CHECK(p.heard == plain);
    CHECK(p.shown.find("C: AUTH PLAIN ***\nS: 235 2.7.0 welcome\n") != std::string::npos);

    const auto l = attempt("LOGIN",
                           {Turn::on("AUTH LOGIN", "334 " + encoded("Username:") + "\r\n"), Turn::on("", "334 Password:\r\n"),
                            Turn::on("", "235 ok\r\n")},
                           joe());
    CHECK(l.outcome == "235 ok");
    CHECK(l.heard == "AUTH LOGIN\r\n" + encoded("joe") + "\r\n" + encoded("secret") + "\r\n");
    CHECK(l.shown.find(encoded("secret")) == std::string::npos);
    CHECK(l.shown.find("C: ***\n") != std::string::npos);

    auto late = joe();
    late.initial_response = false;
    const auto n = attempt("PLAIN", {Turn::on("AUTH PLAIN", "334 \r\n"), Turn::on("", "235 ok\r\n")}, late);
    CHECK(n.outcome == "235 ok");
    CHECK(n.heard == "AUTH PLAIN\r\n" + plain.substr(11));

    auto wide = joe();
    wide.password = std::string(400, 'x');
    const auto w = attempt("PLAIN", {Turn::on("AUTH PLAIN", "334 \r\n"), Turn::on("", "235 ok\r\n")}, wide);
    CHECK(w.outcome == "235 ok");
    CHECK(w.heard.starts_with("AUTH PLAIN\r\n"));
}

TEST_CASE("smtp_client AUTH: strongest first, each in turn until one succeeds or none is left") {
    const std::string challenge = "334 " + encoded("<1.2@x>") + "\r\n";
    const auto all = attempt("PLAIN LOGIN CRAM-MD5",
                             {Turn::on("AUTH CRAM-MD5", challenge), Turn::on("", "535 no\r\n"),
                              Turn::on("AUTH PLAIN", "535 5.7.8 no\r\n"), Turn::on("AUTH LOGIN", "504 5.5.4 unknown\r\n")},
                             joe());
    CHECK(all.outcome == "authentication 504 unknown");
    const auto second =
        attempt("PLAIN CRAM-MD5",
                {Turn::on("AUTH CRAM-MD5", challenge), Turn::on("", "535 no\r\n"), Turn::on("AUTH PLAIN", "235 ok\r\n")}, joe());
    CHECK(second.outcome == "235 ok");
    const auto busy =
        attempt("PLAIN LOGIN", {Turn::on("AUTH PLAIN", "454 4.7.0 database\r\n"), Turn::on("AUTH LOGIN", "535 no\r\n")}, joe());
    CHECK(busy.outcome == "later 454 database");
    const auto gone = attempt("PLAIN LOGIN", {Turn::on("AUTH PLAIN", "421 4.7.0 bye\r\n").and_close()}, joe());
    CHECK(gone.outcome == "later 421 bye");
    auto chosen = joe();
    chosen.mechanisms = {"login", "PLAIN"};
    CHECK(attempt("PLAIN LOGIN CRAM-MD5", {Turn::on("AUTH LOGIN", "535 no\r\n"), Turn::on("AUTH PLAIN", "235 ok\r\n")}, chosen)
              .outcome == "235 ok");
}

TEST_CASE("smtp_client AUTH: no password over an open wire unless it was allowed") {
    const auto none = attempt("PLAIN LOGIN", {}, joe(false));
    CHECK(none.outcome ==
          "authentication 0 no mechanism that may be used here is among those offered: PLAIN LOGIN (without TLS no password is "
          "shown)");
    CHECK(none.heard == "");
    const auto weak =
        attempt("PLAIN CRAM-MD5", {Turn::on("AUTH CRAM-MD5", "334 " + encoded("<1.2@x>") + "\r\n"), Turn::on("", "535 no\r\n")},
                joe(false));
    CHECK(weak.outcome == "authentication 535 no");
    CHECK(weak.heard.find("PLAIN") == std::string::npos);
    auto chosen = joe(false);
    chosen.mechanisms = {"PLAIN"};
    CHECK(attempt("PLAIN", {}, chosen).outcome == "authentication 0 PLAIN would show the password: there is no TLS");
    chosen.mechanisms = {"GSSAPI"};
    CHECK(attempt("GSSAPI", {}, chosen).outcome == "authentication 0 GSSAPI is not built in");
    chosen.mechanisms = {"CRAM-MD5"};
    CHECK(attempt("PLAIN", {}, chosen).outcome == "authentication 0 the server does not offer CRAM-MD5");
    CHECK(attempt("", {}, joe()).outcome == "authentication 0 the server offers no authentication");
    auto control = joe();
    control.user = std::string("joe\0root", 8);
    CHECK(attempt("PLAIN", {}, control).outcome.starts_with("usage 0 "));
}

TEST_CASE("smtp_client AUTH: a server that does not prove itself gets nothing weaker") {
    const auto liar = attempt("SCRAM-SHA-256 PLAIN", {Turn::on("AUTH SCRAM-SHA-256", "235 welcome\r\n")}, joe());
    CHECK(liar.outcome == "authentication 0 authentication: the server did not prove that it knows the password");
    CHECK(liar.heard.find("PLAIN") == std::string::npos);
    const auto broken = attempt("SCRAM-SHA-256 PLAIN",
                                {Turn::on("AUTH SCRAM-SHA-256", "334 " + encoded("r=other,s=QSXCR+Q6sek8bf92,i=4096") + "\r\n"),
                                 Turn::on("*", "501 ok\r\n")},
                                joe());
    CHECK(broken.outcome == "authentication 0 authentication: the server answered another nonce than ours");
    const auto noise = attempt("CRAM-MD5", {Turn::on("AUTH CRAM-MD5", "334 !!!\r\n"), Turn::on("*", "501 ok\r\n")}, joe());
    CHECK(noise.outcome == "authentication 0 the server's challenge is not base64: \"!!!\"");
    const auto nosy = attempt("PLAIN", {Turn::on("AUTH PLAIN", "334 \r\n"), Turn::on("*", "501 ok\r\n")}, joe());
    CHECK(nosy.outcome == "authentication 0 authentication: the server asks for more than PLAIN has");
}

TEST_CASE("smtp_client TLS: whom it believes, what it reports, and a session that is resumed") {
    if (!OpensslServer::installed()) SKIP("openssl is not installed");
    const Scratch dir;
    const Authority authority;
    dir.write("ca.pem", authority.pem());
    const std::string identity = authority.issue({.names = "IP:127.0.0.1"});
    const OpensslServer server(identity);
    const sc::Endpoint to{"127.0.0.1", std::to_string(server.port()), {}};
    sc::TlsOptions options;
    options.authorities = dir.at("ca.pem");
    options.memory = sc::make_tls_memory();
    for (const bool again : {false, true}) {
        auto c = must(sc::Connection::open(to, {}));
        const auto report = must(c.start_tls(options));
        CHECK(report.believed);
        CHECK(report.reason == "");
        CHECK(report.description.starts_with("TLSv1.3 with cipher "));
        CHECK(report.bits >= 128);
        CHECK(report.subject.find("mx.example") != std::string::npos);
        CHECK(report.sha256 == "sha256:" + sha256_of_certificate(identity));
        CHECK(report.resumed == again);
        CHECK(c.secure());
        must(c.write("yo 022\n"));  // s_server sends its lines back, reversed
        CHECK(must(c.read_reply()).text() == "oy");
        c.close();
    }
    options.memory.reset();
    options.name = "other.example";
    auto wrong = must(sc::Connection::open(to, {}));
    const auto refused = wrong.start_tls(options);
    REQUIRE(!refused);
    CHECK(refused.error().kind == FailureKind::tls);
    CHECK(refused.error().text.find("not other.example") != std::string::npos);
    CHECK(refused.error().text.find("TLS: TLS") == std::string::npos);
    CHECK(!wrong.secure());
    CHECK(!wrong.command("NOOP"));
    options.insist = false;
    auto taken = must(sc::Connection::open(to, {}));
    const auto report = must(taken.start_tls(options));
    CHECK(!report.believed);
    CHECK(report.reason.find("not other.example") != std::string::npos);
    options.authorities = dir.at("nothing");
    auto c = must(sc::Connection::open(to, {}));
    const auto missing = c.start_tls(options);
    REQUIRE(!missing);
    CHECK(missing.error().kind == FailureKind::configuration);
}

TEST_CASE("smtp_client TLS: what was said before the handshake ends it") {
    const FakeSmtp server({{Turn::say("220 x\r\n"), Turn::on("STARTTLS", "220 go\r\n250-injected\r\n")}});
    auto c = must(sc::Connection::open({"127.0.0.1", std::to_string(server.port()), {}}, {}));
    must(c.read_reply());
    CHECK(must(c.command("STARTTLS")).code == 220);
    const auto failed = c.start_tls({});
    REQUIRE(!failed);
    CHECK(failed.error().kind == FailureKind::tls);
    CHECK(failed.error().text.ends_with("TLS: the server spoke before the handshake"));
    CHECK(!c.command("EHLO me"));
}
