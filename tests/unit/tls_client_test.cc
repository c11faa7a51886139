// The client's TLS against openssl s_server and against raw octets: whom it believes, and that nothing hostile hangs it.
#include "tls/client.hh"

#include "sys/dial.hh"
#include "sys/io.hh"
#include "tests/support/certificates.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/s_server.hh"
#include "tests/support/test.hh"
#include "tls/server.hh"

using namespace greylag;
using test::must;
using test::soon;

namespace {

const char* const host = "mx.example";

sys::Fd dial(std::uint16_t port) { return must(sys::dial({must(mail::IpAddress::parse("127.0.0.1")), port}, soon())); }

// What a handshake came to: "believed", "taken: REASON", or the error's sentence.
std::string attempt(const tls::ClientPolicy& policy, std::uint16_t port, const std::string& name) {
    const auto context = must(tls::ClientContext::make(policy));
    const auto fd = dial(port);
    const auto stream = context.connect(fd.get(), fd.get(), name, soon());
    if (!stream) return stream.error().text;
    return stream->peer().believed ? "believed" : "taken: " + stream->peer().reason;
}

struct House {
    test::Scratch scratch;
    test::Authority authority;
    tls::ClientPolicy policy;
    House() {
        scratch.write("ca/" + authority.hashed_name(), authority.pem());
        policy.authorities = scratch.at("ca");
    }
};

std::string ask(tls::Stream& stream, const std::string& line) {
    must(stream.write_all(line + "\n", soon()));
    std::string text;
    char room[64];
    while (!text.ends_with('\n')) {
        const std::size_t got = must(stream.read_some(room, soon()));
        if (got == 0) return text + "<end>";
        text.append(room, got);
    }
    return text;
}

}  // namespace

#define NEED_OPENSSL() \
    if (!test::OpensslServer::installed()) SKIP("openssl is not installed")

TEST_CASE("tls client: whom it believes, and as whom it takes the rest under -o") {
    NEED_OPENSSL();
    const House house;
    const test::Authority stranger("Another Root");
    const struct {
        std::string label, pem, name, verdict;
    } cases[] = {
        {"its name", house.authority.issue({.names = "DNS:mx.example"}), host, ""},
        {"one of its names, other case, a final dot", house.authority.issue({.names = "DNS:a.example,DNS:MX.example"}),
         "mx.Example.", ""},
        {"its common name, where there is no other", house.authority.issue(), host, ""},
        {"a wildcard", house.authority.issue({.names = "DNS:*.mail.example"}), "mx.mail.example", ""},
        {"a wildcard for all of a top domain", house.authority.issue({.names = "DNS:*.example"}), host,
         "it is for *.example, not mx.example"},
        {"RSA", house.authority.issue({.names = "DNS:mx.example", .key = test::KeyKind::rsa}), host, ""},
        {"an address", house.authority.issue({.names = "IP:192.0.2.7"}), "192.0.2.7", ""},
        {"an address of the other family", house.authority.issue({.names = "IP:2001:db8::7"}), "2001:db8::7", ""},
        {"a part of a wildcard", house.authority.issue({.names = "DNS:m*.mail.example"}), "mx.mail.example",
         "it is for m*.mail.example, not mx.mail.example"},
        {"a wildcard over two labels", house.authority.issue({.names = "DNS:*.example"}), "a.mx.example",
         "it is for *.example, not a.mx.example"},
        {"another name, whatever the common name says", house.authority.issue({.names = "DNS:other.example"}), host,
         "it is for other.example, not mx.example"},
        {"a name for an address", house.authority.issue({.common_name = "192.0.2.7", .names = "DNS:192.0.2.7"}), "192.0.2.7",
         "it is for 192.0.2.7, not 192.0.2.7"},
        {"another address", house.authority.issue({.names = "IP:192.0.2.8"}), "192.0.2.7", "it is for 192.0.2.8, not 192.0.2.7"},
        {"no name to compare", house.authority.issue(), "", "no name to compare it with"},
        {"over", house.authority.issue({.names = "DNS:mx.example", .from_days = -20, .to_days = -1}), host,
         "certificate has expired"},
        {"not yet", house.authority.issue({.names = "DNS:mx.example", .from_days = 1}), host, "certificate is not yet valid"},
        {"its own word", test::self_signed({.names = "DNS:mx.example"}), host, "self-signed certificate"},
        {"another authority", stranger.issue({.names = "DNS:mx.example"}), host, "unable to get local issuer certificate"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.label);
        const test::OpensslServer server(c.pem);
        const std::string whose = c.name.empty() ? "the server" : c.name;
        const std::string refused = "TLS: the certificate of " + whose + " is not to be believed: " + c.verdict;
        CHECK(attempt(house.policy, server.port(), c.name) == (c.verdict.empty() ? "believed" : refused));
        auto lenient = house.policy;
        lenient.insist = false;
        CHECK(attempt(lenient, server.port(), c.name) == (c.verdict.empty() ? "believed" : "taken: " + c.verdict));
        auto known = house.policy;
        known.known = {"sha256:" + std::string(64, '0'), "sha256:" + test::sha256_of_certificate(c.pem)};
        CHECK(attempt(known, server.port(), c.name) == "believed");
        known.known = {"spki-sha256:" + test::sha256_of_key(c.pem)};
        CHECK(attempt(known, server.port(), c.name) == "believed");
    }
}

