#include "client/route.hh"

#include <algorithm>
#include <set>

#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::client;

namespace {

using Mxs = std::vector<dns::Mx>;
using smtp::Outcome;

Result<dns::Answer<dns::Mx>> mx(Mxs records) {
    dns::Answer<dns::Mx> answer;
    answer.found = records.empty() ? dns::Found::no_data : dns::Found::records;
    answer.records = std::move(records);
    return answer;
}

Result<dns::Answer<dns::Mx>> no_name() { return dns::Answer<dns::Mx>{dns::Found::no_name}; }

AddressAnswer at(std::initializer_list<const char*> addresses) {
    dns::Answer<mail::IpAddress> answer;
    answer.found = addresses.size() == 0 ? dns::Found::no_data : dns::Found::records;
    for (const char* text : addresses) answer.records.push_back(*mail::IpAddress::parse(text));
    return answer;
}
AddressAnswer silence() { return base::fail_later(Kind::unavailable, "no answer"); }

std::string shown(const Outcome& o) {
    return (o.state == Outcome::State::never ? "never " : "later ") + o.enhanced +
           (o.cause == Outcome::Cause::no_host ? " no host" : "");
}

std::string shown(const Routed<std::vector<Exchanger>>& list) {
    if (!list) return shown(list.error());
    std::string out;
    for (const auto& e : *list) out += (out.empty() ? "" : " ") + e.host;
    return out;
}

std::string shown(const Routed<std::vector<Stop>>& list) {
    if (!list) return shown(list.error());
    std::string out;
    for (const auto& stop : *list) {
        out += (out.empty() ? "" : " ") + stop.exchanger.host + "=";
        for (const auto& address : stop.addresses) out += (out.ends_with('=') ? "" : ",") + address.text();
    }
    return out;
}

}  // namespace

TEST_CASE("route: which hosts, in which order") {
    struct Case {
        const char* what;
        Result<dns::Answer<dns::Mx>> answer;
        std::vector<std::string> busted, names;
        const char* hosts;
    };
    const Case cases[] = {
        {"by preference", mx({{20, "b.x"}, {10, "a.x"}, {30, "c.x"}}), {}, {}, "a.x b.x c.x"},
        {"implicit MX", mx({}), {}, {}, "dom.x"},
        {"no such domain", no_name(), {}, {}, "never 5.1.2 no host"},
        {"DNS is silent", base::fail_later(Kind::timeout, "t"), {}, {}, "later 4.4.3"},
        {"null MX", mx({{0, ""}}), {}, {}, "never 5.1.10"},
        {"the root among others", mx({{0, ""}, {10, "a.x"}}), {}, {}, "a.x"},
        {"a host twice", mx({{20, "a.x"}, {10, "A.X"}, {30, "b.x"}}), {}, {}, "A.X b.x"},
        {"names no host can have", mx({{1, "a b"}, {2, "\\000.x"}, {3, "-.x"}}), {}, {}, "never 5.1.2 no host"},
        {"ourselves and worse", mx({{10, "a.x"}, {20, "us.x"}, {20, "c.x"}, {30, "d.x"}}), {}, {"US.x"}, "a.x"},
        {"ourselves first", mx({{10, "us.x"}, {20, "b.x"}}), {}, {"us.x"}, "never 5.4.6"},
        {"ourselves by no MX", mx({}), {}, {"dom.x"}, "never 5.4.6"},
        {"-b", mx({{10, "a.x"}, {20, "b.x"}}), {"A.x."}, {}, "b.x"},
        {"-b for all", mx({{10, "a.x"}}), {"a.x"}, {}, "later 4.4.3"},
        {"U-labels in what we know",
         mx({{10, "xn--mnchen-3ya.x"}, {20, "xn--tda.x"}, {30, "us.x"}}),
         {"m\u00fcnchen.x."},
         {"US.x"},
         "xn--tda.x"},
        {"a busted one is still ours", mx({{10, "us.x"}, {20, "b.x"}}), {"us.x"}, {"us.x"}, "never 5.4.6"},
        {"an empty name of ours is nobody", mx({{10, "a.x"}}), {}, {""}, "a.x"},
    };
    for (const Case& c : cases) {
        INFO(c.what);
        CHECK(shown(order_exchangers("dom.x", c.answer, c.busted, {c.names, {}}, 7)) == c.hosts);
    }
}

