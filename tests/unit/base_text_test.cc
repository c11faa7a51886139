#include <map>
#include <random>
#include <string>

#include "base/ascii.hh"
#include "base/base64.hh"
#include "base/escape.hh"
#include "base/utf8.hh"
#include "base/xtext.hh"
#include "tests/support/test.hh"

using namespace greylag::base;
using namespace std::literals;

namespace {

std::string random_bytes(std::mt19937& random, std::size_t most) {
    std::string out(random() % (most + 1), '\0');
    for (char& c : out) c = static_cast<char>(random() & 0xff);
    return out;
}

}  // namespace

TEST_CASE("ascii: classes are false above 127, and case folding leaves those bytes alone") {
    for (int i = 0; i < 256; ++i) {
        const char c = static_cast<char>(i);
        CAPTURE(i);
        if (i >= 128) CHECK_FALSE((is_alpha(c) || is_digit(c) || is_ctl(c) || is_printable(c) || is_blank(c) || is_xdigit(c)));
        CHECK(is_8bit(c) == (i >= 128));
        CHECK((to_lower(c) != c) == (i >= 'A' && i <= 'Z'));
        CHECK((to_upper(c) != c) == (i >= 'a' && i <= 'z'));
        if (i < 128) CHECK(is_ctl(c) != is_printable(c));
    }
    CHECK(lower("ABC \xc3\x84z") == "abc \xc3\x84z");
    CHECK(upper("abc-9") == "ABC-9");
}

TEST_CASE("ascii: comparisons without case") {
    CHECK(iequals("Content-Type", "content-TYPE"));
    CHECK_FALSE(iequals("a", "ab"));
    CHECK_FALSE(iequals("@", "`"));  // 0x40 and 0x60: 32 apart as letters are
    CHECK(istarts_with("MAIL FROM:<>", "mail from:"));
    CHECK_FALSE(istarts_with("MAI", "mail"));
    CHECK(iends_with("x.Example", ".eXAMPLE"));
    CHECK_FALSE(iends_with("ple", "example"));
}

TEST_CASE("ascii: trim, split, words, cut") {
    CHECK(trim(" \t a b \r\n") == "a b");
    CHECK(trim(" \t") == "");
    CHECK(trim("") == "");
    CHECK(split("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
    CHECK(split("", ',') == std::vector<std::string_view>{""});
    CHECK(split("a,", ',') == std::vector<std::string_view>{"a", ""});
    CHECK(words("  a\tb  c ") == std::vector<std::string_view>{"a", "b", "c"});
    CHECK(words("a, b;,c", ",;") == std::vector<std::string_view>{"a", "b", "c"});
    CHECK(words(" , ", ",").empty());
    CHECK(words("").empty());
    CHECK(cut("k=v=w", '=') == std::pair{"k"sv, "v=w"sv});
    CHECK(cut("=", '=') == std::pair{""sv, ""sv});
    CHECK_FALSE(cut("kv", '='));
}

TEST_CASE("ascii: numbers are whole, unsigned and fit") {
    CHECK(parse_number<std::uint8_t>("255") == std::uint8_t{255});
    CHECK(parse_number<std::uint64_t>("18446744073709551615") == UINT64_MAX);
    for (const std::string_view bad : {"", "-1", "+1", " 1", "1 ", "1x", "0x1", "256", "999999999999999999999"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_number<std::uint8_t>(bad));
    }
    CHECK_FALSE(parse_number<std::uint64_t>("18446744073709551616"));
}

TEST_CASE("base64: the vectors of RFC 4648 section 10") {
    const std::pair<std::string_view, std::string_view> cases[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, text] : cases) {
        CHECK(base64_encode(plain) == text);
        CHECK(base64_decode(text) == plain);
    }
}

TEST_CASE("base64: there is one spelling of every byte string") {
    for (const std::string_view bad : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "=",
                                       "====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm 9v", "Zm-_", "Zm9v====", "\xc3\xa9==", "=Zg="}) {
        CAPTURE(bad);
        CHECK_FALSE(base64_decode(bad));
    }
    CHECK_FALSE(base64_decode("Zm9\0"sv));
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
        const std::string bytes = random_bytes(random, 40);
        REQUIRE(base64_decode(base64_encode(bytes)) == bytes);
        std::string text = base64_encode(bytes);
        if (text.empty()) continue;
        text[random() % text.size()] = static_cast<char>(random() & 0xff);
        if (const auto decoded = base64_decode(text)) REQUIRE(base64_encode(*decoded) == text);
    }
}

