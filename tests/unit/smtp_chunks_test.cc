// BDAT (RFC 3030): every octet that was promised is counted, whatever is thought of it; what stands in it is content.
#include "smtp/server.hh"
#include "tests/support/memory_session.hh"
#include "tests/support/replies.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::smtp;
using namespace std::string_literals;
using test::codes;
using test::MemorySession;
using test::MemoryWorld;

namespace {

const std::string opening = "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\n";

std::string bdat(const std::string& octets, bool last = false) {
    return "BDAT " + std::to_string(octets.size()) + (last ? " LAST" : "") + "\r\n" + octets;
}

MemoryWorld at_data(mail::Verdict verdict) {
    MemoryWorld world;
    world.answer = [verdict](const Question& q) {
        return std::holds_alternative<question::Data>(q) ? verdict : mail::Verdict::pass();
    };
    return world;
}

}  // namespace

TEST_CASE("chunks: groups, their replies and what the mailer gets") {
    struct Case {
        std::string_view what;
        std::string said;       // behind the opening
        std::string replies;    // behind "250 250 250"
        std::string delivered;  // "-": nothing
    };
    const std::string hello = "Subject: x\r\n\r\nhello\r\n";
    const Case cases[] = {
        {"one chunk", bdat(hello, true), "250", "Subject: x\n\nhello\n"},
        {"three, pipelined", bdat("Subject: ") + bdat("x\r\n\r\nhe") + bdat("llo\r\n", true) + "QUIT\r\n", "250 250 250 221",
         "Subject: x\n\nhello\n"},
        {"BDAT 0 LAST alone is an empty message", "BDAT 0 LAST\r\n", "250", ""},
        {"BDAT 0 LAST ends what came before", bdat(hello) + "BDAT 0 LAST\r\n", "250 250", "Subject: x\n\nhello\n"},
        {"BDAT 0 in the middle", bdat("a\r\n") + "BDAT 0\r\n" + bdat("b\r\n", true), "250 250 250", "a\nb\n"},
        {"a dot line, a bare LF and a NUL are content", bdat("a\r\n.\r\nb\nc\0d\r\n..\r\n"s, true), "250",
         "a\n.\nb\nc\0d\n..\n"s},
        {"commands in a chunk are content", bdat("QUIT\r\nRSET\r\nDATA\r\n", true), "250", "QUIT\nRSET\nDATA\n"},
        {"CRLF over the border of two chunks", bdat("a\r") + bdat("\nb\r\n", true), "250 250", "a\nb\n"},
        {"a bare CR is kept, at a border, too", bdat("a\rb\r") + bdat("c\r", true), "250 250", "a\rb\rc\r"},
        {"CR, then BDAT 0 LAST", bdat("a\r") + "BDAT 0 LAST\r\n", "250 250", "a\r"},
        {"no line end at the end", bdat("abc", true), "250", "abc"},
        {"RSET between chunks forgets them", bdat(hello) + "RSET\r\n" + "RCPT TO:<c@mx.example>\r\n", "250 250 503", "-"},
        {"and the next message has only its own",
         bdat("old\r") + "RSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\n" + bdat("\nnew\r\n", true),
         "250 250 250 250 250", "\nnew\n"},
        {"RSET, then DATA", bdat("old\r") + "RSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\nDATA\r\nnew\r\n.\r\n",
         "250 250 250 250 354 250", "new\n"},
        {"EHLO between chunks forgets them", bdat(hello) + "EHLO c.example\r\n" + bdat("x", true), "250 250 503", "-"},
        {"QUIT between chunks", bdat(hello) + "QUIT\r\n", "250 221", "-"},
        {"NOOP and HELP between chunks", bdat("a") + "NOOP\r\nHELP\r\nVRFY x\r\n" + bdat("b", true), "250 250 214 252 250", "ab"},
        {"no other transaction command between chunks",
         bdat("a") + "MAIL FROM:<a@b.example>\r\n" + "RCPT TO:<c@mx.example>\r\n" + bdat("b", true), "250 503 503 250", "ab"},
        {"DATA between chunks ends nothing", bdat("a") + "DATA\r\n", "250 503", "-"},
        {"bad counts",
         "BDAT\r\nBDAT x\r\nBDAT 1 LAS\r\nBDAT 1 LAST x\r\nBDAT +1\r\nBDAT -1\r\nBDAT 0x10\r\nBDAT 1e3\r\nBDAT \x7f\r\n",
         "501 501 501 501 501 501 501 501 501", "-"},
        {"a count no number holds ends it", "BDAT 99999999999999999999\r\nQUIT\r\n", "552", "-"},
        {"and one that nobody waits for", "BDAT 18446744073709551615\r\nQUIT\r\n", "552", "-"},
        {"behind a chunk, too", bdat("abcde") + "BDAT 18446744073709551615\r\nQUIT\r\n", "250 552", "-"},
        {"lower case", "bdat 3 last\r\nabc", "250", "abc"},
        {"two messages", bdat("one", true) + "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\n" + bdat("two", true),
         "250 250 250 250", "two"},
        {"DATA after BDAT", bdat("one", true) + "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\nDATA\r\n..two\r\n.\r\n",
         "250 250 250 354 250", ".two\n"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.what);
        MemorySession session;
        CHECK(codes(session.feed(opening + c.said)) == "250 250 250 " + c.replies);
        CHECK(session.delivered().empty() == (c.delivered == "-"));
        if (!session.delivered().empty()) CHECK(session.delivered().back().body == c.delivered);
    }
}

