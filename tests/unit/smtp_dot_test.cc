#include "smtp/dot.hh"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/pieces.hh"
#include "tests/support/test.hh"

using namespace greylag;
using smtp::DotDecoder;
using smtp::DotEncoder;
using namespace std::string_literals;

namespace {

struct Decoded {
    std::string text;
    std::string rest;  // behind the end
    bool ended = false;
    std::string faults;
    std::uint64_t octets = 0;
    bool operator==(const Decoded&) const = default;
};
doctest::String toString(const Decoded& d) {
    return (d.text + " [" + d.faults + "] " + std::to_string(d.octets) + (d.ended ? " ended, behind it: " + d.rest : " open"))
        .c_str();
}

std::string show(const smtp::BodyFaults& faults) {
    std::string out;
    if (faults.bare_lf) out += "lf ";
    if (faults.bare_cr) out += "cr ";
    if (faults.nul) out += "nul ";
    if (faults.long_line) out += "long ";
    return out;
}

Decoded decode(std::string_view octets, DotDecoder::Limits limits = {}, unsigned seed = 0) {
    DotDecoder decoder(limits);
    Decoded out;
    for (std::string_view piece : test::pieces(octets, seed)) {
        if (!out.ended) out.ended = decoder.feed(piece, out.text);
        if (!out.ended) CHECK(piece.empty());
        out.rest += piece;
    }
    out.faults = show(decoder.faults());
    out.octets = decoder.octets();
    return out;
}

// Where the body ends, found the slow way: the first CRLF.CRLF when a CRLF stands in front of the body.
std::size_t naive_end(const std::string& octets) {
    const std::size_t at = ("\r\n" + octets).find("\r\n.\r\n");
    return at == std::string::npos ? at : at + 3;
}

std::string encode(std::string_view text, unsigned seed = 0) {
    DotEncoder encoder;
    std::string out;
    for (const std::string_view piece : test::pieces(text, seed)) encoder.feed(piece, out);
    encoder.finish(out);
    return out;
}

constexpr DotDecoder::Limits normalize{1 << 20, DotDecoder::BareLf::normalize};

}  // namespace

TEST_CASE("clean bodies") {
    const std::vector<std::pair<std::string, Decoded>> cases = {
        {".\r\n", {"", "", true, "", 0}},
        {".\r\nQUIT\r\n", {"", "QUIT\r\n", true, "", 0}},
        {"\r\n.\r\n", {"\n", "", true, "", 2}},
        {"a\r\n.\r\n", {"a\n", "", true, "", 3}},
        {"a\r\nbc\r\n\r\nd\r\n.\r\n.\r\n", {"a\nbc\n\nd\n", ".\r\n", true, "", 12}},
        {"..\r\n.\r\n", {".\n", "", true, "", 3}},
        {".x\r\n...\r\n.. \r\n. \r\n.\r\n", {"x\n..\n. \n \n", "", true, "", 14}},
        {"a.\r\nb.c\r\n.\r\n", {"a.\nb.c\n", "", true, "", 9}},
        {"\xff\xc3\xa9\r\n.\r\n", {"\xff\xc3\xa9\n", "", true, "", 5}},
        {"a", {"a", "", false, "", 1}},
        {"", {"", "", false, "", 0}},
        {".\r", {"", "", false, "", 0}},
        {"a\r\n.", {"a\n", "", false, "", 3}},
    };
    for (const auto& [octets, wanted] : cases) {
        for (unsigned seed = 0; seed < test::piece_seeds; ++seed) {
            CAPTURE(octets);
            CAPTURE(seed);
            CHECK(decode(octets, {}, seed) == wanted);
        }
    }
}

TEST_CASE("nothing but CRLF.CRLF ends a body (SMTP smuggling)") {
    const std::vector<std::string> ends = {
        "\n.\n",   "\n.\r\n", "\r.\r",       "\r.\n",         "\r.\r\n",      "\n.\r",
        "\r\n.\n", "\r\n.\r", "\r\n.\r\r\n", "\r\r\n.\r\r\n", "\r\n\0.\r\n"s, "\r\n.\0\r\n"s,
    };
    for (const std::string& end : ends) {
        const std::string octets = "text" + end + "MAIL FROM:<x@y>\r\n.\r\nQUIT\r\n";
        for (const DotDecoder::Limits& limits : {DotDecoder::Limits{}, normalize}) {
            for (unsigned seed = 0; seed < test::piece_seeds; ++seed) {
                CAPTURE(octets);
                CAPTURE(seed);
                const Decoded d = decode(octets, limits, seed);
                CHECK(d.ended);
                CHECK(d.rest == "QUIT\r\n");
                CHECK(d.text.find("MAIL FROM:<x@y>\n") != std::string::npos);
                if (limits.bare_lf == DotDecoder::BareLf::fault) CHECK_FALSE(d.faults.empty());
            }
        }
    }
}

