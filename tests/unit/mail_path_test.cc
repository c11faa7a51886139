#include "mail/path.hh"
#include "tests/support/test.hh"

using namespace greylag::mail;

namespace {

std::string bang(std::string_view text, Domain::Allow allow = Domain::Allow::ascii) {
    const auto path = Path::parse(text, allow);
    return path ? path->bang() : "bad";
}

// "@a,@b:u@c": the route in front of the at form.
std::string argument(std::string_view text) {
    const auto path = Path::parse_argument(text);
    if (!path) return "bad";
    std::string out;
    for (const Domain& hop : path->route()) out.append(out.empty() ? "@" : ",@").append(hop.text());
    return out.append(out.empty() ? "" : ":").append(path->text());
}

}  // namespace

TEST_CASE("path: between the angle brackets") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", "/dev/null"},
        {"a@b.c", "b.c!a"},
        {"postmaster", "postmaster"},
        {"PostMaster", "PostMaster"},
        {"@x,@y:a@b.c", "x!y!b.c!a"},
        {"@x.y:\"a b\"@[1.2.3.4]", "x.y![1.2.3.4]!\"a b\""},
        {"u@[]", "[]!u"},
        {"@x.y:u@[]", "x.y![]!u"},
        {"a%b@us", "us!a%b"},
        {"b!a@us", "us!b!a"},
        {"a@b.c.", "b.c!a"},
        {"\"a:b,@c\"@d", "d!\"a:b,@c\""},
    };
    for (const auto& [text, want] : cases) {
        CAPTURE(text);
        CHECK(bang(text) == want);
    }
    for (const std::string_view bad : {"@",    "@b",        "a@",      "a",        "user",           "@x,a@b",    "@x:postmaster",
                                       "@x:",  "@:a@b",     "@x,:a@b", "@x@y:a@b", "@[1.2.3.4]:a@b", "<a@b>",     "a@b>",
                                       " a@b", "a@b c@d",   "@[]",     "a@b@[]",   "\"a@[]",         "@x @y:a@b", "/dev/null@",
                                       "a@[",  "\xc3\xa9@b"}) {
        CAPTURE(bad);
        CHECK(bang(bad) == "bad");
    }
    CHECK(bang("\xc3\xa9@b", Domain::Allow::utf8) == "b!\xc3\xa9");
}

TEST_CASE("path: 256 octets at most") {
    const std::string domain = std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c');  // 191
    CHECK(Path::parse(std::string(64, 'u') + "@" + domain));                                                    // 256
    CHECK_FALSE(Path::parse("@d:" + std::string(62, 'u') + "@" + domain));                                      // 257
    CHECK_FALSE(Path::parse_argument(domain + "!" + std::string(65, 'u')));
}

TEST_CASE("path: forms of one path") {
    CHECK(Path::null().is_null());
    CHECK(Path::null().text() == "");
    CHECK(Path::null().bracketed() == "<>");
    CHECK(Path::null().bang() == "/dev/null");
    const Path routed = Path::parse("@x.y:a@b.c").value();
    CHECK(routed.route().size() == 1);
    CHECK(routed.text() == "a@b.c");
    CHECK(routed.bracketed() == "<a@b.c>");
    CHECK_FALSE(routed.is_loopback());
    const Path looped = Path::parse("u@[]").value();
    CHECK(looped.is_loopback());
    CHECK_FALSE(looped.mailbox().is_qualified());
    CHECK(looped.text() == "u@[]");
    CHECK(Path::of(Mailbox::parse("a@b").value()).bang() == "b!a");
}

TEST_CASE("path: arguments, the bang to at table of upas") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", ""},
        {"<>", ""},
        {"/dev/null", ""},
        {"u@d", "u@d"},
        {"<u@d.e>", "u@d.e"},
        {"a.b!u", "u@a.b"},
        {"a.b!c.d!u", "@a.b:u@c.d"},
        {"a.b!c.d!e.f!u", "@a.b,@c.d:u@e.f"},
        {"a.b!x!u", "x!u@a.b"},
        {"a.b!c.d!x!e.f!u", "@a.b:x!e.f!u@c.d"},
        {"h!u", "h!u"},
        {"h.!u", "h.!u"},
        {"a.b.!u", "u@a.b"},
        {"user", "user"},
        {"[192.0.2.1]!u", "u@[192.0.2.1]"},
        {"[IPv6:::1]!u", "u@[IPv6:::1]"},
        {"[]!u", "u@[]"},
        {"a.b![]!u", "@a.b:u@[]"},
        {"@x,@y:a@b.c", "@x,@y:a@b.c"},
        {"b!a@us", "b!a@us"},
        {"a.b!\"x@y\"", "\"x@y\"@a.b"},
        {"\"a b\"@c", "\"a b\"@c"},
        {"\"a.b!c\"", "a.b!c"},
        {"!u", "!u"},
        {"a.b!c.d", "c.d@a.b"},
        {"b\xc3\xbc.de!u", "u@b\xc3\xbc.de"},
        {"-f", "-f"},
    };
    for (const auto& [text, want] : cases) {
        CAPTURE(text);
        CHECK(argument(text) == want);
    }
    for (const std::string_view bad : {"a.b!", "a..b!u", "a b", "a.b!c d", "<", "<a@b", "a@b@c", "[1.2.3.4]!c.d!u",
                                       "a.b![1.2.3]!u", "a.b!x@y z", "\xff", "a\nb"}) {
        CAPTURE(bad);
        CHECK(argument(bad) == "bad");
    }
}

TEST_CASE("path: bang order is read back") {
    for (const std::string_view text : {"a@b.c", "@x.y,@y.z:a@b.c", "a!b@c.d", "\"a b\"@c.d", "u@[]", "u@[1.2.3.4]",
                                        "u@[IPv6:2001:db8::1]", "postmaster", ""}) {
        CAPTURE(text);
        const Path path = Path::parse(text).value();
        const auto again = Path::parse_argument(path.bang());
        REQUIRE(again);
        CHECK(again->bang() == path.bang());
        CHECK(again->text() == path.text());
        CHECK(again->route().size() == path.route().size());
    }
}
