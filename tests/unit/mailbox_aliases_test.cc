#include "mailbox/aliases.hh"

#include "tests/support/test.hh"

using namespace greylag;
using mailbox::Aliases;

namespace {

// The targets of a name as one text, "-" for an unknown name, "!" and the reason for one that cannot be followed.
std::string targets(const Aliases& aliases, std::string_view local, std::string_view domain = "example.org") {
    const auto* alias = aliases.find(local, domain);
    if (alias == nullptr) return "-";
    if (!alias->fault.empty()) return "!" + alias->fault;
    std::string text;
    for (const auto& target : alias->targets) text += (text.empty() ? "" : " ") + target.text();
    return text;
}

}  // namespace

TEST_CASE("aliases: what a file may say") {
    const auto a = Aliases::parse(
        "# the house\n"
        "Info: alice, bob@elsewhere.example  # both\n"
        "\n"
        "list: one,\n"
        "  two,   # the second\n"
        "# in between\n"
        "\tthree\r\n"
        "sales@Example.ORG: carol\n"
        "sales: dave\n"
        "\"two words\": erin\n"
        "hash: \"a#b\"@example.org\n"
        "lit: x@[IPv6:2001:db8::1], y@[192.0.2.1]\n"
        "spare: alice,,bob,\n"
        "last: zoe");
    CHECK(a.faults().empty());
    CHECK(targets(a, "info") == "alice bob@elsewhere.example");
    CHECK(targets(a, "INFO") == "alice bob@elsewhere.example");
    CHECK(targets(a, "list") == "one two three");
    CHECK(targets(a, "sales") == "carol");
    CHECK(targets(a, "Sales", "EXAMPLE.org") == "carol");
    CHECK(targets(a, "sales", "other.example") == "dave");
    CHECK(targets(a, "two words") == "erin");
    CHECK(targets(a, "hash") == "a#b@example.org");
    CHECK(targets(a, "lit") == "x@[IPv6:2001:db8::1] y@[192.0.2.1]");
    CHECK(targets(a, "spare") == "alice bob");
    CHECK(targets(a, "last") == "zoe");
    CHECK(targets(a, "nobody") == "-");
    CHECK(targets(a, "") == "-");
}

TEST_CASE("aliases: a target that starts or opens something is refused by name, and only its entry") {
    struct {
        const char *target, *why;
    } const cases[] = {
        {"|/bin/sh", "starts a program"},
        {"\"|/bin/sh -c 'x'\"", "starts a program"},
        {"/var/mail/x", "is a file"},
        {"\"/etc/passwd\"", "is a file"},
        {":include:/etc/list", "is an include"},
        {"./x", "is a file"},
        {"~/x", "is a file"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.target);
        const auto a = Aliases::parse("good: alice\nbad: bob, " + std::string(c.target) + "\n");
        CHECK(targets(a, "bad").find(c.why) != std::string::npos);
        CHECK(targets(a, "bad").starts_with("!target '"));
        CHECK(targets(a, "good") == "alice");
        REQUIRE(a.faults().size() == 1);
        CHECK(a.faults()[0].line == 2);
    }
}

TEST_CASE("aliases: faults carry their line, and the rest stands") {
    struct {
        const char* text;
        unsigned line;
        const char* what;
    } const cases[] = {
        {"a: b\nno colon here\n", 2, "'no colon here' has no colon"},
        {"  first: x\n", 1, "continues no entry"},
        {"a b: c\n", 1, "'a b' is neither a local name nor an address"},
        {": c\n", 1, "'' is neither"},
        {"a: b\na: c\n", 2, "'a' stands in line 1 already; that one counts"},
        {"A: b\na: c\n", 2, "already"},
        {"a:\n", 1, "'a' has no target"},
        {"a: , ,\n", 1, "'a' has no target"},
        {"a: b c\n", 1, "target 'b c' of 'a' is neither"},
        {"a: b\x01\n", 1, "'b\\x01'"},
        {"a: \\alice\n", 1, "'\\\\alice' of 'a' is neither"},
        {"a: b@@c\n", 1, "is neither"},
        {"a: \"unclosed, b\n", 1, "is neither"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        const auto a = Aliases::parse(std::string(c.text) + "good: alice\n");
        REQUIRE(a.faults().size() == 1);
        CHECK(a.faults()[0].line == c.line);
        CHECK_MESSAGE(a.faults()[0].what.find(c.what) != std::string::npos, a.faults()[0].what);
        CHECK(targets(a, "good") == "alice");
    }
    CHECK(targets(Aliases::parse("a: b\na: c\n"), "a") == "b");
}

TEST_CASE("aliases: any bytes are read to their end") {
    std::string bytes;
    unsigned state = 1;
    for (int round = 0; round < 300; ++round) {
        bytes.clear();
        for (int i = 0; i < 200; ++i) {
            state = state * 1664525u + 1013904223u;
            bytes += "a:b,@#\"\\|/ \n\t[]"[state >> 28];
        }
        const auto a = Aliases::parse(bytes);
        CHECK(a.find("a", "b") == a.find("A", "B"));
    }
}
