// What a stranger may call itself, from 192.0.2.7, when *.example.edu, alias.host.arpa and 192.0.2.25 are ours.
#include "policy/helo.hh"

#include "tests/support/test.hh"

using namespace greylag;
using mail::Why;

namespace {

policy::Ours ours() {
    policy::Ours ours;
    ours.domains = {*mail::DomainPattern::parse("*.example.edu"), *mail::DomainPattern::parse("alias.host.arpa")};
    ours.address = *mail::IpAddress::parse("192.0.2.25");
    return ours;
}

mail::Host host(std::string_view text) {
    if (const auto literal = mail::IpAddress::parse_literal(text)) return *literal;
    const auto domain = mail::Domain::parse(text);
    REQUIRE_MESSAGE(domain.has_value(), text);
    return *domain;
}

const std::optional<mail::IpAddress> stranger = *mail::IpAddress::parse("192.0.2.7");

}  // namespace

TEST_CASE("policy: a HELO name is a mail host's and not ours") {
    struct Case {
        std::string_view name;
        Why why;
    };
    const Case cases[] = {
        {"client.home.arpa", Why::none},
        {"a.b.c.d.host.arpa", Why::none},
        {"1.2.3.x4", Why::none},
        {"under_score.host.arpa", Why::none},
        {"myexample.com", Why::none},
        {"example.edu.host.arpa", Why::none},
        {"my-example.net", Why::none},
        {"example.org.uk", Why::none},
        {"test.host.arpa", Why::none},
        {"contest", Why::helo_bogus},
        {"con.test", Why::helo_bogus},
        {"host.contest", Why::none},
        {"[192.0.2.7]", Why::none},
        {"[IPv6:::ffff:192.0.2.7]", Why::none},

        {"example.edu", Why::helo_is_ours},
        {"EXAMPLE.edu.", Why::helo_is_ours},
        {"mx.example.edu", Why::helo_is_ours},
        {"alias.host.arpa", Why::helo_is_ours},
        {"[192.0.2.25]", Why::helo_is_ours},

        {"foo", Why::helo_bogus},
        {"localhost", Why::helo_bogus},
        {"foo.", Why::helo_bogus},
        {"x.localhost", Why::helo_bogus},
        {"localhost.LOCALDOMAIN", Why::helo_bogus},
        {"a.example", Why::helo_bogus},
        {"a.b.Invalid.", Why::helo_bogus},
        {"a.test", Why::helo_bogus},
        {"example.com", Why::helo_bogus},
        {"b.example.com", Why::helo_bogus},
        {"b.EXAMPLE.net", Why::helo_bogus},
        {"a.b.example.org.", Why::helo_bogus},
        {"1.2.3.4", Why::helo_bogus},
        {"192.0.2.7", Why::helo_bogus},
        {"1-2.3_4", Why::helo_bogus},
        {"[192.0.2.8]", Why::helo_bogus},
        {"[IPv6:2001:db8::1]", Why::helo_bogus},
    };
    for (const auto& c : cases) {
        const auto verdict = policy::helo_claim(host(c.name), stranger, ours(), true);
        CHECK_MESSAGE(verdict.why == c.why, c.name);
        CHECK_MESSAGE(verdict.ok() == (c.why == Why::none), c.name);
        CHECK_MESSAGE((verdict.ok() || verdict.kind == mail::Verdict::Kind::never), c.name);
    }
}

TEST_CASE("policy: our names may be given where relaying is free, and by ourselves") {
    const auto ourselves = ours().address;
    CHECK(policy::helo_claim(host("mx.example.edu"), stranger, ours(), false).ok());
    CHECK(policy::helo_claim(host("[192.0.2.25]"), stranger, ours(), false).why == Why::helo_bogus);
    CHECK(policy::helo_claim(host("mx.example.edu"), ourselves, ours(), true).ok());
    CHECK(policy::helo_claim(host("[192.0.2.25]"), ourselves, ours(), true).ok());
    CHECK(policy::helo_claim(host("localhost"), ourselves, ours(), true).why == Why::helo_bogus);
}

TEST_CASE("policy: of a peer that is not known no literal is its own") {
    CHECK(policy::helo_claim(host("[192.0.2.7]"), std::nullopt, ours(), true).why == Why::helo_bogus);
    CHECK(policy::helo_claim(host("client.home.arpa"), std::nullopt, ours(), true).ok());
    policy::Ours nothing;
    CHECK(policy::helo_claim(host("mx.example.edu"), std::nullopt, nothing, true).ok());
}
