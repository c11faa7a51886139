// Answer packets octet by octet: what a hostile name server may write.
#include "dns/records.hh"

#include "mail/domain.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/test.hh"

using namespace std::string_literals;
using namespace greylag;
using namespace greylag::dns;
using test::DnsResponder;

namespace {

std::string two(unsigned n) { return {static_cast<char>(n >> 8 & 0xff), static_cast<char>(n & 0xff)}; }
std::string record(const std::string& owner, unsigned type, const std::string& data) {
    return owner + two(type) + two(1) + two(0) + two(300) + two(static_cast<unsigned>(data.size())) + data;
}
// An answer to a question for a.test; every owner below may point at it.
const std::string question_name("\xc0\x0c", 2);
std::string packet(unsigned type, const std::vector<std::string>& records, unsigned flags = 0x8180) {
    std::string out = two(7) + two(flags) + two(1) + two(static_cast<unsigned>(records.size())) + two(0) + two(0);
    out += DnsResponder::wire_name("a.test") + two(type) + two(1);
    for (const auto& r : records) out += r;
    return out;
}
std::string pointer(std::size_t to) { return two(0xc000u | static_cast<unsigned>(to)); }

}  // namespace

TEST_CASE("dns: a packet cut anywhere is an error or the same answer, never a fault") {
    const std::string whole = packet(15, {record(question_name, 15, two(10) + "\x02mx" + question_name),
                                          record(question_name, 15, two(20) + DnsResponder::wire_name("b.test"))});
    const auto answer = read_answer<Mx>(whole, Type::mx);
    REQUIRE(answer.has_value());
    CHECK(answer->records == std::vector<Mx>{{10, "mx.a.test"}, {20, "b.test"}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto cut = read_answer<Mx>(std::string(whole, 0, size), Type::mx);
        REQUIRE_MESSAGE(!cut.has_value(), size);
        CHECK(cut.error().lasting == Lasting::temporary);
    }
}

TEST_CASE("dns: hostile packets are temporary errors or harmless answers") {
    const std::string tail = DnsResponder::wire_name("a.test");
    const std::size_t here = packet(15, {}).size();  // where the first owner stands
    struct Case {
        const char* what;
        std::string bytes;
        int records;  // -1: an error
    };
    const Case cases[] = {
        {"nothing", "", -1},
        {"a name that points at itself", packet(15, {record(pointer(here), 15, two(1) + tail)}), -1},
        {"two names that point at each other", packet(15, {pointer(here + 2) + pointer(here) + std::string(10, '\0')}), -1},
        {"a pointer behind the end", packet(15, {record(question_name, 15, two(1) + pointer(4000))}), -1},
        {"a label behind the end of the packet",
         packet(15, {record(question_name, 15,
                            two(1) + "\x3f"
                                     "x")}),
         -1},
        {"data that ends inside the preference", packet(15, {record(question_name, 15, "x")}), -1},
        {"data behind the name", packet(15, {record(question_name, 15, two(1) + tail + "more")}), -1},
        {"more records promised than sent", packet(15, {record(question_name, 15, two(1) + tail)}).replace(6, 2, two(9)), -1},
        {"no question", packet(15, {}).replace(4, 2, two(0)), -1},
        {"two questions", packet(15, {}).replace(4, 2, two(2)), -1},
        {"somebody else's records", packet(15, {record(DnsResponder::wire_name("b.test"), 15, two(1) + tail)}), 0},
        {"records of another class", packet(15, {record(question_name, 15, two(1) + tail).replace(4, 2, two(3))}), 0},
        {"records of another type", packet(15, {record(question_name, 1, "abcd")}), 0},
        {"an alias of itself", packet(15, {record(question_name, 5, question_name), record(question_name, 15, two(1) + tail)}),
         1},
        {"an alias behind its records",
         packet(15, {record(DnsResponder::wire_name("b.test"), 15, two(1) + tail),
                     record(question_name, 5, DnsResponder::wire_name("b.test"))}),
         1},
        {"the owner in capitals", packet(15, {record(DnsResponder::wire_name("A.TEST"), 15, two(1) + tail)}), 1},
    };
    for (const auto& c : cases) {
        CAPTURE(c.what);
        const auto answer = read_answer<Mx>(c.bytes, Type::mx);
        CHECK((answer ? static_cast<int>(answer->records.size()) : -1) == c.records);
    }
}

TEST_CASE("dns: addresses have their length, text its strings") {
    CHECK(read_answer<mail::IpAddress>(packet(1, {record(question_name, 1, "\xc0\0\2\1"s)}), Type::a)->records.at(0).text() ==
          "192.0.2.1");
    CHECK(!read_answer<mail::IpAddress>(packet(1, {record(question_name, 1, "abc")}), Type::a));
    CHECK(!read_answer<mail::IpAddress>(packet(1, {record(question_name, 1, "abcde")}), Type::a));
    CHECK(!read_answer<mail::IpAddress>(packet(28, {record(question_name, 28, "abcd")}), Type::aaaa));
    CHECK(read_answer<Text>(packet(16, {record(question_name, 16, "\1a\0\2bc"s)}), Type::txt)->records ==
          std::vector<Text>{{"abc"}});
    CHECK(!read_answer<Text>(packet(16, {record(question_name, 16, "\5abc"s)}), Type::txt));
    CHECK(read_answer<Tlsa>(packet(52, {record(question_name, 52, "\3\1\1"s)}), Type::tlsa)->records ==
          std::vector<Tlsa>{{3, 1, 1, ""}});
    CHECK(!read_answer<Tlsa>(packet(52, {record(question_name, 52, "\3\1"s)}), Type::tlsa));
}

TEST_CASE("dns: a name with odd octets is spelt out, not cut") {
    const std::string odd =
        "\x09"
        "a b\n\0\xff.x\\"
        "\x04test\0"s;
    const auto answer = read_answer<Name>(packet(12, {record(question_name, 12, odd)}), Type::ptr);
    REQUIRE(answer.has_value());
    for (const char c : answer->records.at(0).text) CHECK((c >= ' ' && c < 0x7f));
    CHECK(!mail::Domain::parse(answer->records.at(0).text));
}

TEST_CASE("dns: a crowd of records is heard to its 1024th") {
    std::vector<std::string> records;
    for (int i = 0; i < 3000; ++i) records.push_back(record(question_name, 1, "abcd"));
    CHECK(read_answer<mail::IpAddress>(packet(1, records), Type::a)->records.size() == 1024);
}

TEST_CASE("dns: rcode and AD are read as they stand") {
    CHECK(read_answer<Mx>(packet(15, {}, 0x8183), Type::mx)->found == Found::no_name);
    CHECK(read_answer<Mx>(packet(15, {}, 0x8180), Type::mx)->found == Found::no_data);
    CHECK(!read_answer<Mx>(packet(15, {}, 0x8180), Type::mx)->authentic);
    CHECK(read_answer<Mx>(packet(15, {}, 0x81a3), Type::mx)->authentic);
    for (const unsigned rcode : {1u, 2u, 4u, 5u, 9u, 15u}) CHECK(!read_answer<Mx>(packet(15, {}, 0x8180 | rcode), Type::mx));
}

TEST_CASE("dns: reverse names") {
    CHECK(reverse_name(*mail::IpAddress::parse("192.0.2.1")) == "1.2.0.192.in-addr.arpa");
    CHECK(reverse_name(*mail::IpAddress::parse("2001:db8::1")) ==
          "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    CHECK(reverse_name(*mail::IpAddress::parse("2001:db8::1")) == DnsResponder::reverse_name("2001:db8::1"));
}
