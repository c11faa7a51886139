// The public library's Connection over a descriptor that its user has connected: whose it is, and what is known of it.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "client/smtp_client.hh"
#include "mail/ip.hh"
#include "sys/dial.hh"
#include "sys/fd.hh"
#include "tests/support/certificates.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/must.hh"
#include "tests/support/s_server.hh"
#include "tests/support/scratch.hh"
#include "tests/support/stream.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
namespace sc = greylag::smtp_client;
using FailureKind = sc::Failure::Kind;

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
bool blocks(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

sc::DialOptions within(std::uint32_t ms) {
    sc::DialOptions options;
    options.timeout_ms = ms;
    return options;
}

}  // namespace

TEST_CASE("smtp_client over: a dialogue over one end of a pair, which blocks or does not") {
    for (const bool blocking : {true, false}) {
        auto pair = must(sys::make_socketpair());
        if (!blocking) ::fcntl(pair.first.get(), F_SETFL, O_NONBLOCK);
        const int fd = pair.first.release();
        Stream server(std::move(pair.second));
        must(server.send("220 x\r\n250-x\r\n250 SIZE 9\r\n"));
        std::string shown;
        auto options = within(20'000);
        options.trace = [&](bool ours, std::string_view line) { shown += (ours ? "C: " : "S: ") + std::string(line) + "\n"; };
        auto c = must(sc::Connection::over(fd, {"mx.example", "25", {}}, options));
        CHECK(c.descriptor() == fd);
        CHECK(blocks(fd) == blocking);
        CHECK(c.remote() == "mx.example");
        CHECK(c.local() == "");
        CHECK(must(c.read_reply()).code == 220);
        CHECK(must(c.hello("me")).find("SIZE") != nullptr);
        CHECK(shown == "S: 220 x\nC: EHLO me\nS: 250-x\nS: 250 SIZE 9\n");
        must(c.half_close());
        CHECK(must(server.read_to_end()) == "EHLO me\r\n");
        c.close();
        CHECK(!is_open(fd));
    }
}

TEST_CASE("smtp_client over: every wait ends, also where the descriptor would block") {
    auto pair = must(sys::make_socketpair());
    auto c = must(sc::Connection::over(pair.first.release(), {"mx.example", "25", {}}, within(30)));
    const auto silent = c.read_reply();
    REQUIRE(!silent);
    CHECK(silent.error().kind == FailureKind::later);
    CHECK(silent.error().text == "mx.example: its greeting did not come within 30 ms");
    const auto full = c.write(std::string(8 << 20, 'x'));
    REQUIRE(!full);
    CHECK(full.error().kind == FailureKind::later);
    CHECK(full.error().text == "mx.example: sending: write: time is up");
}

TEST_CASE("smtp_client over: the descriptor is taken whatever comes of it") {
    auto pipe = must(sys::make_pipe());
    const int fd = pipe.read.release();
    const auto none = sc::Connection::over(fd, {}, {});
    REQUIRE(!none);
    CHECK(none.error().kind == FailureKind::usage);
    CHECK(none.error().text == "the descriptor is no socket");
    CHECK(!is_open(fd));
    CHECK(!sc::Connection::over(-1, {}, {}));
    auto pair = must(sys::make_socketpair());
    const int end = pair.first.release();
    { const auto kept = must(sc::Connection::over(end, {"x", "25", {}}, {})); }
    CHECK(!is_open(end));
    // Somebody else's address in the environment is not this socket's.
    ::setenv("TCPREMOTEIP", "192.0.2.9", 1);
    ::setenv("TCPLOCALIP", "192.0.2.8", 1);
    const auto c = must(sc::Connection::over(pair.second.release(), {"x", "25", "a/path"}, {}));
    ::unsetenv("TCPREMOTEIP");
    ::unsetenv("TCPLOCALIP");
    CHECK(c.remote() == "a/path");
    CHECK(c.local() == "a/path");
}

TEST_CASE("smtp_client over: TLS looks for the name that was given") {
    if (!OpensslServer::installed()) SKIP("openssl is not installed");
    const Scratch dir;
    const Authority authority;
    dir.write("ca.pem", authority.pem());
    const OpensslServer server(authority.issue({.names = "DNS:mx.example"}));
    sc::TlsOptions tls;
    tls.authorities = dir.at("ca.pem");
    for (const char* host : {"mx.example", "other.example"}) {
        auto fd = must(sys::dial({*mail::IpAddress::parse("127.0.0.1"), server.port()}, soon()));
        auto c = must(sc::Connection::over(fd.release(), {host, "25", {}}, within(20'000)));
        CHECK(c.remote() == "127.0.0.1:" + std::to_string(server.port()));
        CHECK(c.local().starts_with("127.0.0.1:"));
        const auto report = c.start_tls(tls);
        CHECK(report.has_value() == (std::string_view(host) == "mx.example"));
        if (!report) CHECK(report.error().text.find("not other.example") != std::string::npos);
        if (!report) continue;
        must(c.write("yo 022\n"));
        CHECK(must(c.read_reply()).text() == "oy");
    }
}
