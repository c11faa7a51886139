#include "smtp/dialogue.hh"

#include "tests/support/test.hh"

using namespace std::string_view_literals;
using namespace greylag::smtp::dialogue;

namespace {

Script good(std::string_view text) {
    auto script = parse(text);
    if (!script) {
        for (const Fault& f : script.error()) FAIL_CHECK(f.line, ": ", f.what);
        return {};
    }
    return std::move(*script);
}

// "1: what; 3: what" or "" for a script without fault.
std::string faults(std::string_view text) {
    const auto script = parse(text);
    std::string all;
    if (script) return all;
    for (const Fault& f : script.error()) all += (all.empty() ? "" : "; ") + std::to_string(f.line) + ": " + f.what;
    return all;
}

// The octets of the only group that `text` sends.
std::string sent(std::string_view text) {
    const Script script = good(text);
    REQUIRE(script.steps.size() == 1);
    CHECK(script.steps[0].verb == Verb::send);
    return script.steps[0].text;
}

Step only(std::string_view text) {
    const Script script = good(text);
    REQUIRE(!script.steps.empty());
    return script.steps.back();
}

}  // namespace

TEST_CASE("dialogue: what a client line sends") {
    struct {
        std::string_view text;
        std::string_view octets;
    } const cases[] = {
        {"c: NOOP", "NOOP\r\n"},
        {"c:", "\r\n"},
        {"c: ", "\r\n"},
        {"c:  two blanks ", " two blanks \r\n"},
        {"  c: indented", "indented\r\n"},
        {"c: NOOP\r\n", "NOOP\r\n"},
        {"c- EHLO x\\r", "EHLO x\r"},
        {"c- \\x16\\x03\\x01", "\x16\x03\x01"},
        {"c: a\\0b\\\\n\\t\\xe9", "a\0b\\n\t\xe9\r\n"sv},
        {"c: # no comment", "# no comment\r\n"},
        {"c: MAIL FROM:<a@b.c>\nc: RCPT TO:<d@e.f>\n\n# a comment splits nothing\nc+ DATA",
         "MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n"},
        {"c- NO\nc: OP", "NOOP\r\n"},
        {"data <<END\nSubject: x\n\n.\n..\n\\n\nEND", "Subject: x\r\n\r\n..\r\n...\r\n\\n\r\n.\r\n"},
        {"data <<END\nEND", ".\r\n"},
        {"data <<.\n# kept\n.\n", "# kept\r\n.\r\n"},
        {"c: DATA\ndata <<X\nhello\nX\nc: QUIT", "DATA\r\nhello\r\n.\r\nQUIT\r\n"},
        {"raw <<END\na\\r\\n\n.\\n\n\nEND", "a\r\n.\n"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        CHECK(sent(c.text) == c.octets);
    }
}

TEST_CASE("dialogue: steps in order, with their lines") {
    const Script script = good(
        "# a session\ns: 220\nc: EHLO client.example\ns: 250\ns+ PIPELINING\ns! STARTTLS\n\nc: A\ncut\nc: B\ns~ 250-ok\ns~ ...x "
        "y\n"
        "tls\nauth PLAIN joe secret\nauth\nwait\nclose\nclosed\n");
    struct {
        Verb verb;
        unsigned line;
        std::string_view text;
    } const expected[] = {
        {Verb::reply, 2, ""},
        {Verb::send, 3, "EHLO client.example\r\n"},
        {Verb::reply, 4, ""},
        {Verb::has, 5, "PIPELINING"},
        {Verb::has_not, 6, "STARTTLS"},
        {Verb::send, 8, "A\r\n"},
        {Verb::cut, 9, ""},
        {Verb::send, 10, "B\r\n"},
        {Verb::reply_begins, 11, "250-ok"},
        {Verb::reply_contains, 12, "x y"},
        {Verb::tls, 13, ""},
        {Verb::auth, 14, ""},
        {Verb::auth, 15, ""},
        {Verb::wait, 16, ""},
        {Verb::close, 17, ""},
        {Verb::closed, 18, ""},
    };
    REQUIRE(script.steps.size() == std::size(expected));
    for (std::size_t i = 0; i < std::size(expected); ++i) {
        CAPTURE(i);
        CHECK(script.steps[i].verb == expected[i].verb);
        CHECK(script.steps[i].line == expected[i].line);
        CHECK(script.steps[i].text == expected[i].text);
    }
    CHECK(script.steps[0].code == 220);
    CHECK(script.steps[11].words == std::vector<std::string>{"PLAIN", "joe", "secret"});
    CHECK(script.steps[12].words.empty());
}

TEST_CASE("dialogue: the world around the server") {
    const Script script = good(
        "@option -r -h example.org\n@config <<END\n[smtpd]\r\n  domain = x\n\nEND\n@delivered none\n@file a b <<X\nX\n@bare");
    REQUIRE(script.world.size() == 5);
    CHECK(script.steps.empty());
    CHECK(script.world[0].name == "option");
    CHECK(script.world[0].text == "-r -h example.org");
    CHECK(!script.world[0].block);
    CHECK(script.world[1].line == 2);
    CHECK(script.world[1].text == "");
    CHECK(script.world[1].block == "[smtpd]\n  domain = x\n\n");
    CHECK(script.world[2].line == 7);
    CHECK(script.world[3].text == "a b");
    CHECK(script.world[3].block == "");
    CHECK(script.world[4].name == "bare");
}

TEST_CASE("dialogue: every fault is named with its line") {
    struct {
        std::string_view text;
        std::string_view faults;
    } const cases[] = {
        {"", ""},
        {"\n \t\n# x\n  # y", ""},
        {"c:x", "1: \"c:x\" is no word of a dialogue"},
        {"S: 250", "1: \"S:\" is no word of a dialogue"},
        {"c: \\q", "1: an escape is one of \\r \\n \\t \\0 \\\\ \\xNN"},
        {"c: \\", "1: an escape is one of \\r \\n \\t \\0 \\\\ \\xNN"},
        {"c: \\x4", "1: an escape is one of \\r \\n \\t \\0 \\\\ \\xNN"},
        {"c: \\x4g", "1: an escape is one of \\r \\n \\t \\0 \\\\ \\xNN"},
        {"s: 220\nc+ NOOP", "2: c+ continues a group, and nothing is sent directly before it"},
        {"c: A\ncut\nc+ B", "3: c+ continues a group, and nothing is sent directly before it"},
        {"s:", "1: s: takes a reply code of three digits, and the beginning of the text when wanted"},
        {"s: 25", "1: s: takes a reply code of three digits, and the beginning of the text when wanted"},
        {"s: 2500", "1: s: takes a reply code of three digits, and the beginning of the text when wanted"},
        {"s: 099", "1: s: takes a reply code of three digits, and the beginning of the text when wanted"},
        {"s: ok", "1: s: takes a reply code of three digits, and the beginning of the text when wanted"},
        {"s: 250-ok", "1: s: compares a whole reply, its lines are looked at with s+: write \"s: 250\""},
        {"s~", "1: s~ takes the beginning of the reply, or ... and a part of it"},
        {"s~ ...", "1: s~ takes the beginning of the reply, or ... and a part of it"},
        {"s+ SIZE", "1: s+ looks at the reply just compared, and there is none directly before it"},
        {"s: 250\nc: NOOP\ns! SIZE", "3: s! looks at the reply just compared, and there is none directly before it"},
        {"s: 250\ns+", "2: s+ takes the words a line of the reply begins with"},
        {"close now", "1: close takes nothing"},
        {"auth a b c d", "1: auth takes a mechanism, a user and a password at most"},
        {"data", "1: data takes one block: data <<END"},
        {"data <<", "1: data takes one block: data <<END"},
        {"data x <<END\nEND", "1: data takes one block: data <<END; 2: \"END\" is no word of a dialogue"},
        {"\ndata <<END\nEND \n", "2: no line \"END\" ends this block"},
        {"raw <<END\n\\z\nEND", "2: an escape is one of \\r \\n \\t \\0 \\\\ \\xNN"},
        {"@config <<END\nx", "1: no line \"END\" ends this block"},
        {"@ x", "1: a name stands directly behind the @"},
        {"c: A\nbogus\ns: 1\n\x1b[2J",
         "2: \"bogus\" is no word of a dialogue; 3: s: takes a reply code of three digits, and the beginning of the "
         "text when wanted; 4: \"\\x1b[2J\" is no word of a dialogue"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        CHECK(faults(c.text) == c.faults);
    }
}

TEST_CASE("dialogue: what a reply must be") {
    constexpr std::string_view ehlo = "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN\r\n";
    struct {
        std::string_view step;
        std::string_view reply;
        bool fits;
    } const cases[] = {
        {"s: 250", "250 2.0.0 ok\r\n", true},
        {"s: 250", "250\r\n", true},
        {"s: 250", "250 ok\n", true},
        {"s: 250", ehlo, true},
        {"s: 250", "251 ok\r\n", false},
        {"s: 250", "2500 ok\r\n", false},
        {"s: 250", "25\r\n", false},
        {"s: 250", "", false},
        {"s: 250 2.1.0", "250 2.1.0 sender ok\r\n", true},
        {"s: 250 2.1.0", "250-2.1.0 sender ok\r\n250 2.1.0 more\r\n", true},
        {"s: 250 2.1.0", "250 2.1.5 ok\r\n", false},
        {"s: 250 2.1.0", "250\r\n", false},
        {"s~ 250-mx", ehlo, true},
        {"s~ 250 mx", ehlo, false},
        {"s~ 250-PIPE", ehlo, false},
        {"s~ ...SIZE 1", ehlo, true},
        {"s~ ...250-SIZE", ehlo, true},
        {"s~ ...size", ehlo, false},
        {"s: 250\ns+ PIPELINING", ehlo, true},
        {"s: 250\ns+ pipelining", ehlo, true},
        {"s: 250\ns+ PIPE", ehlo, false},
        {"s: 250\ns+ AUTH PLAIN", ehlo, true},
        {"s: 250\ns+ AUTH LOGIN", ehlo, false},
        {"s: 250\ns! STARTTLS", ehlo, true},
        {"s: 250\ns! SIZE", ehlo, false},
        {"s: 250\ns! STARTTLS", "250 mx.example\r\n", true},
    };
    for (const auto& c : cases) {
        CAPTURE(c.step);
        CAPTURE(c.reply);
        CHECK(!mismatch(only(c.step), c.reply).has_value() == c.fits);
    }
}

TEST_CASE("dialogue: a mismatch says both sides, harmlessly") {
    CHECK(mismatch(only("s: 250 2.1.0"), "550-5.1.1 no\r\n550 5.1.1 such\x1b user\r\n") ==
          "expected 250 2.1.0, got \"550-5.1.1 no / 550 5.1.1 such\\x1b user\"");
    CHECK(mismatch(only("s: 250\ns+ SIZE"), "250 x\r\n") == "expected a line \"SIZE\", got \"250 x\"");
    CHECK(mismatch(only("s~ ...SIZE"), "250 x\r\n") == "expected a reply that contains \"SIZE\", got \"250 x\"");
}
