#include "base/punycode.hh"

#include "tests/support/test.hh"

using namespace greylag;

TEST_CASE("base: a label that is not ASCII has an ASCII form") {
    const struct {
        std::string_view label, ascii;
    } cases[] = {
        {"", ""},
        {"plain-1", "plain-1"},
        {"B\u00fccher", "xn--bcher-kva"},
        {"m\u00fcnchen", "xn--mnchen-3ya"},
        {"stra\u00dfe", "xn--strae-oqa"},
        {"\u4f8b\u3048", "xn--r8jz45g"},
        {"\u043f\u0440\u0438\u043c\u0435\u0440", "xn--e1afmkfd"},
        {"\u0645\u062b\u0627\u0644", "xn--mgbh0fb"},
        {"\u05d3\u05d5\u05d2\u05de\u05d4", "xn--6dbbec0c"},
        {"\U0001f4a9", "xn--ls8h"},
        {"\u00fc", "xn--tda"},
        // RFC 3492 7.1
        {"\u4ed6\u4eec\u4e3a\u4ec0\u4e48\u4e0d\u8bf4\u4e2d\u6587", "xn--ihqwcrb4cv8a8dqg056pqjye"},
        {"3\u5e74b\u7d44\u91d1\u516b\u5148\u751f", "xn--3b-ww4c5e180e575a65lsy2b"},
    };
    for (const auto& c : cases) CHECK(base::ascii_label(c.label) == c.ascii);
}

TEST_CASE("base: a name, label by label") {
    CHECK(base::ascii_name("mail.B\u00fccher.example") == "mail.xn--bcher-kva.example");
    CHECK(base::ascii_name("\u4f8b\u3048.\u4f8b\u3048.") == "xn--r8jz45g.xn--r8jz45g.");
    CHECK(base::ascii_name("Plain.example") == "Plain.example");
    CHECK(base::ascii_name("") == "");
    CHECK(base::ascii_name(".\u00fc") == ".xn--tda");
    CHECK(base::ascii_name("a..\u00fc") == "a..xn--tda");
    CHECK(!base::ascii_name("a.\xff.b"));
}

TEST_CASE("base: what has no ASCII form has none") {
    CHECK(!base::ascii_label("xn--b\u00fccher"));
    CHECK(!base::ascii_label("ab--\u00fc"));
    CHECK(base::ascii_label("\u00fc--ab"));
    CHECK(!base::ascii_label("\xff"));
    CHECK(!base::ascii_label("a\xc3"));
    std::string long_label;
    for (int i = 0; i < 60; ++i) long_label += i % 2 != 0 ? "\u00fc" : "\u4f8b";
    CHECK(!base::ascii_label(long_label));
    CHECK(!base::ascii_label(std::string(100'000, 'a') + "\u00fc"));
}
