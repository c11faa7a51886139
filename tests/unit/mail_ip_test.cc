#include <random>

#include "mail/ip.hh"
#include "tests/support/test.hh"

using namespace greylag::mail;

namespace {

std::string shown(std::string_view text) {
    const auto address = IpAddress::parse(text);
    return address ? address->text() : "bad";
}

std::string network(std::string_view text) {
    const auto cidr = Cidr::parse(text);
    return cidr ? cidr->text() : "bad";
}

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

// Sparse, so that runs of zero groups, loopback and mapped addresses come up.
IpAddress random_address(std::mt19937& random) {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes) byte = random() % 3 == 0 ? static_cast<std::uint8_t>(random()) : std::uint8_t{0};
    if (random() % 4 == 0) return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
    return IpAddress::v6(bytes);
}

}  // namespace

TEST_CASE("ip: text forms, RFC 5952 sections 4 and 5") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:0db8::0001", "2001:db8::1"},
        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:DB8::AaAa", "2001:db8::aaaa"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"0:0:0:1:0:0:0:0", "0:0:0:1::"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:201", "192.0.2.1"},
        {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    };
    for (const auto& [text, want] : cases) {
        CAPTURE(text);
        CHECK(shown(text) == want);
        CHECK(ip(want) == ip(text));
    }
}

TEST_CASE("ip: what is no address") {
    for (const std::string_view bad : {"",
                                       ".",
                                       "1",
                                       "1.2.3",
                                       "1.2.3.4.5",
                                       "1.2.3.256",
                                       "01.2.3.4",
                                       "1.2.3.00",
                                       "1.2.3.4 ",
                                       " 1.2.3.4",
                                       "1.2.3.-4",
                                       "1..3.4",
                                       "1.2.3.",
                                       "0x1.2.3.4",
                                       ":",
                                       ":::",
                                       "1:2:3:4:5:6:7",
                                       "1:2:3:4:5:6:7:8:9",
                                       "1::2::3",
                                       "12345::",
                                       "g::",
                                       ":1:2:3:4:5:6:7",
                                       "1:2:3:4:5:6:7:",
                                       "::1.2.3",
                                       "::1.2.3.4.5",
                                       "::1.2.3.4:1",
                                       "1.2.3.4::",
                                       "1:2:3:4:5:6:7:1.2.3.4",
                                       "fe80::1%eth0",
                                       "[::1]",
                                       "1:2:3:4::5:6:7:8",
                                       "::ffff:1.2.3.256",
                                       "1.2.3.4:25"}) {
        CAPTURE(bad);
        CHECK(shown(bad) == "bad");
    }
}

TEST_CASE("ip: literals of RFC 5321 4.1.3") {
    CHECK(IpAddress::parse_literal("[192.0.2.1]")->text() == "192.0.2.1");
    CHECK(IpAddress::parse_literal("[IPv6:2001:db8::1]")->literal() == "[IPv6:2001:db8::1]");
    CHECK(IpAddress::parse_literal("[ipv6:::1]")->is_loopback());
    CHECK(IpAddress::parse_literal("[IPv6:::ffff:1.2.3.4]")->literal() == "[1.2.3.4]");
    for (const std::string_view bad :
         {"", "[", "[]", "]", "192.0.2.1", "[192.0.2.1", "[1.2.3]", "[300.1.1.1]", "[IPv6:::g]", "[IPv6:1::2::3]",
          "[IPv6:12345::]", "[2001:db8::1]", "[IPv6:1.2.3.4]", "[ 1.2.3.4]", "[IPv6:]", "[[1.2.3.4]]", "[IPv6:::1%0]"}) {
        CAPTURE(bad);
        CHECK_FALSE(IpAddress::parse_literal(bad));
    }
}

TEST_CASE("ip: loopback, family, order") {
    CHECK(IpAddress{}.text() == "0.0.0.0");
    CHECK(ip("127.9.9.9").is_loopback());
    CHECK(ip("::ffff:127.0.0.1").is_loopback());
    CHECK_FALSE(ip("128.0.0.1").is_loopback());
    CHECK_FALSE(ip("::2").is_loopback());
    CHECK_FALSE(ip("1::1").is_loopback());
    CHECK(ip("9.0.0.0") < ip("10.0.0.0"));
    CHECK(ip("255.255.255.255") < ip("::"));
    CHECK(ip("::1").bits() == 128);
    CHECK(ip("1.2.3.4").bytes()[15] == 4);
}

TEST_CASE("ip: networks") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"192.0.2.77/24", "192.0.2.0/24"},
        {"192.0.2.77/32", "192.0.2.77"},
        {"192.0.2.77", "192.0.2.77"},
        {"1.2.3.4/0", "0.0.0.0/0"},
        {"10", "10.0.0.0/8"},
        {"10.", "10.0.0.0/8"},
        {"172.16", "172.16.0.0/16"},
        {"192.0.2", "192.0.2.0/24"},
        {"192.0.2.", "192.0.2.0/24"},
        {"2001:db8::1/32", "2001:db8::/32"},
        {"2001:db8::1", "2001:db8::1"},
        {"::/0", "::/0"},
        {"ffff::/3", "e000::/3"},
        {"1.2.3.255/25", "1.2.3.128/25"},
        {"::ffff:10.1.2.3/104", "10.0.0.0/8"},
    };
    for (const auto& [text, want] : cases) {
        CAPTURE(text);
        CHECK(network(text) == want);
        CHECK(network(want) == want);
    }
    for (const std::string_view bad :
         {"", ".", "/", "/8", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/08", "1.2.3.4/8/8", "::/129", "10/8", "10..",
          "256", "1.2.3.4.", "::ffff:1.2.3.4/95", "1.2.3.4/ 8", "x", "::1 /64"}) {
        CAPTURE(bad);
        CHECK(network(bad) == "bad");
    }
    CHECK(Cidr(ip("1.2.3.4"), 99).text() == "1.2.3.4");
    CHECK(Cidr(ip("1.2.3.4"), -5).text() == "0.0.0.0/0");
    CHECK_FALSE(Cidr::parse("::/0")->contains(ip("1.2.3.4")));
    CHECK_FALSE(Cidr::parse("0.0.0.0/0")->contains(ip("::1")));
}

TEST_CASE("ip: what is printed is read back, and a network holds exactly its own") {
    std::mt19937 random(7);
    for (int i = 0; i < 20000; ++i) {
        const IpAddress address = random_address(random);
        REQUIRE(IpAddress::parse(address.text()) == address);
        REQUIRE(IpAddress::parse_literal(address.literal()) == address);

        const Cidr net(address, static_cast<int>(random() % 129));
        REQUIRE(Cidr::parse(net.text()) == net);
        REQUIRE(net.contains(address));
        REQUIRE(net.contains(net.address()));
        REQUIRE(net.contains(net.last()));
        REQUIRE(net.last().family() == address.family());
        const IpAddress other = random_address(random);
        REQUIRE(net.contains(other) == (other >= net.address() && other <= net.last()));
    }
    // The one network whose highest address has the v4-mapped form.
    CHECK(Cidr::parse("::/80")->last() > ip("::1"));
}
