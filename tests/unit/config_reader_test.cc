// Every way inih 55 bends a file (proved against the library itself), and what our reader makes of it.
#include <ini.h>

#include "base/ascii.hh"
#include "config/reader.hh"
#include "tests/support/test.hh"
#include "tests/unit/config_support.hh"

using namespace greylag;
using namespace std::string_literals;

namespace {

struct Case {
    std::string name;
    std::string file;
    std::string entries;  // "section.key=value" joined with '|'
    std::string remarks;  // "line what" joined with '|'
};

std::string entries_of(const config::Reading& reading) {
    std::string text;
    for (const auto& e : reading.entries) text += (text.empty() ? "" : "|") + e.section + "." + e.key + "=" + e.value;
    return text;
}

std::string remarks_of(const config::Reading& reading) {
    std::string text;
    for (const auto& r : reading.remarks) text += (text.empty() ? "" : "|") + std::to_string(r.line) + " " + r.what;
    return text;
}

void check_all(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        CAPTURE(c.name);
        const config::Reading reading = config::read_entries(c.file);
        CHECK(entries_of(reading) == c.entries);
        CHECK(remarks_of(reading) == c.remarks);
    }
}

constexpr auto too_long = "longer than 190 bytes; a list may be given in several lines that repeat its key";
constexpr auto no_pair = "; a value cannot continue on the next line";

}  // namespace

TEST_CASE("config reader: plain files") {
    check_all({
        {"empty", "", "", ""},
        {"one key", "[a]\nk = v\n", "a.k=v", ""},
        {"no line end at the end", "[a]\nk = v", "a.k=v", ""},
        {"blanks around", "  [a]  \n\t k\t =  v w \t\n", "a.k=v w", ""},
        {"blanks inside the brackets", "[ a ]\nk=v\n", "a.k=v", ""},
        {"empty value", "[a]\nk =\n", "a.k=", ""},
        {"CRLF", "[a]\r\nk = v\r\n\r\n# c\r\nl = w\r\n", "a.k=v|a.l=w", ""},
        {"BOM", "\xef\xbb\xbf[a]\nk = v\n", "a.k=v", ""},
        {"BOM and CRLF", "\xef\xbb\xbf[a]\r\nk = v\r\n", "a.k=v", ""},
        {"comments of both kinds", "# x = y\n; x = y\n  # x = y\n[a]\n;k = v\nl = w\n", "a.l=w", ""},
        {"section opened twice", "[a]\nk = 1\n[b]\nk = 2\n[a]\nl = 3\n", "a.k=1|b.k=2|a.l=3", ""},
        {"'=' and ':' in the value", "[a]\nk = a=b:c\n", "a.k=a=b:c", ""},
        {"UTF-8 value",
         "[a]\nk = /gr\xc3\xbc\xc3\x9f"
         "e\n",
         "a.k=/gr\xc3\xbc\xc3\x9f"
         "e",
         ""},
        {"'#' and ';' inside a word", "[a]\nk = a#b;c\n", "a.k=a#b;c", ""},
    });
}

TEST_CASE("config reader: long lines are never cut nor continued") {
    const std::string exact(186, 'v');  // "k = " and 186 are 190
    check_all({
        {"longest", "[a]\nk = " + exact + "\n", "a.k=" + exact, ""},
        {"longest without blanks", "[a]\nk=" + exact + "\nl = w\n", "a.k=" + exact + "|a.l=w", ""},
        {"longest among many blanks",
         "[a]\n" + std::string(300, ' ') + "k =" + std::string(300, ' ') + exact + std::string(300, ' ') + "\n", "a.k=" + exact,
         ""},
        {"one more", "[a]\nk = " + exact + "v\nl = w\n", "a.l=w", "2 "s + too_long},
        {"300 bytes with a key at the cut", "[a]\nk = " + std::string(195, 'v') + "\nx=evil\n", "a.x=evil", "2 "s + too_long},
        {"key hidden behind the cut", "[a]\nk = " + std::string(196, 'v') + "trusted = 0.0.0.0/0\n", "", "2 "s + too_long},
        {"comment with a key at the cut", "[a]\n;" + std::string(198, 'c') + "trusted = 0.0.0.0/0\nl = w\n", "a.l=w", ""},
        {"comment of 230 with a key", "[a]\n# " + std::string(200, 'c') + " x=evil" + std::string(21, 'c') + "\n", "", ""},
        {"comment of a megabyte", "[a]\n#" + std::string(1 << 20, '=') + "\nl = w\n", "a.l=w", ""},
        {"long junk", std::string(1000, 'j') + "\n", "",
         "1 neither 'key = value' nor [section]: '" + std::string(57, 'j') + "...'" + no_pair},
        {"section of 49", "[" + std::string(49, 's') + "]\nk = v\n", std::string(49, 's') + ".k=v", ""},
        {"section of 50", "[a]\n[" + std::string(50, 's') + "]\nk = v\n", "?.k=v",
         "2 '" + std::string(50, 's') + "' is not the name of a section"},
    });
}

