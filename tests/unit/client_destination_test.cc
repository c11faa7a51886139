#include "client/destination.hh"

#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::client;

namespace {

std::string shown(std::string_view text) {
    const auto d = parse_destination(text);
    if (!d) return "-";
    static constexpr const char* how[] = {"mx ", "name ", "", "unix "};
    std::string out = how[static_cast<int>(d->how)] + d->text();
    if (d->how == Destination::How::exchange) out += ":" + std::to_string(d->port);
    return out + (d->lmtp ? " lmtp" : "");
}

}  // namespace

TEST_CASE("destination: every form") {
    struct Case {
        const char* text;
        const char* means;
    };
    const Case cases[] = {
        {"example.org", "mx example.org:25"},
        {"example.org.", "mx example.org:25"},
        {"example.org:2525", "mx example.org:2525"},
        {"example.org:submission", "mx example.org:587"},
        {"host", "mx host:25"},
        {"net!host", "mx host:25"},
        {"net!host!smtp", "mx host:25"},
        {"tcp!example.org!587", "mx example.org:587"},
        {"/net/tcp!host!25", "mx host:25"},
        {"/net.alt/tcp!host", "mx host:25"},
        {"[192.0.2.1]", "[192.0.2.1]:25"},
        {"[192.0.2.1]:2525", "[192.0.2.1]:2525"},
        {"192.0.2.1", "[192.0.2.1]:25"},
        {"192.0.2.1:26", "[192.0.2.1]:26"},
        {"[IPv6:2001:db8::1]", "[2001:db8::1]:25"},
        {"[2001:db8::1]:26", "[2001:db8::1]:26"},
        {"2001:db8::1", "[2001:db8::1]:25"},
        {"tcp![2001:db8::1]!26", "[2001:db8::1]:26"},
        {"net!192.0.2.1!26", "[192.0.2.1]:26"},
        {"[mx.example.org]", "name [mx.example.org]:25"},
        {"[mx.example.org]:26", "name [mx.example.org]:26"},
        {"unix!/run/x!y", "unix /run/x!y"},
        {"lmtp!/run/lmtp", "unix /run/lmtp lmtp"},
        {"lmtp!box!2003", "name [box]:2003 lmtp"},
        {"lmtp!box", "name [box]:24 lmtp"},
        {"lmtp!127.0.0.1!lmtp", "[127.0.0.1]:24 lmtp"},
        {"m\u00fcnchen.example", "mx xn--mnchen-3ya.example:25"},
        {"mail.B\u00fccher.example.:2525", "mx mail.xn--bcher-kva.example:2525"},
        {"[\u4f8b\u3048.example]:26", "name [xn--r8jz45g.example]:26"},
        {"net!\u4f8b\u3048.example!smtp", "mx xn--r8jz45g.example:25"},
        {"xn--mnchen-3ya.example", "mx xn--mnchen-3ya.example:25"},
        // 66 octets of UTF-8, 47 in ASCII
        {"\u4ed6\u4eec\u4e3a\u4ec0\u4e48\u4e0d\u8bf4\u4e2d\u6587\u4ed6\u4eec\u4e3a\u4ec0\u4e48\u4e0d\u8bf4\u4e2d\u6587\u4ed6"
         "\u4eec\u4e3a\u4ec0.example",
         "mx xn--ihqa9gb5dcc0id90jeae8yff45agg8501iha1867ria.example:25"},
        {"xn--m\u00fcnchen.example", "-"},
        {"b\u00fc cher.example", "-"},
        {"b\u00fccher\xff.example", "-"},
        {"-b\u00fccher.example", "-"},
        {"", "-"},
        {"!", "-"},
        {"host:", "-"},
        {"host:0", "-"},
        {"host:65536", "-"},
        {"host:+25", "-"},
        {"host:nosuch", "-"},
        {"net!host!25!x", "-"},
        {"bitnet!host", "-"},
        {"unix!relative", "-"},
        {"[192.0.2.1", "-"},
        {"[]", "-"},
        {"$smtp", "-"},
        {"a b", "-"},
        {"-x", "-"},
        {"tcp!host!", "-"},
    };
    for (const Case& c : cases) {
        INFO(c.text);
        CHECK(shown(c.text) == c.means);
    }
}

TEST_CASE("destination: what qualifies a recipient") {
    CHECK(parse_destination("example.org:26")->domain() == "example.org");
    CHECK(parse_destination("[2001:db8::1]:26")->domain() == "[IPv6:2001:db8::1]");
    CHECK(parse_destination("b\u00fccher.example")->domain() == "xn--bcher-kva.example");
    CHECK(parse_destination("lmtp!/run/lmtp")->domain().empty());
}
