#include "dns/resolver.hh"

#include <algorithm>
#include <optional>

#include "sys/clock.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;
using dns::Found;

namespace {

dns::Settings asking(const DnsResponder& server, base::Millis timeout = base::Millis(20'000)) {
    return {{{must(mail::IpAddress::parse("127.0.0.1")), server.port()}}, timeout, false};
}
mail::IpAddress ip(std::string_view text) { return must(mail::IpAddress::parse(text)); }

// "records", "no data", "no name", or the sentence of the error.
template <class Record>
std::string shown(const Result<dns::Answer<Record>>& answer) {
    if (!answer) {
        CHECK(answer.error().lasting == Lasting::temporary);
        return answer.error().text;
    }
    switch (answer->found) {
        case Found::records: return "records";
        case Found::no_data: return "no data";
        case Found::no_name: return "no name";
    }
    return "";
}

}  // namespace

TEST_CASE("dns: every type we ask for comes back as values") {
    DnsResponder server;
    server.mx("a.test", 20, "mx2.a.test");
    server.mx("a.test", 10, "mx1.a.test");
    server.mx("a.test", 10, "MX3.a.test");
    server.address("mx1.a.test", "192.0.2.1");
    server.address("mx1.a.test", "192.0.2.2");
    server.address("mx1.a.test", "2001:db8::1");
    server.txt("a.test", std::string(300, 't') + "end");
    server.txt("a.test", "");
    server.ptr("192.0.2.1", "mx1.a.test");
    server.ptr("192.0.2.1", "other.a.test");
    server.ptr("2001:db8::1", "mx1.a.test");
    server.tlsa("_25._tcp.mx1.a.test", 3, 1, 1,
                std::string("\0\xff"
                            "digest",
                            8));
    dns::Resolver resolver(asking(server));
    const auto mx = resolver.ask_mx("a.test.");
    const auto a = resolver.ask_a("mx1.A.test");
    const auto aaaa = resolver.ask_aaaa("mx1.a.test");
    const auto txt = resolver.ask_txt("a.test");
    const auto ptr4 = resolver.ask_ptr(ip("192.0.2.1"));
    const auto ptr6 = resolver.ask_ptr(ip("2001:db8::1"));
    const auto tlsa = resolver.ask_tlsa("_25._tcp.mx1.a.test");
    using Mx = dns::Mx;
    CHECK(must(resolver.take(tlsa)).records == std::vector<dns::Tlsa>{{3, 1, 1,
                                                                       std::string("\0\xff"
                                                                                   "digest",
                                                                                   8)}});
    CHECK(must(resolver.take(mx)).records == std::vector<Mx>{{20, "mx2.a.test"}, {10, "mx1.a.test"}, {10, "MX3.a.test"}});
    CHECK(must(resolver.take(a)).records == std::vector{ip("192.0.2.1"), ip("192.0.2.2")});
    CHECK(must(resolver.take(aaaa)).records == std::vector{ip("2001:db8::1")});
    CHECK(must(resolver.take(txt)).records == std::vector<dns::Text>{{std::string(300, 't') + "end"}, {""}});
    CHECK(must(resolver.take(ptr4)).records == std::vector<dns::Name>{{"mx1.a.test"}, {"other.a.test"}});
    CHECK(must(resolver.take(ptr6)).records == std::vector<dns::Name>{{"mx1.a.test"}});
    CHECK(must(resolver.addresses("mx1.a.test")).records.size() == 3);
}

TEST_CASE("dns: what is not there, and who does not answer, are told apart") {
    DnsResponder server;
    for (const auto name : {"servfail.test", "refused.test", "formerr.test", "garbage.test", "silent.test", "liar.test"})
        server.mx(name, 10, "mx.test");
    server.address("only-a.test", "192.0.2.1");
    server.address("deep.under.test", "192.0.2.1");
    server.fault("servfail.test", DnsFault::servfail);
    server.fault("refused.test", DnsFault::refused);
    server.fault("formerr.test", DnsFault::formerr);
    server.fault("garbage.test", DnsFault::garbage);
    server.fault("silent.test", DnsFault::silence);
    server.fault("liar.test", DnsFault::wrong_id);
    struct {
        std::string name, seen;
    } const cases[] = {
        {"nowhere.test", "no name"},
        {"only-a.test", "no data"},
        {"under.test", "no data"},
        {"a..test", "no name"},
        {std::string(64, 'a') + ".test", "no name"},
        {std::string(250, 'a') + ".test", "no name"},
        {std::string("nul\0.test", 9), "no name"},
        {"hidden.onion", "no name"},
        {"servfail.test", "MX servfail.test: no name server gives an answer"},
        {"refused.test", "MX refused.test: no name server gives an answer"},
        {"formerr.test", "MX formerr.test: the name server answers FORMERR"},
        {"garbage.test", "MX garbage.test: the name server's answer cannot be read"},
    };
    dns::Resolver resolver(asking(server));
    for (const auto& c : cases) {
        CAPTURE(c.name);
        CHECK(shown(resolver.take(resolver.ask_mx(c.name))) == c.seen);
    }
    CHECK(server.asked("hidden.onion") == 0);
    CHECK(server.asked("a..test") == 0);
    for (const auto name : {"silent.test", "liar.test"}) {
        const auto soon = sys::Deadline::in(base::Millis(50));
        CHECK(shown(resolver.take(resolver.ask_mx(name), soon)) == std::string("MX ") + name + ": no answer in time");
    }
}

TEST_CASE("dns: a port where nobody is, and no server at all, fail at once and for now") {
    std::uint16_t port = 0;
    { port = DnsResponder().port(); }
    dns::Resolver resolver({{{ip("127.0.0.1"), port}}, base::Millis(20'000), false});
    const auto start = sys::stopwatch();
    CHECK(shown(resolver.take(resolver.ask_a("a.test"))) == "A a.test: no name server gives an answer");
    CHECK(sys::since(start) < base::Millis(5'000));
}

TEST_CASE("dns: the next name server is asked when the first is not there or refuses") {
    DnsResponder good, bad;
    good.address("a.test", "192.0.2.1");
    bad.fault("a.test", DnsFault::servfail);
    std::uint16_t closed = 0;
    { closed = DnsResponder().port(); }
    for (const std::uint16_t first : {bad.port(), closed}) {
        dns::Resolver resolver({{{ip("127.0.0.1"), first}, {ip("127.0.0.1"), good.port()}}, base::Millis(20'000), false});
        CHECK(shown(resolver.take(resolver.ask_a("a.test"))) == "records");
    }
}

TEST_CASE("dns: a name server on IPv6 with a port of its own") {
    std::optional<DnsResponder> server;
    try {
        server.emplace("::1");
    } catch (const std::exception&) {
        SKIP("no IPv6 on loopback");
    }
    server->address("a.test", "192.0.2.1");
    dns::Resolver resolver({{{ip("::1"), server->port()}}, base::Millis(20'000), false});
    CHECK(shown(resolver.take(resolver.ask_a("a.test"))) == "records");
    CHECK(dns::NameServer{ip("::1"), 53}.text() == "[::1]:53");
}

TEST_CASE("dns: the time of a question is kept, the caller's when it is shorter") {
    DnsResponder server;
    server.fault("silent.test", DnsFault::silence);
    dns::Resolver resolver(asking(server, base::Millis(200)));
    const auto start = sys::stopwatch();
    const auto first = resolver.ask_a("silent.test"), second = resolver.ask_a("silent.test");
    CHECK(!resolver.take(first, sys::Deadline::in(base::Millis(20))));
    CHECK(sys::since(start) < base::Millis(200));
    CHECK(!resolver.take(second));
    CHECK(sys::since(start) >= base::Millis(199));
    CHECK(sys::since(start) < base::Millis(5'000));
    CHECK(server.asked("silent.test") >= 2);
}

TEST_CASE("dns: the questions of a session are in flight together") {
    DnsResponder server;
    std::vector<std::string> names;
    for (int i = 0; i < 20; ++i) {
        names.push_back("n" + std::to_string(i) + ".test");
        server.address(names.back(), "192.0.2." + std::to_string(i));
        server.delay(names.back(), base::Millis(200));
    }
    dns::Resolver resolver(asking(server));
    const auto start = sys::stopwatch();
    std::vector<dns::Query<mail::IpAddress>> asked;
    for (const auto& name : names) asked.push_back(resolver.ask_a(name));
    for (std::size_t i = asked.size(); i-- > 0;)
        CHECK(must(resolver.take(asked[i])).records == std::vector{ip("192.0.2." + std::to_string(i))});
    // One after another would be four seconds.
    CHECK(sys::since(start) >= base::Millis(199));
    CHECK(sys::since(start) < base::Millis(3'000));
}

TEST_CASE("dns: an answer that came while nobody waited is there, also when its time is over") {
    DnsResponder server;
    server.address("a.test", "192.0.2.1");
    dns::Resolver resolver(asking(server, base::Millis(100)));
    const auto asked = resolver.ask_a("a.test");
    CHECK(eventually([&] { return server.asked("a.test") == 1; }));
    const auto start = sys::stopwatch();
    CHECK(eventually([&] { return sys::since(start) > base::Millis(150); }));
    CHECK(shown(resolver.take(asked)) == "records");
}

TEST_CASE("dns: what does not fit is asked again over TCP") {
    DnsResponder server;
    for (int i = 0; i < 60; ++i)
        server.mx("many.test", static_cast<std::uint16_t>(i % 3), "mx" + std::to_string(i) + ".many.test");
    server.address("cut.test", "192.0.2.1");
    server.fault("cut.test", DnsFault::truncated);
    server.txt("long.test", std::string(60'000, 'x'));
    dns::Resolver resolver(asking(server));
    const auto many = resolver.ask_mx("many.test");
    const auto cut = resolver.ask_a("cut.test");
    const auto text = resolver.ask_txt("long.test");
    CHECK(must(resolver.take(many)).records.size() == 60);
    CHECK(must(resolver.take(cut)).records.size() == 1);
    CHECK(must(resolver.take(text)).records.at(0).text.size() == 60'000);
    const auto asked = server.questions();
    CHECK(std::count_if(asked.begin(), asked.end(), [](const auto& q) { return q.tcp; }) == 3);
}

TEST_CASE("dns: aliases are followed, a loop of them ends") {
    DnsResponder server;
    server.cname("alias.test", "next.test");
    server.cname("next.test", "end.test");
    server.mx("end.test", 10, "mx.test");
    server.cname("empty.test", "end.test");
    server.cname("loop.test", "pool.test");
    server.cname("pool.test", "loop.test");
    server.cname("dangling.test", "nowhere.test");
    dns::Resolver resolver(asking(server));
    const auto mx = must(resolver.take(resolver.ask_mx("ALIAS.test")));
    CHECK(mx.records == std::vector<dns::Mx>{{10, "mx.test"}});
    CHECK(mx.name == "end.test");
    CHECK(shown(resolver.take(resolver.ask_a("empty.test"))) == "no data");
    CHECK(shown(resolver.take(resolver.ask_a("dangling.test"))) == "no name");
    CHECK(shown(resolver.take(resolver.ask_a("loop.test"))) == "A loop.test: no name server gives an answer");
}

TEST_CASE("dns: a name that is not ASCII is asked for in its ASCII form") {
    DnsResponder server;
    server.address("xn--mnchen-3ya.test", "192.0.2.1");
    dns::Resolver resolver(asking(server));
    CHECK(shown(resolver.take(resolver.ask_a("m\u00fcnchen.test"))) == "records");
    CHECK(shown(resolver.take(resolver.ask_a("m\xfcnchen.test"))) == "no name");
}

TEST_CASE("dns: null MX is known") {
    DnsResponder server;
    server.mx("null.test", 0, ".");
    server.mx("real.test", 0, "mx.test");
    server.mx("both.test", 0, ".");
    server.mx("both.test", 10, "mx.test");
    dns::Resolver resolver(asking(server));
    CHECK(dns::is_null_mx(must(resolver.take(resolver.ask_mx("null.test")))));
    CHECK(!dns::is_null_mx(must(resolver.take(resolver.ask_mx("real.test")))));
    CHECK(!dns::is_null_mx(must(resolver.take(resolver.ask_mx("both.test")))));
    CHECK(!dns::is_null_mx(must(resolver.take(resolver.ask_mx("nowhere.test")))));
}

TEST_CASE("dns: addresses of both families are joined; one that fails does not hide the other") {
    DnsResponder server;
    server.address("both.test", "192.0.2.1");
    server.address("both.test", "2001:db8::1");
    server.address("half.test", "192.0.2.1");
    server.fault("half.test", DnsFault::servfail, rr::aaaa);
    server.txt("none.test", "x");
    server.fault("bad.test", DnsFault::servfail, rr::aaaa);
    server.txt("bad.test", "x");
    dns::Resolver resolver(asking(server));
    CHECK(must(resolver.addresses("both.test")).records == std::vector{ip("192.0.2.1"), ip("2001:db8::1")});
    CHECK(must(resolver.addresses("half.test")).records == std::vector{ip("192.0.2.1")});
    CHECK(shown(resolver.addresses("none.test")) == "no data");
    CHECK(shown(resolver.addresses("nowhere.test")) == "no name");
    CHECK(shown(resolver.addresses("bad.test")) == "AAAA bad.test: no name server gives an answer");
}

TEST_CASE("dns: the AD bit is believed from loopback or by order, and only then") {
    DnsResponder server;
    server.tlsa("_25._tcp.mx.test", 3, 1, 1, "digest");
    server.authenticated("_25._tcp.mx.test");
    server.tlsa("_25._tcp.plain.test", 3, 1, 1, "digest");
    dns::Settings settings = asking(server);
    const auto authentic = [&](std::string_view name) {
        dns::Resolver resolver(settings);
        return must(resolver.take(resolver.ask_tlsa(name))).authentic;
    };
    CHECK(authentic("_25._tcp.mx.test"));
    CHECK(!authentic("_25._tcp.plain.test"));
    settings.nameservers.push_back({ip("192.0.2.53"), 53});
    CHECK(!authentic("_25._tcp.mx.test"));
    settings.trust_ad = true;
    CHECK(authentic("_25._tcp.mx.test"));
    CHECK(!authentic("_25._tcp.plain.test"));
}

TEST_CASE("dns: nothing is opened before the first question, and nothing is left") {
    DnsResponder server;
    server.fault("silent.test", DnsFault::silence);
    server.fault("cut.test", DnsFault::truncated);
    const auto before = open_descriptors();
    {
        dns::Resolver resolver(asking(server));
        CHECK(open_descriptors() == before);
        (void)resolver.ask_a("silent.test");
        CHECK(open_descriptors() > before);
        (void)resolver.take(resolver.ask_a("cut.test"));
        dns::Resolver other(std::move(resolver));
        (void)other.ask_a("silent.test");
    }
    CHECK(eventually([&] { return open_descriptors() == before; }));
}

TEST_CASE("dns: name servers that do not answer are named, all within one time") {
    DnsResponder good, refuses, silent;
    refuses.fault("", DnsFault::refused);
    silent.fault("", DnsFault::silence);
    std::uint16_t closed = 0;
    { closed = DnsResponder().port(); }
    dns::Settings settings = asking(good, base::Millis(300));
    for (const std::uint16_t port : {refuses.port(), silent.port(), closed})
        settings.nameservers.push_back({ip("127.0.0.1"), port});
    const auto start = sys::stopwatch();
    const auto errors = dns::Resolver::silent(settings);
    CHECK(sys::since(start) < base::Millis(5'000));
    REQUIRE(errors.size() == 2);
    CHECK(errors[0].text == "name server " + silent.text() + ": no answer");
    CHECK(errors[1].text == "name server 127.0.0.1:" + std::to_string(closed) + ": no answer");
}
