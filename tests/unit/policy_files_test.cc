// names.blocked and senders, the tarpit's schedule, the forgery tags.
#include "policy/recipients.hh"
#include "policy/tags.hh"
#include "policy/tarpit.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::policy;
using test::must;

namespace {
mail::Path path(std::string_view text) { return must(mail::Path::parse(text)); }
mail::IpAddress ip(std::string_view text) { return must(mail::IpAddress::parse(text)); }
}  // namespace

TEST_CASE("names.blocked: whole addresses in both forms, any case") {
    constexpr std::string_view file = "# gone\nexample.org!ann  her note\nBob@Example.ORG\n\nx!y";
    CHECK(is_name_blocked(file, path("ann@example.org")));
    CHECK(is_name_blocked(file, path("ANN@EXAMPLE.org")));
    CHECK(is_name_blocked(file, path("bob@example.org")));
    CHECK(is_name_blocked(file, path("y@x")));  // a last line without an end
    CHECK(!is_name_blocked(file, path("ann@example.com")));
    CHECK(!is_name_blocked(file, path("joann@example.org")));
    CHECK(!is_name_blocked(file, path("note@example.org")));
    CHECK(!is_name_blocked("", path("ann@example.org")));
}

TEST_CASE("senders: a recipient with a line is closed to all others") {
    constexpr std::string_view file =
        "all@example.org 192.0.2.0/24 # us\nALL@example.org "
        "2001:db8::1\nexample.org!list\tmx.friend.example\nbad@example.org\nworse@example.org "
        "192.0.2.300\n";
    CHECK(!closed_to(file, path("joe@example.org")).listed);
    const auto all = closed_to(file, path("All@Example.org"));
    CHECK(all.listed);
    CHECK(all.holds(ip("192.0.2.77")));
    CHECK(all.holds(ip("2001:db8::1")));
    CHECK(!all.holds(ip("192.0.3.1")));
    CHECK(all.names.empty());
    // A tag is no way around: the mail would fall to the user. A tagged form with lines of its own has those alone.
    CHECK(closed_to(file, path("all+x@example.org")).holds(ip("192.0.2.77")));
    CHECK(!closed_to(file, path("ALL+x+y@example.org")).holds(ip("192.0.3.1")));
    CHECK(!closed_to(file, path("+all@example.org")).listed);
    CHECK(closed_to("all+x@example.org 192.0.3.1\nall@example.org 192.0.2.1", path("all+x@example.org")).holds(ip("192.0.3.1")));
    CHECK(!closed_to("all+x@example.org 192.0.3.1\nall@example.org 192.0.2.1", path("all+x@example.org")).holds(ip("192.0.2.1")));
    const auto list = closed_to(file, path("list@example.org"));
    CHECK(list.listed);
    CHECK(list.networks.empty());
    REQUIRE(list.names.size() == 1);
    CHECK(list.names.front().text() == "mx.friend.example");
    // What cannot be read opens nothing.
    CHECK(closed_to(file, path("bad@example.org")).listed);
    CHECK(!closed_to(file, path("worse@example.org")).holds(ip("192.0.2.30")));
    const auto faults = faults_of_senders(file);
    REQUIRE(faults.size() == 2);
    CHECK(faults[0].line == 4);
    CHECK(faults[1].line == 5);
}

TEST_CASE("tarpit: who waits how long") {
    using base::Millis;
    const std::vector<mail::Cidr> nets = {must(mail::Cidr::parse("58")), must(mail::Cidr::parse("2001:db8::/32"))};
    struct Case {
        bool on;
        int delay;
        std::string_view peer;
        int wait;
    };
    const Case cases[] = {
        {false, 0, "58.1.2.3", 0},
        {false, 700, "58.1.2.3", 700},
        {true, 0, "192.0.2.1", 15'000},
        {true, 0, "58.1.2.3", 60'000},
        {true, 700, "192.0.2.1", 700},
        {true, 700, "58.1.2.3", 60'000},
        {true, 0, "2001:db8::1", 60'000},
        {true, 0, "2001:db9::1", 15'000},
        {true, 0, "", 15'000},
        {false, 0, "", 0},
    };
    for (const auto& c : cases) {
        INFO(c.peer, " ", c.delay);
        const Tarpit tarpit{c.on, Millis{c.delay}, Millis{60'000}, nets};
        const auto peer = c.peer.empty() ? std::nullopt : std::optional(ip(c.peer));
        CHECK(greeting_wait(tarpit, peer) == Millis{c.wait});
    }
}

TEST_CASE("tags: who writes in our name") {
    Ours ours;
    ours.domains = {must(mail::DomainPattern::parse("*.example.org"))};
    ours.address = ip("192.0.2.25");
    const std::string envelope = "X-warning: suspect envelope domain\n", sender = "X-warning: suspect Sender: domain\n",
                      from = "X-warning: suspect From: domain\n";
    struct Case {
        std::string_view sender, helo, header;
        std::string tags;
    };
    const Case cases[] = {
        {"a@b.example", "c.example", "From: a@b.example\n\nFrom: joe@example.org\n", ""},
        {"a@example.org", "c.example", "", envelope},
        {"a@MX.Example.org", "c.example", "", envelope},
        {"a@[192.0.2.25]", "c.example", "", envelope},
        {"a@xexample.org", "c.example", "", ""},
        {"", "c.example", "From: joe@example.org\n\n", from},
        {"", "c.example", "FROM : \"x, y\" <joe@Example.Org>\n\n", from},
        {"", "c.example", "From: a@b.example,\n joe@example.org\n\n", from},
        {"", "c.example", "From: joe@example.org\r\n\r\n", from},
        {"", "c.example", "From: joe@example.org\nFrom: ann@example.org\n\n", from + from},
        {"", "c.example", "From: joe@example.org (comment a@b.example)\n\n", from},
        {"", "c.example", "From: joe@b.example (comment a@example.org)\n\n", ""},
        {"", "c.example", "Sender: joe@example.org\n\n", sender},
        {"", "c.example", "Sender: joe@example.org\nFrom: joe@example.org\n\n", sender + from},
        {"", "c.example", "From: joe@example.org\nSender: l@lists.example\n\n", ""},
        {"a@example.org", "c.example", "From: joe@example.org\nSender: l@lists.example\n\n", envelope},
        {"", "c.example", "From: joe\n\n", ""},
        {"", "mx.example.org", "From: joe\n\n", from},
        {"", "c.example", "From: example.org!joe\n\n", from},
        {"", "c.example", "From: other.example!joe\n\n", ""},
        // Not an address by grammar; a reader sees our name all the same.
        {"", "c.example", "From: the boss joe@example.org\n\n", from},
        {"", "c.example", "From: <joe@@example.org>\n\n", from},
        {"", "c.example", "From: <boss\n joe@example.org>\n\n", from},
        {"", "c.example", "From:\n\n", ""},
        {"", "c.example", "X-From: joe@example.org\nTo: joe@example.org\n\n", ""},
        {"", "c.example", "From: joe@example.org", from},  // all header, cut off
    };
    for (const auto& c : cases) {
        INFO(c.header);
        CHECK(forgery_tags(path(c.sender), must(mail::Domain::parse(c.helo)), c.header, ours) == c.tags);
    }
}
