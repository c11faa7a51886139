#include "mail/domain.hh"
#include "tests/support/test.hh"

using namespace greylag::mail;

namespace {

const std::string label63(63, 'x');
Domain domain(std::string_view text) { return Domain::parse(text, Domain::Allow::utf8).value(); }

}  // namespace

TEST_CASE("domain: names") {
    const std::string longest = label63 + "." + label63 + "." + label63 + "." + label63;  // 255 octets
    REQUIRE(longest.size() == 255);
    for (const std::string& good :
         {std::string{"example.org"}, std::string{"a"}, std::string{"A-b.C"}, std::string{"b_c.d"}, std::string{"_dmarc.x"},
          std::string{"1.2.3.4"}, std::string{"xn--bcher-kva.example"}, longest}) {
        CAPTURE(good);
        const auto parsed = Domain::parse(good);
        REQUIRE(parsed);
        CHECK(parsed->text() == good);
        CHECK(Domain::parse(good + ".")->text() == good);
    }
    for (const std::string& bad : {std::string{""},          std::string{"."},    std::string{".."},      std::string{"a.."},
                                   std::string{".a"},        std::string{"a..b"}, std::string{"-b.c"},    std::string{"a.b-"},
                                   std::string{"a.-b"},      std::string{"a b"},  std::string{"a\tb"},    std::string{"a@b"},
                                   std::string{"[1.2.3.4]"}, std::string{"a/b"},  std::string("a\0b", 3), std::string{"\x01"},
                                   std::string{"b\xc3\xbc"}, label63 + "x",       longest + "x",          "a." + longest,
                                   std::string{"*.a"}}) {
        CAPTURE(bad);
        CHECK_FALSE(Domain::parse(bad));
    }
}

TEST_CASE("domain: U-labels where they are allowed") {
    CHECK(domain("b\xc3\xbc"
                 "cher.example")
              .text() ==
          "b\xc3\xbc"
          "cher.example");
    CHECK_FALSE(Domain::parse("b\xc3.example", Domain::Allow::utf8));
    CHECK_FALSE(Domain::parse("b\xc3.\xbc", Domain::Allow::utf8));  // half a character on either side of the dot
}

TEST_CASE("domain: comparisons are blind to case and know where labels end") {
    CHECK(domain("Example.ORG") == domain("example.org."));
    CHECK_FALSE(domain("example.org") == domain("example.com"));
    CHECK(domain("Example.ORG").key() == "example.org");
    CHECK(domain("a.b").has_dot());
    CHECK_FALSE(domain("a.").has_dot());
    CHECK(domain("a.B.example").is_within(domain("b.EXAMPLE")));
    CHECK(domain("a.b.example").is_within(domain("example")));
    CHECK(domain("b.example").is_within(domain("b.example")));
    CHECK_FALSE(domain("xb.example").is_within(domain("b.example")));
    CHECK_FALSE(domain("example").is_within(domain("b.example")));
}

TEST_CASE("domain: patterns") {
    const struct {
        std::string_view pattern, name;
        bool matches;
    } cases[] = {
        {"example.org", "EXAMPLE.org", true},
        {"example.org", "a.example.org", false},
        {"*.example.org", "example.org", true},
        {"*.example.org", "a.example.org", true},
        {"*.example.org", "a.b.Example.org", true},
        {"*.example.org", "xexample.org", false},
        {"*.example.org", "org", false},
    };
    for (const auto& c : cases) {
        CAPTURE(c.pattern);
        CAPTURE(c.name);
        CHECK(DomainPattern::parse(c.pattern)->matches(domain(c.name)) == c.matches);
        CHECK(DomainPattern::parse(c.pattern)->text() == c.pattern);
    }
    for (const std::string_view bad : {"", "*", "*.", "*example.org", "**.a", "a.*", ".a"})
        CHECK_FALSE(DomainPattern::parse(bad));
}