TEST_CASE("route: sixteen at most, the best of them") {
    Mxs many;
    for (unsigned i = 0; i < 200; ++i) many.push_back({static_cast<std::uint16_t>(1000 - i), "h" + std::to_string(i) + ".x"});
    const auto list = order_exchangers("dom.x", mx(many), {}, {}, 1);
    REQUIRE(list);
    REQUIRE(list->size() == most_exchangers);
    CHECK(list->front().host == "h199.x");
    CHECK(list->back().host == "h184.x");
}

TEST_CASE("route: equals take turns with the seed, and preference always holds") {
    const auto answer = mx({{10, "a.x"}, {10, "b.x"}, {10, "c.x"}, {5, "first.x"}, {20, "last.x"}});
    std::set<std::string> orders;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const std::string order = shown(order_exchangers("dom.x", answer, {}, {}, seed));
        CHECK(order.starts_with("first.x "));
        CHECK(order.ends_with(" last.x"));
        CHECK(order == shown(order_exchangers("dom.x", answer, {}, {}, seed)));
        orders.insert(order);
    }
    CHECK(orders.size() == 6);
}

TEST_CASE("route: which addresses") {
    const std::vector<Exchanger> two{{"a.x", 10}, {"b.x", 20}};
    struct Case {
        const char* what;
        std::vector<AddressAnswer> answers;
        std::vector<const char*> own;
        const char* stops;
    };
    const Case cases[] = {
        {"every address of each",
         {at({"192.0.2.1", "192.0.2.2"}), at({"192.0.2.3"})},
         {},
         "a.x=192.0.2.1,192.0.2.2 b.x=192.0.2.3"},
        {"the families take turns",
         {at({"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3"}), at({})},
         {},
         "a.x=2001:db8::1,192.0.2.1,2001:db8::2,192.0.2.2,2001:db8::3"},
        {"an address twice", {at({"192.0.2.1", "192.0.2.1"}), at({})}, {}, "a.x=192.0.2.1"},
        {"loopback", {at({"127.0.0.1"}), at({"::1"})}, {}, "never 5.4.4"},
        {"loopback beside another", {at({"127.9.9.9", "192.0.2.1"}), at({"0.0.0.0"})}, {}, "a.x=192.0.2.1"},
        {"mapped loopback", {at({"::ffff:127.0.0.1"}), at({})}, {}, "never 5.4.4"},
        {"nobody's addresses", {at({"0.1.2.3", "224.0.0.1", "255.255.255.255"}), at({"::", "ff02::1"})}, {}, "never 5.4.4"},
        {"ourselves", {at({"192.0.2.9"}), at({"192.0.2.3"})}, {"192.0.2.9"}, "never 5.4.6"},
        {"ourselves behind a better one", {at({"192.0.2.1"}), at({"192.0.2.9"})}, {"192.0.2.9"}, "a.x=192.0.2.1"},
        {"one of its addresses is ours", {at({"192.0.2.1", "2001:db8::9"}), at({"192.0.2.3"})}, {"2001:db8::9"}, "never 5.4.6"},
        {"private addresses are somebody's", {at({"10.0.0.1"}), at({"192.168.1.1"})}, {}, "a.x=10.0.0.1 b.x=192.168.1.1"},
        {"one is silent", {silence(), at({"192.0.2.3"})}, {}, "b.x=192.0.2.3"},
        {"all are silent", {silence(), silence()}, {}, "later 4.4.3"},
        {"silent and empty", {at({}), silence()}, {}, "later 4.4.3"},
        {"no address", {at({}), at({})}, {}, "never 5.1.2 no host"},
    };
    for (const Case& c : cases) {
        INFO(c.what);
        Self self;
        for (const char* text : c.own) self.addresses.push_back(*mail::IpAddress::parse(text));
        CHECK(shown(choose_stops("dom.x", two, c.answers, self)) == c.stops);
    }
}

TEST_CASE("route: an equal of ours is no better than we are") {
    const std::vector<Exchanger> three{{"better.x", 5}, {"equal.x", 10}, {"us.x", 10}};
    const std::vector<AddressAnswer> answers{at({"192.0.2.1"}), at({"192.0.2.2"}), at({"192.0.2.9"})};
    CHECK(shown(choose_stops("dom.x", three, answers, {{}, {*mail::IpAddress::parse("192.0.2.9")}})) == "better.x=192.0.2.1");
}