TEST_CASE("tls client: authorities are a hashed directory, or a file") {
    NEED_OPENSSL();
    House house;
    const test::OpensslServer server(house.authority.issue({.names = "DNS:mx.example"}));
    house.scratch.write("all.pem", test::Authority("Another Root").pem() + house.authority.pem());
    auto policy = house.policy;
    policy.authorities = house.scratch.at("all.pem");
    CHECK(attempt(policy, server.port(), host) == "believed");
    policy.authorities = "";
    CHECK(attempt(policy, server.port(), host) ==
          "TLS: the certificate of mx.example is not to be believed: unable to get local issuer certificate");
    house.scratch.make_directory("none");
    policy.authorities = house.scratch.at("none");
    CHECK(attempt(policy, server.port(), host) ==
          "TLS: the certificate of mx.example is not to be believed: unable to get local issuer certificate");
}

TEST_CASE("tls client: what cannot be read is named") {
    const test::Scratch scratch;
    scratch.write("empty.pem", "nothing\n");
    const auto fault = [](const std::string& authorities, const std::string& identity) {
        tls::ClientPolicy policy;
        policy.authorities = authorities;
        policy.identity = identity;
        const auto made = tls::ClientContext::make(policy);
        return made ? std::string("made") : made.error().text;
    };
    CHECK(fault(scratch.at("absent"), {}).find(scratch.at("absent")) != std::string::npos);
    CHECK(fault(scratch.at("empty.pem"), {}) == scratch.at("empty.pem") + ": no certificate can be read from it");
    CHECK(fault({}, scratch.at("empty.pem")) == scratch.at("empty.pem") + ": no certificate in it");
    CHECK(fault({}, scratch.at("absent")).find(scratch.at("absent")) != std::string::npos);
    CHECK(fault({}, {}) == "made");
    const auto context = must(tls::ClientContext::make({}));
    CHECK_FALSE(context.engine(std::string("mx\0.example", 11)));
    CHECK_FALSE(context.engine(std::string(256, 'x')));
}