TEST_CASE("chunks: what is refused is counted off all the same") {
    const std::string hidden = "RSET\r\nQUIT\r\n.\r\n";
    SUBCASE("before any command") {
        MemorySession session;
        CHECK(codes(session.feed(bdat(hidden, true) + "NOOP\r\n")) == "500 250");
    }
    SUBCASE("after HELO, which offered nothing") {
        MemorySession session;
        CHECK(codes(session.feed("HELO c.example\r\n" + bdat(hidden) + "NOOP\r\n")) == "250 500 250");
    }
    SUBCASE("without a sender, without a recipient, with none accepted") {
        MemorySession session({.domain = "mx.example"}, [] {
            MemoryWorld world;
            world.answer = [](const Question& q) {
                return std::holds_alternative<question::Recipient>(q) ? mail::Verdict::never(mail::Why::user_unknown)
                                                                      : mail::Verdict::pass();
            };
            return world;
        }());
        CHECK(codes(session.feed("EHLO c.example\r\n" + bdat(hidden, true))) == "250 503");
        CHECK(codes(session.feed("MAIL FROM:<a@b.example>\r\n" + bdat(hidden, true))) == "250 503");
        CHECK(codes(session.feed("RCPT TO:<c@mx.example>\r\n" + bdat(hidden) + bdat(hidden, true))) == "550 554 554");
        CHECK(session.given().empty());
    }
    SUBCASE("a chunk over the limit takes its message with it") {
        MemorySession session({.domain = "mx.example", .size_limit = 20});
        CHECK(codes(session.feed(opening + bdat("0123456789") + bdat(std::string(11, 'x')) + bdat("QUIT\r\n"))) ==
              "250 250 250 250 552 552");
        CHECK(codes(session.feed(bdat("QUIT\r\n", true) + "MAIL FROM:<a@b.example>\r\n")) == "552 250");
        CHECK(codes(session.feed("RCPT TO:<c@mx.example>\r\n" + bdat(std::string(20, 'x'), true))) == "250 250");
        CHECK(session.delivered().size() == 1);
    }
    SUBCASE("the sum of two counts does not wrap") {
        MemorySession session;
        CHECK(codes(session.feed(opening + bdat("abcde") + "BDAT 4611686018427387904 LAST\r\nQUIT\r\n")) == "250 250 250 250");
        CHECK(session.in_body());
        CHECK(session.gone(event::Gone::Why::eof).empty());
        CHECK(session.given().empty());
    }
}

