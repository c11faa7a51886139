// The whitelist's grammar, and the compiled index beside a plain reading of the same lines.
#include <algorithm>
#include <random>

#include "grey/index.hh"
#include "grey/line.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using grey::Found;
using grey::Line;
using test::must;

namespace {

std::string shown(std::string_view text) {
    const Line line = grey::read_line(text);
    if (line.what == Line::What::nothing) return "";
    return line.network ? line.network->text() : "unreadable";
}

using Index = std::vector<grey::Block>;

Index compiled(const std::vector<mail::Cidr>& networks) {
    grey::Intervals intervals;
    for (const auto& network : networks) intervals.add(network);
    intervals.finish();
    grey::IndexHeader header;
    header.v4 = intervals.v4().size(), header.v6 = intervals.v6().size();
    Index index{grey::encode(header)};
    grey::IndexWriter writer(intervals);
    for (grey::Block block; writer.next(block);) index.push_back(block);
    REQUIRE(index.size() * grey::block_size == grey::index_size(header));
    return index;
}

Found asked(const Index& index, const mail::IpAddress& address, unsigned* reads = nullptr) {
    const auto header = grey::decode_header(index[0]);
    if (!header) return Found::damaged;
    if (grey::index_size(*header) != index.size() * grey::block_size) return Found::damaged;
    grey::IndexSearch search(*header, address);
    while (const auto number = search.wanted()) {
        if (*number >= index.size()) return Found::damaged;
        if (reads != nullptr) ++*reads;
        search.take(index[*number]);
    }
    return search.found();
}

// Crowded, so that networks nest, overlap, touch and repeat.
struct Crowd {
    std::minstd_rand random;
    mail::IpAddress address() {
        const auto octet = [this](unsigned most) { return static_cast<std::uint8_t>(random() % (most + 1)); };
        if (random() % 3 != 0)
            return mail::IpAddress::v4(
                {static_cast<std::uint8_t>(random() % 8 == 0 ? 255 : 10), octet(3), octet(255), octet(255)});
        std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
        bytes[5] = octet(3), bytes[7] = octet(255), bytes[15] = octet(255);
        if (random() % 16 == 0) bytes.fill(0xff);
        return mail::IpAddress::v6(bytes);
    }
    mail::Cidr network() {
        const auto a = address();
        const int least = a.is_v4() ? 14 : 40;
        return mail::Cidr(
            a, random() % 2 == 0 ? a.bits() : least + static_cast<int>(random() % static_cast<unsigned>(a.bits() - least + 1)));
    }
};

}  // namespace

TEST_CASE("whitelist lines: what is read") {
    const std::pair<std::string_view, const char*> cases[] = {
        {"", ""},
        {"   \t", ""},
        {"# 192.0.2.1", ""},
        {"   # comment", ""},
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1\r", "192.0.2.1"},
        {"  192.0.2.1  ", "192.0.2.1"},
        {"192.0.2.1 mx.example.org", "192.0.2.1"},
        {"192.0.2.1\tmx.example.org # a comment", "192.0.2.1"},
        {"192.0.2.1#comment", "192.0.2.1"},
        {"192.0.2.0/24", "192.0.2.0/24"},
        {"192.0.2.77/24 host bits are cleared", "192.0.2.0/24"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"2001:db8::1", "2001:db8::1"},
        {"2001:DB8::/32 upper case", "2001:db8::/32"},
        {"::ffff:192.0.2.1 mapped", "192.0.2.1"},
        {"::ffff:192.0.2.0/120", "192.0.2.0/24"},
        {"::/0", "::/0"},
        {"10 things to do", "unreadable"},
        {"192.0.2", "unreadable"},
        {"192.0.2/24", "unreadable"},
        {"192.0.2.0/33", "unreadable"},
        {"192.0.2.0/", "unreadable"},
        {"192.0.2.0/24/24", "unreadable"},
        {"192.0.2.1,192.0.2.2", "unreadable"},
        {"2001:db8::/129", "unreadable"},
        {"mx.example.org", "unreadable"},
        {"[192.0.2.1]", "unreadable"},
        {"192.0.2.01", "unreadable"},
        {std::string_view("192.0.2.1\0x", 11), "unreadable"},
        {"\xef\xbb\xbf"
         "192.0.2.1",
         "unreadable"},
    };
    for (const auto& [text, network] : cases) {
        CAPTURE(text);
        CHECK(shown(text) == network);
    }
    CHECK(grey::complaint("mx.exa\x1bmple # x") == "expected an address or a network with its bits, not \"mx.exa\\x1bmple\"");
}