TEST_CASE("tls client: what the server showed") {
    NEED_OPENSSL();
    const House house;
    const std::string pem =
        house.authority.issue({.common_name = "Größe", .names = "DNS:mx.example,IP:192.0.2.7,IP:2001:db8::7"});
    const test::OpensslServer server(pem);
    const auto context = must(tls::ClientContext::make(house.policy));
    const auto fd = dial(server.port());
    const auto stream = must(context.connect(fd.get(), fd.get(), host, soon()));
    const auto& peer = stream.peer();
    CHECK(peer.believed);
    CHECK(peer.subject == "CN=Größe");
    CHECK(peer.issuer == "CN=Test Root");
    CHECK(peer.names == std::vector<std::string>{"mx.example", "192.0.2.7", "2001:db8:0:0:0:0:0:7"});
    CHECK(peer.sha256 == "sha256:" + test::sha256_of_certificate(pem));
    CHECK(peer.spki_sha256 == "spki-sha256:" + test::sha256_of_key(pem));
    CHECK(peer.not_after.size() == std::string_view("2027-01-31 12:00:00 UTC").size());
    CHECK(peer.not_after.ends_with(" UTC"));
    CHECK(stream.bits() == 256);
    CHECK(stream.description().starts_with("TLSv1.3 with cipher TLS_"));
    CHECK(stream.exporter().size() == 32);
    CHECK(stream.server_end_point().size() == 32);
}