TEST_CASE("chunks: a verdict at DATA refuses the message, not the count") {
    MemorySession later({.domain = "mx.example"}, at_data(mail::Verdict::later(mail::Why::greylisted, "300")));
    const auto said = later.feed(opening + bdat("QUIT\r\n") + bdat("QUIT\r\n", true) + "NOOP\r\n");
    CHECK(codes(said) == "250 250 250 451 451 250");
    CHECK(said.find("451 4.7.1 ") != std::string::npos);
    CHECK(said.find("300") != std::string::npos);
    CHECK(later.log().front().word == base::Word::greylist);
    CHECK(later.waited().count() == 0);  // being told later is no error, five times neither
    CHECK(later.given().empty());

    // From then on every command is refused, and the octets of a chunk still are no commands.
    MemorySession never({.domain = "mx.example", .error_limit = 50}, at_data(mail::Verdict::never(mail::Why::dialup)));
    CHECK(codes(never.feed(opening + bdat("NOOP\r\n") + bdat("QUIT\r\n", true))) == "250 250 250 554 554");
    CHECK(codes(never.feed("NOOP\r\n" + bdat("QUIT\r\nQUIT\r\n", true) + "MAIL FROM:<>\r\nQUIT\r\n")) == "554 554 554 221");
    CHECK(never.given().empty());
}

TEST_CASE("chunks: what the whole message may be refused for") {
    std::string received;
    for (int i = 0; i < 51; ++i) received += "Received: x\r\n";
    MemorySession session;
    session.feed(opening);
    CHECK(session.feed(bdat(received.substr(0, 100)) + bdat(received.substr(100), true)).find("\r\n554 5.4.6 ") !=
          std::string::npos);
    CHECK(codes(session.feed("MAIL FROM:<a@b.example>\r\n")) == "250");
}

TEST_CASE("server: octets behind a DATA that policy refuses are never commands") {
    MemorySession session({.domain = "mx.example"}, at_data(mail::Verdict::later(mail::Why::greylisted, "300")));
    const auto said = session.feed(opening + "DATA\r\nMAIL FROM:<x@y.example>\r\nRCPT TO:<z@mx.example>\r\n");
    CHECK(codes(said) == "250 250 250 554");
    CHECK(session.closed());
    MemorySession patient({.domain = "mx.example"}, at_data(mail::Verdict::later(mail::Why::greylisted, "300")));
    CHECK(codes(patient.feed(opening + "DATA\r\n")) == "250 250 250 451");
    CHECK(codes(patient.feed("MAIL FROM:<x@y.example>\r\n")) == "250");
}

TEST_CASE("server: a TLS hello is answered at its second octet, in any pieces") {
    for (const bool whole : {true, false}) {
        MemorySession session;
        std::string said;
        const std::string hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03no line end"s;
        if (whole)
            said = session.feed(hello);
        else
            for (const char c : hello) said += session.feed({&c, 1});
        CHECK(codes(said) == "521");
        CHECK(session.closed());
    }
    MemorySession other;
    CHECK(codes(other.feed("\x16\r\nNOOP\r\n")) == "500 250");
}

TEST_CASE("server: a header beyond all measure is read to its end and refused") {
    MemorySession session;
    session.feed(opening + "DATA\r\n");
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "X-A: b\r\n";
    for (int i = 0; i < 300; ++i) CHECK(session.feed(many).empty());
    CHECK(session.feed("\r\nbody\r\n.\r\n").starts_with("554 5.6.0 "));
    CHECK(session.feed("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\nDATA\r\n").ends_with("\r\n"));
    CHECK(codes(session.feed("X: y\r\n\r\n" + [&] {
              std::string body;
              for (int i = 0; i < 300; ++i) body += many;
              return body;
          }() + ".\r\n")) == "250");
}
