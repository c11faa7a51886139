// A host that is dialled by its name: who is asked, in which order the answers stand. smtp, the library and smtp-source ask here.
#include "client/host.hh"

#include "tests/support/dns_responder.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

std::string found(std::string_view name, client::Families families, const DnsResponder& dns) {
    dns::Resolver resolver({{{must(mail::IpAddress::parse("127.0.0.1")), dns.port()}}, base::Millis(20'000), false});
    const auto addresses = client::find_host(name, families, resolver);
    if (!addresses) {
        CHECK(addresses.error().lasting == Lasting::temporary);
        return "later";
    }
    std::string all;
    for (const auto& address : *addresses) all += (all.empty() ? "" : " ") + address.text();
    return all;
}

}  // namespace

TEST_CASE("client: the addresses of a host, the families in turns, from itself, the table of hosts or DNS") {
    DnsResponder dns;
    for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"}) dns.address("both.example", address);
    dns.address("four.example", "192.0.2.4");
    dns.cname("other.example", "four.example");
    dns.fault("busy.example", DnsFault::servfail);
    dns.fault("half.example", DnsFault::servfail, rr::aaaa);
    dns.address("half.example", "192.0.2.5");
    dns.address("localhost", "192.0.2.6");
    constexpr client::Families any{}, v4{true, false}, v6{false, true};
    struct Case {
        const char* name;
        client::Families families;
        const char* addresses;
    };
    const Case cases[] = {
        {"192.0.2.9", any, "192.0.2.9"},
        {"2001:db8::9", any, "2001:db8::9"},
        {"2001:db8::9", v4, ""},
        {"both.example", v6, "2001:db8::1"},
        {"four.example", any, "192.0.2.4"},
        {"four.example", v6, ""},
        {"other.example", v4, "192.0.2.4"},
        {"nobody.example", any, ""},
        {"busy.example", any, "later"},
        {"half.example", any, "192.0.2.5"},
        {"half.example", v6, "later"},
        {"localhost", v4, "127.0.0.1"},  // RFC 6761 6.3: never asked of DNS
    };
    for (const Case& c : cases) {
        INFO(c.name);
        CHECK(found(c.name, c.families, dns) == c.addresses);
    }
    const std::string both = found("both.example", any, dns);
    CHECK(both.starts_with("2001:db8::1 192.0.2."));
    CHECK(both.size() == std::string_view("2001:db8::1 192.0.2.1 192.0.2.2 192.0.2.3").size());
}