TEST_CASE("tls client: versions, and octets in both directions") {
    NEED_OPENSSL();
    const House house;
    const std::string pem = house.authority.issue({.names = "DNS:mx.example"});
    const struct {
        const char* server;
        const char* minimum;
        const char* version;  // nullptr: no session
    } cases[] = {{"-tls1_3", "1.2", "TLSv1.3"},
                 {"-tls1_2", "1.2", "TLSv1.2"},
                 {"-tls1_3", "1.3", "TLSv1.3"},
                 {"-tls1_2", "1.3", nullptr},
                 {"-tls1_1", "1.2", nullptr}};
    for (const auto& c : cases) {
        CAPTURE(c.server);
        CAPTURE(c.minimum);
        const test::OpensslServer server(pem, {c.server, "-cipher", "ALL:@SECLEVEL=0"});
        auto policy = house.policy;
        policy.minimum = c.minimum;
        const auto context = must(tls::ClientContext::make(policy));
        const auto fd = dial(server.port());
        auto stream = context.connect(fd.get(), fd.get(), host, soon());
        REQUIRE(stream.has_value() == (c.version != nullptr));
        if (!stream) continue;
        CHECK(stream->description().starts_with(c.version));
        CHECK(ask(*stream, "abc") == "cba\n");
        CHECK(ask(*stream, std::string(15'000, 'x') + "y").starts_with("yx"));
        CHECK_FALSE(stream->pending());
        CHECK_FALSE(stream->readable(sys::Deadline::in(base::Millis(0))));
        stream->close(soon());
        CHECK_FALSE(stream->write_all("x", soon()));
    }
}

TEST_CASE("tls client: the last session of a context is gone on with, for the same name only") {
    NEED_OPENSSL();
    const House house;
    const std::string pem = house.authority.issue({.names = "DNS:mx.example,DNS:b.example"});
    for (const char* version : {"-tls1_2", "-tls1_3"}) {
        CAPTURE(version);
        const test::OpensslServer server(pem, {version});
        const auto context = must(tls::ClientContext::make(house.policy));
        const auto other = must(tls::ClientContext::make(house.policy));
        const auto visit = [&](const tls::ClientContext& by, const char* name) {
            const auto fd = dial(server.port());
            auto stream = must(by.connect(fd.get(), fd.get(), name, soon()));
            CHECK(ask(stream, "abc") == "cba\n");
            CHECK(stream.peer().believed);
            CHECK(stream.peer().sha256 == "sha256:" + test::sha256_of_certificate(pem));
            stream.close(soon());
            return stream.resumed();
        };
        CHECK_FALSE(visit(context, host));
        CHECK(visit(context, host));
        CHECK(visit(context, host));
        CHECK_FALSE(visit(other, host));
        CHECK_FALSE(visit(context, "b.example"));
    }
}

TEST_CASE("tls client: hostile servers end the handshake and nothing else") {
    using test::Turn;
    const House house;
    const auto context = must(tls::ClientContext::make(house.policy));
    const std::string alert("\x15\x03\x03\x00\x02\x02\x28", 7), hello_of_nothing("\x16\x03\x03\x00\x04\x02\x00\x00\x00", 9);
    const struct {
        std::string label, octets;
        bool stall;
        Kind kind;
    } cases[] = {{"words", "220 mx.example ESMTP\r\n250 go on in clear\r\n", true, Kind::protocol},
                 {"noise", std::string(70'000, '\xff'), true, Kind::protocol},
                 {"an alert", alert, true, Kind::protocol},
                 {"an empty ServerHello", hello_of_nothing, true, Kind::protocol},
                 {"the end", "", false, Kind::closed},
                 {"the end inside a record", hello_of_nothing.substr(0, 7), false, Kind::closed},
                 {"silence", "", true, Kind::timeout}};
    for (const auto& c : cases) {
        CAPTURE(c.label);
        Turn turn{Turn::Until::octets, {}, 5, c.octets, false, c.stall ? Turn::Then::stall : Turn::Then::close};
        test::FakeSmtp server({{turn}});
        const auto fd = dial(server.port());
        const auto until = c.kind == Kind::timeout ? sys::Deadline::in(base::Millis(100)) : soon();
        const auto stream = context.connect(fd.get(), fd.get(), host, until);
        REQUIRE_FALSE(stream.has_value());
        // A server that leaves with octets of ours unread resets the connection: also an end.
        CHECK(stream.error().kind == c.kind);
        CHECK(stream.error().text.size() > 5);
    }
}

namespace {

// Carries what one wants to send to the other, `step` octets at a time.
Result<void> carry(tls::Engine& from, tls::Engine& to, std::size_t step) {
    while (!from.to_wire().empty()) {
        const std::string piece(from.to_wire().substr(0, step));
        from.sent(piece.size());
        TRY(to.take(piece));
    }
    return {};
}

std::string read_all(tls::Engine& engine) {
    std::string text;
    char room[100];
    for (;;) {
        const std::size_t got = must(engine.read(room));
        if (got == 0) return text;
        text.append(room, got);
    }
}

}  // namespace

TEST_CASE("tls engine: a session without a descriptor, in pieces of any size") {
    const House house;
    house.scratch.write("identity.pem", house.authority.issue({.names = "DNS:mx.example"}));
    const auto there = must(tls::ServerContext::load({house.scratch.at("identity.pem"), {}, {}, "1.2", {}}));
    const auto here = must(tls::ClientContext::make(house.policy));
    for (const std::size_t step : {1u, 7u, 100'000u}) {
        CAPTURE(step);
        auto client = must(here.engine(host));
        auto server = must(there.engine());
        CHECK_FALSE(client.write("too early"));
        must(client.begin());
        must(server.begin());
        CHECK(server.to_wire().empty());
        while (!client.ready() || !server.ready()) {
            must(carry(client, server, step));
            must(carry(server, client, step));
        }
        CHECK(client.peer().believed);
        CHECK(server.peer().sha256.empty());
        CHECK(client.bits() >= 128);
        must(client.write(std::string(40'000, 'a')));
        must(server.write("greetings"));
        must(carry(client, server, step));
        must(carry(server, client, step));
        CHECK(read_all(server) == std::string(40'000, 'a'));
        CHECK(read_all(client) == "greetings");
        CHECK_FALSE(client.ended());
        server.close();
        must(carry(server, client, step));
        CHECK(read_all(client).empty());
        CHECK(client.ended());
        CHECK_FALSE(server.write("more"));
    }
}

TEST_CASE("tls engine: a certificate that is not believed leaves an alert for the server") {
    const House house;
    house.scratch.write("identity.pem", test::self_signed());
    const auto there = must(tls::ServerContext::load({house.scratch.at("identity.pem"), {}, {}, "1.2", {}}));
    const auto here = must(tls::ClientContext::make(house.policy));
    auto client = must(here.engine(host));
    auto server = must(there.engine());
    must(client.begin());
    must(carry(client, server, 100'000));
    const auto refused = carry(server, client, 100'000);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == Kind::denied);
    CHECK(client.ended());
    CHECK_FALSE(client.to_wire().empty());
    CHECK_FALSE(carry(client, server, 100'000).has_value());
}
