#include "smtp/reply_parser.hh"

#include <string>
#include <vector>

#include "tests/support/pieces.hh"
#include "tests/support/test.hh"

using namespace greylag;
using smtp::Reply;
using smtp::ReplyParser;
using namespace std::string_literals;

namespace {

// "250[2.1.0](text/text)" a reply; "..." in the middle of one, "!" and the sentence for a fault.
std::string read(std::string_view octets, unsigned seed) {
    ReplyParser parser;
    std::string out;
    for (std::string_view piece : test::pieces(octets, seed)) {
        Reply reply;
        for (;;) {
            const auto got = parser.next(piece, reply);
            if (got == ReplyParser::Got::fault) return out + "!" + parser.fault();
            if (got == ReplyParser::Got::more) break;
            out += std::to_string(reply.code);
            if (!reply.enhanced.empty()) out += "[" + reply.enhanced + "]";
            for (std::size_t i = 0; i < reply.lines.size(); ++i) out += (i == 0 ? "(" : "/") + reply.lines[i];
            out += ")";
        }
        CHECK(piece.empty());
    }
    return out + (parser.mid_reply() ? "..." : "");
}

std::string repeat(unsigned count, const std::string& line) {
    std::string out;
    while (count-- != 0) out += line;
    return out;
}

struct Case {
    std::string octets;
    std::string replies;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        {"", ""},
        {"220 mx.example ESMTP\r\n", "220(mx.example ESMTP)"},
        {"220 mx.example", "..."},
        {"220-mx.example\r\n", "..."},
        {"250-mx.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n", "250(mx.example/PIPELINING/SIZE 1000)"},
        {"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go\r\n", "250[2.1.0](ok)250[2.1.5](ok)354(go)"},
        {"550-5.1.1 no such\r\n550 5.1.1 user\r\n", "550[5.1.1](no such/user)"},
        // an enhanced code of another class, not on every line, or no such code: it is text
        {"550 4.1.1 no\r\n", "550(4.1.1 no)"},
        {"550-5.1.1 no such\r\n550 user\r\n", "550(5.1.1 no such/user)"},
        {"550-5.1.1 no\r\n550 5.7.1 user\r\n", "550(5.1.1 no/5.7.1 user)"},
        {"550 5.1 user\r\n550 5.1.1.1 x\r\n550 5..1 x\r\n550 5.1.1234 x\r\n",
         "550(5.1 user)550(5.1.1.1 x)550(5..1 x)550(5.1.1234 x)"},
        {"550 5.7.2\r\n", "550[5.7.2]()"},  // nothing behind it (CVE-2026-43964)
        // what servers do: a bare code, LF alone, text missing
        {"250\r\n", "250()"},
        {"250 \r\n", "250()"},
        {"250-\r\n250\r\n", "250(/)"},
        {"250 ok\n250-a\n250 b\n", "250(ok)250(a/b)"},
        {"571 5.7.1 no\r\n", "571[5.7.1](no)"},
        // the text is the server's: controls stay, to be escaped where they are shown
        {"250 a\033[31m\0b\rc\r\n"s, "250(a\033[31m\0b\rc)"s},
        // no replies
        {"\r\n", "!the line begins with no reply code: \"\""},
        {"abc\r\n", "!the line begins with no reply code: \"abc\""},
        {"25\r\n", "!the line begins with no reply code: \"25\""},
        {"099 x\r\n", "!the line begins with no reply code: \"099 x\""},
        {"150 x\r\n", "!the line begins with no reply code: \"150 x\""},
        {"600 x\r\n", "!the line begins with no reply code: \"600 x\""},
        {"+25 x\r\n", "!the line begins with no reply code: \"+25 x\""},
        {" 250 x\r\n", "!the line begins with no reply code: \" 250 x\""},
        {"250x\r\n", "!neither blank nor hyphen follows the code: \"250x\""},
        {"2500 x\r\n", "!neither blank nor hyphen follows the code: \"2500 x\""},
        {"250\t x\r\n", "!neither blank nor hyphen follows the code: \"250\\x09 x\""},
        {"250-a\r\n251 b\r\n", "!the code changes within the reply: \"251 b\""},
        // CVE-2020-8794: the last line lacks its code
        {"553-\r\n553\r\n\nmda-exec: id\n", "553(/)!the line begins with no reply code: \"\""},
        {"553-a\r\nb\r\n", "!the line begins with no reply code: \"b\""},
        {"250 ok\r\nx\r\n250 ok\r\n", "250(ok)!the line begins with no reply code: \"x\""},
        // how much
        {repeat(63, "250-\r\n") + "250 x\r\n", "250(" + repeat(63, "/") + "x)"},
        {repeat(64, "250-\r\n") + "250 x\r\n", "!the reply has too many lines: \"250 x\""},
        {"250 " + std::string(8186, 'x') + "\r\n", "250(" + std::string(8186, 'x') + ")"},
        {"250 " + std::string(8187, 'x') + "\r\n", "!the reply is too long: \"\""},
        {"250-ok\r\n" + std::string(10'000'000, 'x'), "!the reply is too long: \"ok\""},
        {repeat(3, "250 " + std::string(5000, 'x') + "\r\n"), repeat(3, "250(" + std::string(5000, 'x') + ")")},
    };
    return all;
}

}  // namespace

