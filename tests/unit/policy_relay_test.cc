// The relay rule's table: what a stranger may send to when only example.org, its subdomains and 192.0.2.25 are ours.
#include "policy/relay.hh"

#include "tests/support/test.hh"

using namespace greylag;

TEST_CASE("policy: a stranger reaches us and nobody else") {
    policy::Ours ours;
    ours.domains = {*mail::DomainPattern::parse("*.example.org"), *mail::DomainPattern::parse("alias.example"),
                    *mail::DomainPattern::parse("inside")};
    ours.address = *mail::IpAddress::parse("192.0.2.25");
    struct Case {
        std::string_view path;
        bool passes;
    };
    const Case cases[] = {
        {"joe@example.org", true},
        {"joe@EXAMPLE.Org", true},
        {"joe@example.org.", true},
        {"joe@mx.example.org", true},
        {"joe@alias.example", true},
        {"joe@inside", true},
        {"joe@[192.0.2.25]", true},
        {"postmaster", true},
        {"PostMaster", true},
        {"joe+tag@example.org", true},
        {"\"joe@elsewhere.example\"@example.org", true},
        {"joe%mx.example.org@example.org", true},
        {"@elsewhere.example:joe@example.org", true},  // the route is not followed
        {"joe@elsewhere.example", false},
        {"joe@xexample.org", false},
        {"joe@mx.alias.example", false},
        {"joe@outside", false},
        {"joe@[192.0.2.26]", false},
        {"joe@[IPv6:2001:db8::25]", false},
        {"@example.org:joe@elsewhere.example", false},
        {"joe%elsewhere.example@example.org", false},
        {"joe%outside@example.org", false},
        {"joe%@example.org", false},
        {"a%elsewhere.example%example.org@example.org", false},
        {"elsewhere.example!joe@example.org", false},
        {"example.org!elsewhere.example!joe@example.org", false},
        {"outside!joe@example.org", false},
        {"\"elsewhere.example!joe\"@example.org", false},
        {"\"joe%[192.0.2.26]\"@example.org", false},
        {"joe@[]", true},  // back to the client
        {"joe%elsewhere.example@[]", false},
        {"\"elsewhere.example!joe\"@[]", false},
        {"elsewhere.example!joe@[]", false},
    };
    for (const auto& c : cases) {
        const auto path = mail::Path::parse(c.path);
        REQUIRE_MESSAGE(path.has_value(), c.path);
        CHECK_MESSAGE(policy::relay_right(*path, ours).ok() == c.passes, c.path);
    }
    CHECK(policy::relay_right(mail::Path::null(), ours).kind == mail::Verdict::Kind::never);
}

TEST_CASE("policy: whom a recipient means") {
    policy::Ours ours;
    ours.domains = {*mail::DomainPattern::parse("example.org")};
    ours.address = *mail::IpAddress::parse("192.0.2.25");
    const auto peer = *mail::IpAddress::parse("192.0.2.7"), peer6 = *mail::IpAddress::parse("2001:db8::7");
    struct Case {
        std::string_view path;
        std::optional<mail::IpAddress> peer;
        std::string_view meant;  // empty: itself
    };
    const Case cases[] = {
        {"joe@[]", peer, "joe@[192.0.2.7]"},
        {"joe@[]", peer6, "joe@[IPv6:2001:db8::7]"},
        {"joe@[]", std::nullopt, ""},
        {"joe@[]", ours.address, "joe@example.org"},  // we are our own client
        {"\"a b\"@[]", peer, "\"a b\"@[192.0.2.7]"},
        {"Joe@[192.0.2.25]", peer, "Joe@example.org"},
        {"Joe@[192.0.2.25]", std::nullopt, "Joe@example.org"},
        {"joe@[192.0.2.26]", peer, ""},
        {"joe@[192.0.2.7]", peer, ""},
        {"joe@example.org", peer, ""},
        {"postmaster", peer, ""},
        {"", peer, ""},
    };
    for (const auto& c : cases) {
        INFO(c.path);
        const auto got = policy::meant(*mail::Path::parse(c.path), ours, c.peer, "example.org");
        CHECK((got ? got->text() : "") == c.meant);
    }
}