TEST_CASE("xtext: RFC 3461 section 4") {
    CHECK(xtext_encode("e=mc2@example.com") == "e+3Dmc2@example.com");
    CHECK(xtext_encode("a+b c\n") == "a+2Bb+20c+0A");
    CHECK(xtext_decode("e+3Dmc2@example.com") == "e=mc2@example.com");
    CHECK(xtext_decode("+00+0D+0A") == "\0\r\n"s);
    for (const std::string_view bad : {"+", "+2", "+2b", "+G0", "a b", "a=b", "\x7f", "\xc3\xa9", "a\tb"}) {
        CAPTURE(bad);
        CHECK_FALSE(xtext_decode(bad));
    }
    std::mt19937 random(2);
    for (int i = 0; i < 1000; ++i) {
        const std::string bytes = random_bytes(random, 30);
        REQUIRE(xtext_decode(xtext_encode(bytes)) == bytes);
    }
}

TEST_CASE("utf8: RFC 3629, where it begins and where it ends") {
    for (const std::string_view good : {"", "plain", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "na\xc3\xafve"}) {
        CAPTURE(good);
        CHECK(is_utf8(good));
    }
    for (const std::string_view bad :
         {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf",
          "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe1\x80\xc0", "a\xc3"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_utf8(bad));
    }
    CHECK(is_ascii("a\x7f"));
    CHECK_FALSE(is_ascii("a\x80"));
    CHECK(utf8_length("\xe2\x82\xac!") == 3);
    CHECK(utf8_length("") == 0);
}

TEST_CASE("escape: printable and quoted text") {
    CHECK(printable("a\\b\"c") == "a\\\\b\"c");
    CHECK(printable("\r\n\x01\x7f\xe9"s) == "\\x0d\\x0a\\x01\\x7f\\xe9");
    CHECK(printable("\0"sv) == "\\x00");
    CHECK(quoted("say \"hi\"\\") == R"("say \"hi\"\\")");
    CHECK(printable("123456", 6) == "123456");
    CHECK(printable("1234567", 6) == "123...");
    CHECK(printable("12\n4567", 6) == "12...");
    CHECK(printable("1234", 2) == "..");
    CHECK(printable("1234", 0) == "");
    std::mt19937 random(3);
    for (int i = 0; i < 2000; ++i) {
        const std::size_t limit = random() % 50;
        const std::string shown = printable(random_bytes(random, 40), limit);
        REQUIRE(shown.size() <= limit);
        for (const char c : shown) REQUIRE(is_printable(c));
    }
}

TEST_CASE("escape: JSON strings") {
    CHECK(json_string("a\"b\\c\n\x7f") == R"("a\"b\\c\u000a\u007f")");
    CHECK(json_string("\xc3\xa9 \xe9\xc3") == "\"\xc3\xa9 \\u00e9\\u00c3\"");
    CHECK(json_string("\0"sv) == R"("\u0000")");
    std::mt19937 random(4);
    for (int i = 0; i < 500; ++i) {
        const std::string text = json_string(random_bytes(random, 40));
        REQUIRE(is_utf8(text));
        for (const char c : text) REQUIRE_FALSE(is_ctl(c));
    }
}

TEST_CASE("escape: file names are safe, and one to one but for case") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"User@Example.ORG", "user@example.org"},
        {"", "%"},
        {".", "%2E"},
        {"..", "%2E."},
        {".hidden", "%2Ehidden"},
        {"a.b", "a.b"},
        {"a/b", "a%2Fb"},
        {"%", "%25"},
        {"\0"sv, "%00"},
        {"\xc3\xa9", "%C3%A9"},
        {"a b", "a%20b"},
        {"a_b+c=d-e", "a_b+c=d-e"},
        {"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"},
    };
    for (const auto& [text, name] : cases) CHECK(file_name(text) == name);

    std::map<std::string, std::string> seen;
    std::mt19937 random(5);
    constexpr std::string_view alphabet = "aA./%25Ef\0\xc3"sv;  // few letters: collisions are found if there are any
    for (int i = 0; i < 20000; ++i) {
        std::string text(random() % 5, '\0');
        for (char& c : text) c = alphabet[random() % alphabet.size()];
        const std::string name = file_name(text);
        REQUIRE_FALSE(name.empty());
        REQUIRE(name.find_first_of("/\0"sv) == std::string::npos);
        REQUIRE(name != ".");
        REQUIRE(name != "..");
        const auto [at, is_new] = seen.emplace(name, lower(text));
        REQUIRE(at->second == lower(text));
    }
}

TEST_CASE("base/ascii: one octet that is not printable is found wherever it stands") {
    for (std::size_t size = 0; size < 20; ++size) {
        CHECK(greylag::base::all_printable(std::string(size, '~')));
        for (std::size_t at = 0; at < size; ++at) {
            for (int octet = 0; octet < 256; ++octet) {
                std::string text(size, ' ');
                text[at] = static_cast<char>(octet);
                CHECK(greylag::base::all_printable(text) == greylag::base::is_printable(static_cast<char>(octet)));
            }
        }
    }
}