TEST_CASE("whitelist lines: our own mark, and nothing that only looks like it") {
    const auto network = must(mail::Cidr::parse("192.0.2.0/24"));
    const std::string ours = grey::own_line(network, 1'795'315'897);
    CHECK(ours == "192.0.2.0/24 # 2026-11-22T02:51:37Z greylist passed\n");
    CHECK(grey::own_mark(ours.substr(0, ours.size() - 1)) == 1'795'315'897);
    CHECK(shown(ours.substr(0, ours.size() - 1)) == "192.0.2.0/24");
    CHECK(shown(grey::allowed_line(network, 0)) == "192.0.2.0/24");
    for (const char* text :
         {"192.0.2.0/24 # 1970-01-01T00:00:00Z allowed", "192.0.2.0/24 # 2026-11-22T02:51:37Z greylist passed, keep!",
          "192.0.2.0/24 # keep: # 2026-11-22T02:51:37Z greylist passed", "192.0.2.0/24 greylist passed",
          "192.0.2.0/24 # 2026-13-22T02:51:37Z greylist passed", "192.0.2.0/24 # 2026-02-30T02:51:37Z greylist passed",
          "192.0.2.0/24 # 2026-11-22 02:51:37Z greylist passed", ""})
        CHECK(!grey::own_mark(text));
}

TEST_CASE("whitelist index: the same answer as every line read, nested and overlapping networks") {
    for (unsigned seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        Crowd crowd{std::minstd_rand(seed)};
        std::vector<mail::Cidr> networks;
        // Around the limits of one block and of one level, too.
        const std::size_t counts[] = {0, 1, 2, 127, 128, 511, 512, 3000};
        for (std::size_t i = 0; i < counts[seed % 8]; ++i) networks.push_back(crowd.network());
        const Index index = compiled(networks);
        const auto plain = [&](const mail::IpAddress& a) {
            return std::any_of(networks.begin(), networks.end(), [&](const auto& n) { return n.contains(a); }) ? Found::yes
                                                                                                               : Found::no;
        };
        unsigned wrong = 0;
        for (int i = 0; i < 400; ++i) {
            const auto address = crowd.address();
            wrong += asked(index, address) != plain(address);
        }
        for (std::size_t i = 0; i < networks.size(); i += 1 + networks.size() / 200)
            for (const auto& edge : {networks[i].address(), networks[i].last()}) wrong += asked(index, edge) != plain(edge);
        CHECK(wrong == 0);
    }
}

TEST_CASE("whitelist index: the ends of the address space") {
    const auto in = [](const char* network, const char* address) {
        return asked(compiled({must(mail::Cidr::parse(network))}), must(mail::IpAddress::parse(address))) == Found::yes;
    };
    CHECK(in("0.0.0.0/0", "0.0.0.0"));
    CHECK(in("0.0.0.0/0", "255.255.255.255"));
    CHECK(!in("0.0.0.0/0", "::1"));
    CHECK(in("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    CHECK(in("::/0", "::"));
    CHECK(!in("::/0", "192.0.2.1"));
    CHECK(in("255.255.255.255", "255.255.255.255"));
    CHECK(!in("255.255.255.255", "255.255.255.254"));
    CHECK(asked(compiled({}), must(mail::IpAddress::parse("192.0.2.1"))) == Found::no);
}

TEST_CASE("whitelist index: a lookup reads a block a level") {
    std::vector<mail::Cidr> networks;
    for (unsigned i = 0; i < 400'000; ++i) {
        const unsigned n = i * 2 + 1;
        networks.emplace_back(mail::IpAddress::v4({10, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                                                   static_cast<std::uint8_t>(n)}),
                              32);
    }
    const Index index = compiled(networks);
    unsigned reads = 0;
    CHECK(asked(index, networks[123'456].address(), &reads) == Found::yes);
    CHECK(reads == 3);
    CHECK(asked(index, must(mail::IpAddress::parse("10.0.0.2"))) == Found::no);
}

TEST_CASE("whitelist index: a changed octet is noticed wherever it is read, and never turns an answer round") {
    Crowd crowd{std::minstd_rand(5)};
    std::vector<mail::Cidr> networks;
    for (int i = 0; i < 3000; ++i) networks.push_back(crowd.network());
    const Index whole = compiled(networks);
    std::minstd_rand random(11);
    unsigned noticed = 0;
    for (int round = 0; round < 3000; ++round) {
        Index damaged = whole;
        const std::size_t block = random() % damaged.size(), at = random() % grey::block_size;
        damaged[block][at] = static_cast<char>(damaged[block][at] ^ static_cast<char>(1 + random() % 255));
        const auto address = crowd.address();
        const Found said = asked(damaged, address);
        if (said == Found::damaged) {
            ++noticed;
            continue;
        }
        REQUIRE(said == asked(whole, address));
    }
    CHECK(noticed > 100);
    Index swapped = whole;
    std::swap(swapped[1], swapped[2]);
    CHECK(asked(swapped, must(mail::IpAddress::parse("10.0.0.1"))) != Found::yes);
    Index cut(whole.begin(), whole.end() - 1);
    CHECK(asked(cut, networks[0].address()) == Found::damaged);
}

TEST_CASE("whitelist index: a header of another make is none") {
    grey::IndexHeader header;
    header.source = {1, 2, 300, -4, 5};
    header.covered = 200, header.lines = 7, header.unreadable = 1, header.v4 = 3, header.v6 = 9;
    const auto again = grey::decode_header(grey::encode(header));
    REQUIRE(again);
    CHECK(again->source == header.source);
    CHECK(again->covered == 200);
    CHECK(again->lines == 7);
    CHECK(again->v6 == 9);
    header.covered = 301;  // more than there is
    CHECK(!grey::decode_header(grey::encode(header)));
    CHECK(!grey::decode_header(grey::Block{}));
}
