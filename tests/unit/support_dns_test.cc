#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sys/io.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/stream.hh"
#include "tests/support/test.hh"

using namespace std::string_view_literals;
using namespace greylag;
using namespace greylag::test;

namespace {

std::string query(std::string_view name, std::uint16_t type, bool edns = false) {
    std::string q("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
    if (edns) q[11] = 1;
    q += DnsResponder::wire_name(name);
    q += static_cast<char>(type >> 8);
    q += static_cast<char>(type & 0xff);
    q += "\x00\x01"sv;
    if (edns) q += "\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"sv;
    return q;
}

sys::Fd udp_to(const DnsResponder& dns) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(dns.port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sys::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    return fd;
}

std::string ask_udp(const DnsResponder& dns, const std::string& q, base::Millis patience = base::Seconds(20)) {
    const sys::Fd fd = udp_to(dns);
    must(sys::write_all(fd.get(), q, soon()));
    char room[4096];
    const auto n = sys::read_some(fd.get(), room, sys::Deadline::in(patience));
    return n ? std::string(room, *n) : std::string();
}

std::string ask_tcp(const DnsResponder& dns, const std::string& q) {
    Stream stream = must(connect_to("127.0.0.1", dns.port()));
    const char head[] = {static_cast<char>(q.size() >> 8), static_cast<char>(q.size() & 0xff)};
    must(stream.send(std::string(head, 2) + q));
    const std::string size = must(stream.read_exactly(2));
    return must(stream.read_exactly(static_cast<std::size_t>(static_cast<unsigned char>(size[0])) << 8 |
                                    static_cast<unsigned char>(size[1])));
}

// Flags, counts and what stands behind the question.
struct Seen {
    unsigned code = 99, answers = 0, authority = 0;
    bool truncated = false, ad = false;
    std::string rest;
};
Seen look(const std::string& answer, const std::string& q) {
    Seen seen;
    if (answer.size() < 12) return seen;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(answer[i])); };
    seen.code = byte(3) & 15u;
    seen.truncated = (byte(2) & 2u) != 0;
    seen.ad = (byte(3) & 0x20u) != 0;
    seen.answers = byte(7);
    seen.authority = byte(9);
    CHECK(answer.substr(0, 2) == q.substr(0, 2));
    const std::size_t question = q.find('\0', 12) + 5 - 12;
    CHECK(answer.substr(12, question) == q.substr(12, question));
    seen.rest = answer.substr(12 + question);
    return seen;
}
Seen ask(const DnsResponder& dns, std::string_view name, std::uint16_t type) {
    const std::string q = query(name, type);
    return look(ask_udp(dns, q), q);
}

}  // namespace

TEST_CASE("support: the name server answers octet for octet") {
    DnsResponder dns;
    dns.mx("a.test", 10, "mx.a.test");
    dns.address("mx.a.test", "192.0.2.1");
    const std::string q = query("A.tEst", rr::mx);
    CHECK(ask_udp(dns, q) ==
          "\x12\x34\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00"sv
          "\x01"
          "A\x04tEst\x00\x00\x0f\x00\x01"sv
          "\x01"
          "a\x04test\x00\x00\x0f\x00\x01\x00\x00\x01\x2c\x00\x0d\x00\x0a"sv
          "\x02mx\x01"
          "a\x04test\x00"sv);
    CHECK(ask(dns, "mx.a.test", rr::a).rest.ends_with("\x00\x04\xc0\x00\x02\x01"sv));
    CHECK(dns.asked("a.test", rr::mx) == 1);
    CHECK(dns.asked("a.test") == 1);
    CHECK(dns.asked("mx.a.test", rr::mx) == 0);
    CHECK(dns.text() == "127.0.0.1:" + std::to_string(dns.port()));
}

