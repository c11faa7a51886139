#include "smtp/line_reader.hh"

#include <string>
#include <vector>

#include "tests/support/pieces.hh"
#include "tests/support/test.hh"

using namespace greylag;
using smtp::InputLine;
using smtp::LineFault;
using smtp::LineReader;
using namespace std::string_literals;

namespace {

// One word a line: its text, or its fault between angle brackets.
std::string show(const InputLine& line) {
    switch (line.fault) {
        case LineFault::none: return std::string(line.text);
        case LineFault::too_long: return "<long>";
        case LineFault::bare_lf: return "<lf>";
        case LineFault::bare_cr: return "<cr>";
        case LineFault::nul: return "<nul>";
    }
    return "?";
}

std::string read(std::string_view octets, std::size_t limit, unsigned seed) {
    LineReader reader(limit);
    std::string out;
    for (std::string_view piece : test::pieces(octets, seed)) {
        InputLine line;
        while (reader.next(piece, line)) {
            if (line.fault != LineFault::none) CHECK(line.text.empty());
            out += show(line) + '|';
        }
        CHECK(piece.empty());
    }
    return out + (reader.mid_line() ? "..." : "");
}

struct Case {
    std::string octets;
    std::string lines;
};
const std::size_t limit = 16;  // "EHLO 890123456\r\n" fits just so

const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        {"", ""},
        {"\r\n", "|"},
        {"NOOP\r\nQUIT\r\n", "NOOP|QUIT|"},
        {"NOOP\r\nQU", "NOOP|..."},
        {"NOOP\r\nQUIT\r", "NOOP|..."},
        {"EHLO 890123\r\nA\r\n", "EHLO 890123|A|"},
        // length: 16 octets with CRLF fit, 17 do not
        {"12345678901234\r\n", "12345678901234|"},
        {"123456789012345\r\nNOOP\r\n", "<long>|NOOP|"},
        {std::string(5000, 'a') + "\r\nNOOP\r\n", "<long>|NOOP|"},
        {std::string(100, '\0') + "\r\nNOOP\r\n", "<long>|NOOP|"},
        {std::string(100, '\r') + "\nNOOP\r\n", "<long>|NOOP|"},
        {std::string(100, 'a'), "..."},
        // a bare LF is answered, and nothing behind it is believed before the next CRLF
        {"EHLO x\n", "<lf>|"},
        {"\n", "<lf>|"},
        {"A\nB\r\nC\r\n", "<lf>|<lf>|C|"},
        {"A\n\r\nC\r\n", "<lf>|<lf>|C|"},
        {"A\nB\nD\nE\r\nC\r\n", "<lf>|<lf>|<lf>|<lf>|C|"},
        {"A\n\n\nB\r\nC\r\n", "<lf>|<lf>|<lf>|<lf>|C|"},
        {"A\nB\r\nC\nD\r\nE\r\n", "<lf>|<lf>|<lf>|<lf>|E|"},
        {std::string(50, 'a') + "\n" + std::string(50, 'b') + "\r\nC\r\n", "<lf>|<lf>|C|"},
        {"A\r\r\nB\r\n", "<cr>|B|"},
        {"EHLO a\rb\r\nB\r\n", "<cr>|B|"},
        {"\rA\r\nB\r\n", "<cr>|B|"},
        {"A\r\rB\n", "<lf>|"},
        {"NO\0OP\r\nB\r\n"s, "<nul>|B|"},
        {"NOOP\0\r\nB\r\n"s, "<nul>|B|"},
        {"\r\0\n\r\nB\r\n"s, "<lf>|<lf>|B|"},
        {"A\r\0\r\nB\r\n"s, "<nul>|B|"},
        {"\x16\x03\x01\x02\r\n", "\x16\x03\x01\x02|"},
    };
    return all;
}

}  // namespace

TEST_CASE("lines end at CRLF, and faults are found, in any pieces") {
    for (const Case& c : cases()) {
        for (unsigned seed = 0; seed < test::piece_seeds; ++seed) {
            CAPTURE(c.octets);
            CAPTURE(seed);
            CHECK(read(c.octets, limit, seed) == c.lines);
        }
    }
}

TEST_CASE("any mixture of awkward octets gives the same lines in any pieces") {
    constexpr std::string_view alphabet("\r\r\n\n\0ab", 7);
    for (unsigned round = 1; round <= 300; ++round) {
        std::minstd_rand random(round);
        std::string octets;
        for (int i = 0; i < 60; ++i) octets += alphabet[random() % alphabet.size()];
        const std::string whole = read(octets, 6, 0);
        for (unsigned seed = 1; seed < 20; ++seed) {
            CAPTURE(octets);
            CAPTURE(seed);
            CHECK(read(octets, 6, seed) == whole);
        }
    }
}

TEST_CASE("a whole line is not copied") {
    LineReader reader(512);
    const std::string octets = "NOOP\r\nQUIT\r\n";
    std::string_view input = octets;
    InputLine line;
    REQUIRE(reader.next(input, line));
    CHECK(line.text.data() == octets.data());
    REQUIRE(reader.next(input, line));
    CHECK(line.text.data() == octets.data() + 6);
}

TEST_CASE("a line that came in pieces stays valid until the next call") {
    LineReader reader(512);
    InputLine line;
    std::string_view first = "NO";
    std::string_view second = "OP\r\nQUIT\r\n";
    CHECK_FALSE(reader.next(first, line));
    REQUIRE(reader.next(second, line));
    CHECK(line.text == "NOOP");
}

TEST_CASE("the limit can change between lines: AUTH answers are longer") {
    LineReader reader(16);
    const std::string octets = std::string(100, 'a') + "\r\n";
    InputLine line;
    std::string_view input = octets;
    REQUIRE(reader.next(input, line));
    CHECK(line.fault == LineFault::too_long);
    reader.set_limit(12288);
    input = octets;
    REQUIRE(reader.next(input, line));
    CHECK(line.text.size() == 100);
}

TEST_CASE("a limit raised inside a line that was thrown away does not bring a piece of it back") {
    LineReader reader(16);
    const std::string octets(100, 'a');
    InputLine line;
    std::string_view input = octets;
    CHECK_FALSE(reader.next(input, line));
    reader.set_limit(1000);
    input = "b\r\n";
    REQUIRE(reader.next(input, line));
    CHECK(line.fault == LineFault::too_long);
}

TEST_CASE("a line of a gigabyte is one fault") {
    LineReader reader(4096);
    const std::string block(1 << 20, 'x');
    InputLine line;
    for (int i = 0; i < 1024; ++i) {
        std::string_view input = block;
        REQUIRE_FALSE(reader.next(input, line));
    }
    std::string_view input = "\r\nNOOP\r\n";
    REQUIRE(reader.next(input, line));
    CHECK(line.fault == LineFault::too_long);
    REQUIRE(reader.next(input, line));
    CHECK(line.text == "NOOP");
}
