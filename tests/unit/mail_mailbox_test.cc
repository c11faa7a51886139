#include <random>

#include "mail/mailbox.hh"
#include "tests/support/test.hh"

using namespace greylag::mail;
using namespace std::literals;

namespace {

constexpr auto utf8 = Domain::Allow::utf8;
Host host(std::string_view name) { return Domain::parse(name).value(); }

}  // namespace

TEST_CASE("mailbox: the local part's meaning and its wire form") {
    const struct {
        std::string_view text, local, wire;
    } cases[] = {
        {"a@b.c", "a", "a@b.c"},
        {"a.b+c=d@b_c.d", "a.b+c=d", "a.b+c=d@b_c.d"},
        {"!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~", "!#$%&'*+-/=?^_`{|}~@x"},
        {"\"a b\"@c.d", "a b", "\"a b\"@c.d"},
        {"\"a\\\"b\"@c.d", "a\"b", "\"a\\\"b\"@c.d"},
        {"\"\\\\\"@c.d", "\\", "\"\\\\\"@c.d"},
        {"\"plain\"@c.d", "plain", "plain@c.d"},
        {"\"p\\l\\a\\i\\n\"@c.d", "plain", "plain@c.d"},
        {"\"a@b\"@c.d", "a@b", "\"a@b\"@c.d"},
        {"\".\"@c.d", ".", "\".\"@c.d"},
        {"a%b@us", "a%b", "a%b@us"},
        {"b!a@us", "b!a", "b!a@us"},
        {"a@[127.0.0.1]", "a", "a@[127.0.0.1]"},
        {"a@[ipv6:0:0::1]", "a", "a@[IPv6:::1]"},
        {"a@b.c.", "a", "a@b.c"},
        {"-f@b.c", "-f", "-f@b.c"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        const auto mailbox = Mailbox::parse(c.text);
        REQUIRE(mailbox);
        CHECK(mailbox->local() == c.local);
        CHECK(mailbox->text() == c.wire);
        CHECK(Mailbox::parse(c.wire) == *mailbox);
        CHECK(Mailbox::make(c.local, mailbox->host()) == *mailbox);
    }
}

TEST_CASE("mailbox: what is none") {
    for (const std::string_view bad : {""sv,
                                       "@"sv,
                                       "@b"sv,
                                       "a@"sv,
                                       "a"sv,
                                       "a..b@c"sv,
                                       ".a@b"sv,
                                       "a.@b"sv,
                                       "a b@c"sv,
                                       "a\tb@c"sv,
                                       "\"a@c.d"sv,
                                       "\"a\\\"@c.d"sv,
                                       "\"\"@c.d"sv,
                                       "\"a\"b@c"sv,
                                       "a\"b\"@c"sv,
                                       "\"a\nb\"@c"sv,
                                       "\"a\\\nb\"@c"sv,
                                       "\"a\tb\"@c"sv,
                                       "a@b@c"sv,
                                       "a@-b.c"sv,
                                       "a@[1.2.3]"sv,
                                       "a@[IPv6:1::2::3]"sv,
                                       "a@[IPv6:12345::]"sv,
                                       "a@["sv,
                                       "a@[]"sv,
                                       "<a@b>"sv,
                                       " a@b"sv,
                                       "a@b "sv,
                                       "a@b>"sv,
                                       "a,b@c"sv,
                                       "a(x)@c"sv,
                                       "a\0b@c"sv,
                                       "\"a\0\"@c"sv,
                                       "a\\b@c"sv,
                                       "\"a\"\"b\"@c"sv,
                                       "a@x,b@y"sv,
                                       "\xe9@b.c"sv,
                                       "\xc3\xa9@b.c"sv,
                                       "\"a\"@"sv,
                                       "\"a\""sv}) {
        CAPTURE(bad);
        CHECK_FALSE(Mailbox::parse(bad));
    }
}

TEST_CASE("mailbox: 64 octets on the wire, quotes and backslashes counted") {
    const std::string local64(64, 'x');
    CHECK(Mailbox::parse(local64 + "@b"));
    CHECK_FALSE(Mailbox::parse(local64 + "x@b"));
    CHECK(Mailbox::make(std::string(62, ' '), host("b")));
    CHECK_FALSE(Mailbox::make(std::string(63, ' '), host("b")));
    CHECK(Mailbox::make(std::string(31, '"'), host("b")));
    CHECK_FALSE(Mailbox::make(std::string(32, '"'), host("b")));
    CHECK_FALSE(Mailbox::parse("a@" + std::string(64, 'x')));
}

TEST_CASE("mailbox: unqualified names where they are allowed") {
    const auto parse = [](std::string_view text) {
        return Mailbox::parse(text, Domain::Allow::ascii, Mailbox::Unqualified::allowed);
    };
    CHECK(parse("PostMaster")->is_postmaster());
    CHECK_FALSE(parse("user")->is_qualified());
    CHECK(parse("user")->text() == "user");
    CHECK(parse("\"a b\"")->text() == "\"a b\"");
    CHECK(parse("a@b")->is_qualified());
    CHECK_FALSE(parse("a@"));
    CHECK_FALSE(parse("a b"));
}

TEST_CASE("mailbox: UTF-8, RFC 6531") {
    CHECK(Mailbox::parse("\xc3\xa9@b.c", utf8)->is_utf8());
    CHECK(Mailbox::parse("a@\xc3\xa9.c", utf8)->is_utf8());
    CHECK_FALSE(Mailbox::parse("a@b.c", utf8)->is_utf8());
    CHECK(Mailbox::parse("\"\xc3\xa9 x\"@b", utf8)->text() == "\"\xc3\xa9 x\"@b");
    CHECK_FALSE(Mailbox::parse("\xe9@b.c", utf8));
    CHECK_FALSE(Mailbox::parse("a@\xe9.c", utf8));
    CHECK_FALSE(Mailbox::parse("\"\\\xc3\xa9\"@b", utf8));  // a quoted pair is ASCII
    CHECK_FALSE(Mailbox::make("\xe9", host("b")));
}

TEST_CASE("mailbox: a made local part has no control character and is not empty") {
    for (const auto bad : {""sv, "\r\n"sv, "\0"sv, "a\x7f"sv, "\t"sv}) CHECK_FALSE(Mailbox::make(bad, host("b")));
    CHECK(Mailbox::make("a b", std::monostate{})->text() == "\"a b\"");
}

TEST_CASE("mailbox: equality and keys") {
    const auto parse = [](std::string_view text) { return Mailbox::parse(text).value(); };
    CHECK(parse("a@Example.org") == parse("\"a\"@example.ORG."));
    CHECK_FALSE(parse("A@example.org") == parse("a@example.org"));
    CHECK(parse("A@Example.org").key() == "a@example.org");
    CHECK_FALSE(parse("a@1.2.3.4") == parse("a@[1.2.3.4]"));
    CHECK(parse("a@[IPv6:::ffff:1.2.3.4]") == parse("a@[1.2.3.4]"));
    CHECK(text(Host{}) == "");
    CHECK(same_host(Host{}, Host{}));
}

TEST_CASE("mailbox: every meaning survives the wire") {
    std::mt19937 random(8);
    for (int i = 0; i < 20000; ++i) {
        std::string local(1 + random() % 12, '\0');
        for (char& c : local) c = static_cast<char>(' ' + random() % 95);
        const auto made = Mailbox::make(local, host("b.c"));
        REQUIRE(made);
        const auto parsed = Mailbox::parse(made->text());
        REQUIRE(parsed == *made);
        REQUIRE(parsed->local() == local);
    }
}