TEST_CASE("support: the name server knows every type we ask for") {
    DnsResponder dns;
    dns.address("h.test", "2001:db8::1");
    dns.txt("h.test", std::string(300, 't'));
    dns.tlsa("_25._tcp.h.test", 3, 1, 1, "digest");
    dns.ptr("192.0.2.7", "h.test");
    dns.ptr("2001:db8::1", "h.test");
    dns.mx("null.test", 0, ".");
    dns.cname("alias.test", "h.test");
    dns.raw("h.test", 99, "xyz");
    CHECK(ask(dns, "h.test", rr::aaaa).rest.ends_with("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"sv));
    const Seen txt = ask(dns, "h.test", rr::txt);
    CHECK(txt.rest.ends_with("\xff" + std::string(255, 't') + "\x2d" + std::string(45, 't')));
    CHECK(ask(dns, "_25._tcp.h.test", rr::tlsa)
              .rest.ends_with("\x00\x09\x03\x01\x01"
                              "digest"sv));
    CHECK(ask(dns, "7.2.0.192.in-addr.arpa", rr::ptr).rest.ends_with("\x01h\x04test\0"sv));
    CHECK(ask(dns, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", rr::ptr).answers == 1);
    CHECK(ask(dns, "null.test", rr::mx).rest.ends_with("\x00\x03\x00\x00\x00"sv));
    CHECK(ask(dns, "alias.test", rr::aaaa).answers == 2);
    CHECK(ask(dns, "alias.test", rr::cname).answers == 1);
    CHECK(ask(dns, "h.test", 99).rest.ends_with("\x00\x03xyz"sv));
}

TEST_CASE("support: the name server says no in every way") {
    DnsResponder dns;
    dns.address("deep.under.test", "192.0.2.1");
    for (const auto name : {"nx.test", "nodata.test", "servfail.test", "refused.test", "formerr.test", "garbage.test"})
        dns.address(name, "192.0.2.1");
    dns.fault("nx.test", DnsFault::nxdomain);
    dns.fault("nodata.test", DnsFault::nodata);
    dns.fault("servfail.test", DnsFault::servfail);
    dns.fault("refused.test", DnsFault::refused);
    dns.fault("formerr.test", DnsFault::formerr);
    dns.fault("garbage.test", DnsFault::garbage);
    dns.fault("deep.under.test", DnsFault::servfail, rr::mx);
    struct {
        std::string_view name;
        std::uint16_t type;
        unsigned code, answers, authority;
    } const cases[] = {
        {"unknown.test", rr::a, 3, 0, 1},     {"under.test", rr::a, 0, 0, 1},      {"deep.under.test", rr::txt, 0, 0, 1},
        {"nx.test", rr::a, 3, 0, 1},          {"nodata.test", rr::a, 0, 0, 1},     {"servfail.test", rr::a, 2, 0, 0},
        {"refused.test", rr::a, 5, 0, 0},     {"formerr.test", rr::a, 1, 0, 0},    {"garbage.test", rr::a, 0, 3, 0},
        {"deep.under.test", rr::mx, 2, 0, 0}, {"deep.under.test", rr::a, 0, 1, 0},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        const Seen seen = ask(dns, c.name, c.type);
        CHECK(seen.code == c.code);
        CHECK(seen.answers == c.answers);
        CHECK(seen.authority == c.authority);
    }
    dns.fault("nx.test", DnsFault::none);
    CHECK(ask(dns, "nx.test", rr::a).answers == 1);
}

TEST_CASE("support: the name server is silent, late or lies about the id") {
    DnsResponder dns;
    dns.fault("silent.test", DnsFault::silence);
    CHECK(ask_udp(dns, query("silent.test", rr::a), base::Millis(50)).empty());
    CHECK(dns.asked("silent.test") == 1);
    dns.address("late.test", "192.0.2.1");
    dns.delay("late.test", base::Millis(100));
    const auto start = sys::stopwatch();
    CHECK(ask(dns, "late.test", rr::a).answers == 1);
    CHECK(sys::since(start) >= base::Millis(99));
    dns.fault("liar.test", DnsFault::wrong_id);
    CHECK(ask_udp(dns, query("liar.test", rr::a)).substr(0, 2) == "\x47\x61");
    CHECK(ask_udp(dns, "no query", base::Millis(20)).empty());
}

TEST_CASE("support: the name server truncates over UDP and answers over TCP") {
    DnsResponder dns;
    dns.address("cut.test", "192.0.2.1");
    dns.fault("cut.test", DnsFault::truncated);
    for (int i = 0; i < 40; ++i) dns.mx("many.test", 10, "mx" + std::to_string(i) + ".many.test");
    dns.authenticated("many.test");
    for (const auto name : {"cut.test"sv, "many.test"sv}) {
        CAPTURE(name);
        const std::string q = query(name, name == "cut.test" ? rr::a : rr::mx);
        const Seen udp = look(ask_udp(dns, q), q);
        CHECK(udp.truncated);
        CHECK(udp.answers == 0);
        const Seen tcp = look(ask_tcp(dns, q), q);
        CHECK(!tcp.truncated);
        CHECK(tcp.answers == (name == "cut.test" ? 1 : 40));
        CHECK(tcp.ad == (name == "many.test"));
    }
    const std::string q = query("many.test", rr::mx, true);
    CHECK(look(ask_udp(dns, q), q).answers == 40);
    CHECK(dns.questions().back().tcp == false);
    CHECK(dns.questions()[1].tcp == true);
}
