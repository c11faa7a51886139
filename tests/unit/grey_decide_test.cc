// When a caller passes, and what a record is called.
#include <random>
#include <set>

#include "base/ascii.hh"
#include "grey/decide.hh"
#include "grey/names.hh"
#include "secret/digest.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using grey::Call;
using test::must;

namespace {

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, year = 365 * 24 * hour;
constexpr std::int64_t now = 1'800'000'000'000;
constexpr grey::Limits usual;

std::string name_of(std::string_view recipient) {
    return grey::record_name({}, mail::Cidr(must(mail::IpAddress::parse("192.0.2.1")), 24), must(mail::Path::parse(recipient)))
        .recipient;
}

}  // namespace

TEST_CASE("grey decide: by age") {
    const struct {
        std::int64_t age;
        Call call;
        std::int64_t seconds;
    } cases[] = {
        {0, Call::early, 300},           {1, Call::early, 300},
        {second, Call::early, 299},      {5 * minute - 1, Call::early, 1},
        {5 * minute, Call::pass, 0},     {6 * minute, Call::pass, 0},
        {14 * hour, Call::pass, 0},      {14 * hour + 1, Call::first_again, 300},
        {year, Call::first_again, 300},  {10 * year, Call::first_again, 300},    // the clock went forward
        {-second, Call::early, 301},                                             // a coarse clock of the file system
        {-minute, Call::early, 360},     {-minute - 1, Call::first_again, 300},  // the clock went back
        {-hour, Call::first_again, 300}, {-10 * year, Call::first_again, 300},
    };
    for (const auto& c : cases) {
        CAPTURE(c.age);
        const auto decision = grey::decide(now, now - c.age, usual);
        CHECK(decision.call == c.call);
        CHECK(decision.seconds == c.seconds);
    }
    CHECK(grey::decide(now, std::nullopt, usual).call == Call::first);
    CHECK(grey::decide(now, std::nullopt, usual).seconds == 300);
}

TEST_CASE("grey decide: whatever a record says, a caller who comes back as told passes at last") {
    std::minstd_rand random(7);
    for (int round = 0; round < 2000; ++round) {
        std::int64_t clock = now + static_cast<std::int64_t>(random()) * 1000;
        std::optional<std::int64_t> stamp =
            clock + (static_cast<std::int64_t>(random()) - 1'000'000'000) * static_cast<std::int64_t>(random() % 2000);
        if (round % 10 == 0) stamp.reset();
        int calls = 0;
        for (;; ++calls) {
            REQUIRE(calls < 5);
            const auto decision = grey::decide(clock, stamp, usual);
            if (decision.call == Call::pass) break;
            REQUIRE(decision.seconds >= 1);
            REQUIRE(decision.seconds <= 360);
            if (decision.call != Call::early) stamp = clock;
            clock += decision.seconds * second;
        }
    }
}

TEST_CASE("grey decide: a window shorter than its beginning is one moment, not never") {
    const grey::Limits bent{base::Millis{10 * minute}, base::Millis{minute}};
    CHECK(grey::decide(now, now - 10 * minute, bent).call == Call::pass);
}

TEST_CASE("grey names: networks") {
    const struct {
        const char* address;
        grey::Grouping grouping;
        const char* network;
    } cases[] = {
        {"192.0.2.77", {}, "192.0.2.0/24"},
        {"192.0.2.77", {32, 64}, "192.0.2.77"},
        {"192.0.2.77", {1, 64}, "128.0.0.0/1"},
        {"2001:db8:1:2:3::4", {}, "2001:db8:1:2::/64"},
        {"2001:db8:1:2:3::4", {24, 128}, "2001:db8:1:2:3::4"},
        {"::ffff:192.0.2.77", {}, "192.0.2.0/24"},
    };
    for (const auto& c : cases) CHECK(grey::network_of(must(mail::IpAddress::parse(c.address)), c.grouping).text() == c.network);
    const auto caller = grey::network_of(must(mail::IpAddress::parse("2001:db8:1:2:3::4")), {});
    const auto name =
        grey::record_name(must(mail::IpAddress::parse("192.0.2.25")), caller, must(mail::Path::parse("You@Example.org")));
    CHECK(name.local == "192.0.2.25");
    CHECK(name.remote == "2001:db8:1:2::");
    CHECK(name.recipient == "you@example.org");
    CHECK(grey::record_name({}, caller, must(mail::Path::parse("a@b.c"))).local == "unknown");
}

TEST_CASE("grey names: recipients that would like to be something else") {
    const std::pair<const char*, std::string> cases[] = {
        {"you@example.org", "you@example.org"},
        {"YOU@EXAMPLE.ORG", "you@example.org"},
        {"\"..\"@example.org", "%22..%22@example.org"},
        {"\"../../etc/x\"@a", "%22..%2F..%2Fetc%2Fx%22@a"},
        {"\"a/b\"@a", "a%2Fb@a"},
        {"\"\\.\\.\"@a", "%22..%22@a"},
        {"x'--@a", "x%27--@a"},
        {"-rf@a", "-rf@a"},
        {"postmaster", "postmaster"},
        {"\"with space\"@a", "%22with%20space%22@a"},
        {"you+tag=x@example.org", "you+tag=x@example.org"},
        {"@relay.example:you@example.org", "you@example.org"},
    };
    for (const auto& [recipient, name] : cases) {
        CAPTURE(recipient);
        CHECK(name_of(recipient) == name);
    }
}

TEST_CASE("grey names: long ones are cut, harmless, and still different") {
    std::set<std::string> names;
    for (unsigned i = 0; i < 300; ++i) {
        const std::string text = std::string(180 + i % 7, '/') + std::string(200, 'x') + std::to_string(i);
        const std::string name = grey::recipient_name(text);
        CHECK(name.size() <= 200);
        CHECK(name.find('/') == std::string::npos);
        CHECK(name.find('~') == 120);
        names.insert(name);
    }
    CHECK(names.size() == 300);
    CHECK(grey::recipient_name(std::string(300, 'A')) == grey::recipient_name(std::string(300, 'a')));
    CHECK(grey::recipient_name(std::string(200, 'a')) == std::string(200, 'a'));
    CHECK(grey::recipient_name(std::string(201, 'a')).size() == 185);
}

TEST_CASE("secret digest: BLAKE2b-256") {
    // RFC 7693 gives BLAKE2b-512 only; these two are from b2sum -l 256.
    CHECK(secret::hex(secret::digest("")) == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    CHECK(secret::hex(secret::digest("abc")) == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    const std::string key(32, 'k');
    CHECK(secret::digest("abc", key) != secret::digest("abc"));
    CHECK(secret::digest("abc", key) == secret::digest("abc", key));
    CHECK(secret::digest("abc", "short") != secret::digest("abc", "shoru"));
    CHECK(secret::digest("abc", std::string(100, 'k')) != secret::digest("abc", std::string(101, 'k')));
}