TEST_CASE("config reader: what is no text") {
    check_all({
        {"NUL in a value", "[a]\nk = v\0w\nl = x\n"s, "a.l=x", "2 holds a NUL byte; this is not a line of text"},
        {"NUL in a comment", "# c\0c\n"s, "", "1 holds a NUL byte; this is not a line of text"},
        {"NUL before a line end", "[a]\0\nk = v\n"s, "",
         "1 holds a NUL byte; this is not a line of text|2 key 'k' stands before any [section]"},
        {"Latin-1", "[a]\nk = gr\xfc\xdf\n", "", "2 is not UTF-8 text"},
        {"UTF-16", "\xff\xfe[\0a\0]\0"s, "", "1 holds a NUL byte; this is not a line of text"},
        {"overlong UTF-8", "[a]\nk = \xc0\xaf\n", "", "2 is not UTF-8 text"},
        {"carriage return inside", "[a]\nk = v\rl = w\n", "", "2 holds a control character"},
        {"line ends of old", "[a]\rk = v\rl = w\r", "", "1 holds a control character"},
        {"form feed", "[a]\nk = v\f\n", "", "2 holds a control character"},
        {"escape", "[a]\nk = \x1b[2J\n", "", "2 holds a control character"},
        {"tab inside a value", "[a]\nk = v\tw\n", "a.k=v\tw", ""},
    });
}

TEST_CASE("config reader: section headers") {
    check_all({
        {"no ']': keys do not fall to the section before", "[a]\nk = 1\n[b\nk = 2\n", "a.k=1|b.k=2",
         "3 section header without ']'"},
        {"no ']' and no name", "[a]\n[b = c\nk = 2\n", "?.k=2", "2 section header without ']'"},
        {"text after ']'", "[a] b\nk = 1\n", "a.k=1", "1 text after ']': 'b'; a section header has its line alone"},
        {"key after ']'", "[a] k = 1\n", "", "1 text after ']': 'k = 1'; a section header has its line alone"},
        {"comment after ']'", "[a] # b\nk = 1\n", "a.k=1", "1 text after ']': '# b'; a section header has its line alone"},
        {"empty name", "[a]\n[]\nk = 1\n", "?.k=1", "2 '' is not the name of a section"},
        {"comment inside", "[a]\n[b ;c]\nk = 1\n", "?.k=1", "2 'b ;c' is not the name of a section"},
        {"two", "[a][b]\nk = 1\n", "a.k=1", "1 text after ']': '[b]'; a section header has its line alone"},
        {"key before any section", "k = 1\n[a]\nk = 2\n", "a.k=2", "1 key 'k' stands before any [section]"},
    });
}

TEST_CASE("config reader: indented lines are no continuation") {
    check_all({
        {"an indented key is a key", "[a]\nk = 1\n  l = 2\n\tm = 3\n", "a.k=1|a.l=2|a.m=3", ""},
        {"an indented header is a header", "[a]\nk = 1\n  [b]\n  l = 2\n", "a.k=1|b.l=2", ""},
        {"an indented value is nothing", "[a]\nk = 1,\n    2\n", "a.k=1,",
         "3 neither 'key = value' nor [section]: '2'"s + no_pair},
        {"an indented comment is one", "[a]\nk = 1\n  # 2\n  ; 3\n", "a.k=1", ""},
    });
}

TEST_CASE("config reader: lines that are no pair") {
    check_all({
        {"no value", "[a]\nk\nl = 1\n", "a.l=1", "2 neither 'key = value' nor [section]: 'k'"s + no_pair},
        {"':' is not '='", "[a]\nk: v\n", "", "2 neither 'key = value' nor [section]: 'k: v'"s + no_pair},
        {"':' before '='", "[a]\nk: v = w\n", "", "2 'k: v' before '=' is not a key"},
        {"no key", "[a]\n= v\n", "", "2 '' before '=' is not a key"},
        {"two words", "[a]\nset k = v\n", "", "2 'set k' before '=' is not a key"},
        {"no-break space", "[a]\n\xc2\xa0k = v\n", "", "2 '\\xc2\\xa0k' before '=' is not a key"},
        {"comment for a key", "[a]\nk ;= v\n", "", "2 'k ;' before '=' is not a key"},
    });
}

TEST_CASE("config reader: comments behind values are refused, never guessed") {
    check_all({
        {"semicolon", "[a]\nk = v ; w\n", "", "2 a comment needs a line of its own: 'v ; w'"},
        {"hash", "[a]\nk = v # w\n", "", "2 a comment needs a line of its own: 'v # w'"},
        {"tab", "[a]\nk = v\t;w\n", "", "2 a comment needs a line of its own: 'v\\x09;w'"},
        {"nothing but a comment", "[a]\nk = ; w\n", "", "2 a comment needs a line of its own: '; w'"},
        {"no blank at all", "[a]\nk=#w\n", "", "2 a comment needs a line of its own: '#w'"},
    });
}

TEST_CASE("config reader: inih itself still bends what we keep from it") {
    // If a newer inih stops doing this, the reader may become simpler; while it does, the cases above are needed.
    std::string seen;
    const auto note = [](void* to, const char*, const char* key, const char* value) {
        *static_cast<std::string*>(to) += std::string(key) + "=" + value + "|";
        return 1;
    };
    const std::string comment = "[a]\n;" + std::string(198, 'c') + "trusted = 0.0.0.0/0\n";
    CHECK(ini_parse_string(comment.c_str(), note, &seen) == 0);
    CHECK(seen == "trusted=0.0.0.0/0|");
    seen.clear();
    CHECK(ini_parse_string("[a]\nk = 1\n  l = 2\n", note, &seen) == 0);
    CHECK(seen == "k=1|k=l = 2|");
}

TEST_CASE("config reader: line numbers count lines of the file") {
    const config::Reading reading = config::read_entries("\n# c\n[a]\n\n\r\nk = v\n; c\nl = w");
    REQUIRE(reading.entries.size() == 2);
    CHECK(reading.openings.at(0).line == 3);
    CHECK(reading.entries[0].line == 6);
    CHECK(reading.entries[1].line == 8);
}