TEST_CASE("faults") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"a\nb\r\n.\r\n", "lf "},
        {"\n.\r\n\r\n.\r\n", "lf "},
        {"a\rb\r\n.\r\n", "cr "},
        {"a\r\r\n.\r\n", "cr "},
        {"\r\r\n.\r\n", "cr "},
        {".\rx\r\n.\r\n", "cr "},
        {"\r", ""},
        {"a\0b\r\n.\r\n"s, "nul "},
        {"a\r\0\n\r\n.\r\n"s, "lf cr nul "},
        {"\0\r\n.\r\n"s, "nul "},
        {"a\r\n.\r\n\0\n\r"s, ""},
    };
    for (const auto& [octets, wanted] : cases) {
        for (unsigned seed = 0; seed < test::piece_seeds; ++seed) {
            CAPTURE(octets);
            CAPTURE(seed);
            CHECK(decode(octets, {}, seed).faults == wanted);
        }
    }
}

TEST_CASE("normalize: a bare LF is a line end and nothing more") {
    const std::vector<std::pair<std::string, Decoded>> cases = {
        {"a\nb\r\n.\r\n", {"a\nb\n", "", true, "", 6}},        {"a\n.\nb\r\n.\r\n", {"a\n.\nb\n", "", true, "", 9}},
        {"a\n..x\r\n.\r\n", {"a\n..x\n", "", true, "", 8}},    {"a\n.\r\n.\r\n", {"a\n.\n", "", true, "", 6}},
        {"a\r\n.\nb\r\n.\r\n", {"a\n\nb\n", "", true, "", 8}},
    };
    for (const auto& [octets, wanted] : cases) {
        for (unsigned seed = 0; seed < test::piece_seeds; ++seed) {
            CAPTURE(octets);
            CAPTURE(seed);
            CHECK(decode(octets, normalize, seed) == wanted);
        }
    }
}

TEST_CASE("long lines are a fault, counted with CRLF and without a stuffed dot") {
    const DotDecoder::Limits ten{10, DotDecoder::BareLf::fault};
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"12345678\r\n.\r\n", ""},
        {"12345678\r\n12345678\r\n.\r\n", ""},
        {"..234567\r\n.\r\n", ""},
        {"..2345678\r\n.\r\n", ""},
        {"..23456789\r\n.\r\n", "long "},
        {"123456789\r\n.\r\n", "long "},
        {"1\r\n123456789\r\n1\r\n.\r\n", "long "},
    };
    for (const auto& [octets, wanted] : cases) {
        for (unsigned seed = 0; seed < test::piece_seeds; ++seed) {
            CAPTURE(octets);
            const Decoded d = decode(octets, ten, seed);
            CHECK(d.faults == wanted);
            CHECK(d.ended);
        }
    }
}

TEST_CASE("any mixture of awkward octets: the end is where a plain search finds it, and a split changes nothing") {
    constexpr std::string_view alphabet("\r\n\r\n\r\n..\0a", 10);
    for (unsigned round = 1; round <= 1000; ++round) {
        std::minstd_rand random(round);
        std::string octets;
        for (int i = 0; i < 80; ++i) octets += alphabet[random() % alphabet.size()];
        octets += "\r\n.\r\nQUIT\r\n";
        for (const DotDecoder::Limits& limits : {DotDecoder::Limits{12, DotDecoder::BareLf::fault}, normalize}) {
            const Decoded whole = decode(octets, limits);
            CAPTURE(octets);
            CHECK(whole.ended);
            CHECK(octets.size() - whole.rest.size() == naive_end(octets));
            for (unsigned seed = 1; seed < 12; ++seed) CHECK(decode(octets, limits, seed) == whole);
        }
    }
}

TEST_CASE("what is appended comes behind what was there") {
    DotDecoder decoder({});
    std::string out = "Received: x\n";
    std::string_view input = "a\r\n.\r\nQUIT\r\n";
    CHECK(decoder.feed(input, out));
    CHECK(out == "Received: x\na\n");
    CHECK(input == "QUIT\r\n");
}

TEST_CASE("encoder") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", ".\r\n"},
        {"a\n", "a\r\n.\r\n"},
        {"a", "a\r\n.\r\n"},
        {"a\r\nb\n", "a\r\nb\r\n.\r\n"},
        {".\n..\n.a\n", "..\r\n...\r\n..a\r\n.\r\n"},
        {"\n.", "\r\n..\r\n.\r\n"},
        {"a\r.b\n", "a\r\n..b\r\n.\r\n"},
        {"a\r", "a\r\n.\r\n"},
        {"a\r\r\nb", "a\r\n\r\nb\r\n.\r\n"},
    };
    for (const auto& [text, wanted] : cases) {
        for (unsigned seed = 0; seed < test::piece_seeds; ++seed) {
            CAPTURE(text);
            CAPTURE(seed);
            CHECK(encode(text, seed) == wanted);
        }
    }
}

TEST_CASE("what is encoded decodes to itself") {
    constexpr std::string_view alphabet = "\n\n..a b";
    for (unsigned round = 1; round <= 500; ++round) {
        std::minstd_rand random(round);
        std::string text;
        for (unsigned i = 0; i < round % 60; ++i) text += alphabet[random() % alphabet.size()];
        if (!text.empty() && text.back() != '\n') text += '\n';
        const Decoded d = decode(encode(text, round), {}, round % 9);
        CAPTURE(text);
        CHECK(d ==
              Decoded{text, "", true, "", text.size() + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'))});
    }
}