TEST_CASE("smtp: what a server says as replies") {
    for (const Case& c : cases()) {
        CAPTURE(c.octets.substr(0, 200));
        CHECK(read(c.octets, 0) == c.replies);
    }
}

TEST_CASE("smtp: a split changes no reply") {
    for (const Case& c : cases()) {
        CAPTURE(c.octets.substr(0, 200));
        const unsigned seeds = c.octets.size() > 100'000 ? 5 : c.octets.size() > 1000 ? 20 : test::piece_seeds;
        for (unsigned seed = 1; seed < seeds; ++seed) CHECK(read(c.octets, seed) == c.replies);
    }
}

TEST_CASE("smtp: what we say is what a client of ours reads") {
    for (const Reply& said :
         {Reply{250, "2.1.0", {"ok"}}, Reply{250, "", {"mx.example", "SIZE", "HELP"}}, Reply{550, "5.1.1", {"a", "b"}}}) {
        const std::string octets = smtp::wire(said);
        std::string_view input = octets;
        ReplyParser parser;
        Reply heard;
        REQUIRE(parser.next(input, heard) == ReplyParser::Got::reply);
        CHECK(heard.code == said.code);
        CHECK(heard.enhanced == said.enhanced);
        CHECK(heard.lines == said.lines);
    }
}

TEST_CASE("smtp: behind a fault nothing is believed") {
    ReplyParser parser;
    Reply reply;
    std::string_view input = "nonsense\r\n250 ok\r\n";
    CHECK(parser.next(input, reply) == ReplyParser::Got::fault);
    CHECK(parser.next(input, reply) == ReplyParser::Got::fault);
    input = "250 ok\r\n";
    CHECK(parser.next(input, reply) == ReplyParser::Got::fault);
    input = "";
    CHECK(parser.next(input, reply) == ReplyParser::Got::fault);
}

TEST_CASE("smtp reply: one that is used again holds nothing of the last") {
    ReplyParser parser;
    Reply reply;
    std::string_view input = "250-2.1.0 one\r\n250-2.1.0 two\r\n250 2.1.0 three\r\n354 go\r\n250-a\r\n250 b\r\n";
    const char* const expected[] = {"2.1.0|one|two|three", "|go", "|a|b"};
    for (const char* const each : expected) {
        REQUIRE(parser.next(input, reply) == ReplyParser::Got::reply);
        std::string shown = reply.enhanced;
        for (const auto& line : reply.lines) shown += "|" + line;
        CHECK(shown == each);
    }
}
