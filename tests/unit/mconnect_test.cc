// mconnect's pure parts: line ends, transcripts, and following a dialogue that is typed.
#include "cmd/mconnect/wire.hh"

#include <vector>

#include "smtp/typed.hh"
#include "tests/support/test.hh"

using namespace greylag;
using mconnect::ToWire;
using mconnect::Transcript;

namespace {

// What goes out for input in these pieces, and the lines that were told apart.
std::string sent(bool raw, const std::vector<std::string>& pieces, std::string* lines = nullptr) {
    ToWire wire(raw);
    std::string out;
    const auto drain = [&] {
        while (const auto piece = wire.next()) {
            out += piece->octets;
            if (piece->line && lines != nullptr) *lines += *piece->line + "|";
        }
    };
    for (const auto& piece : pieces) {
        wire.typed(piece);
        drain();
    }
    CHECK_FALSE(wire.done());
    wire.end();
    drain();
    CHECK(wire.done());
    return out;
}

}  // namespace

TEST_CASE("mconnect: line ends") {
    std::string lines;
    CHECK(sent(false, {"helo x\nquit\n"}, &lines) == "helo x\r\nquit\r\n");
    CHECK(lines == "helo x|quit|");
    CHECK(sent(false, {"helo x\r\n"}) == "helo x\r\n");
    CHECK(sent(false, {"he", "lo x", "\n"}) == "helo x\r\n");
    CHECK(sent(false, {"helo x\r", "\n"}) == "helo x\r\n");
    CHECK(sent(false, {"a\rb\n"}) == "a\rb\r\n");
    CHECK(sent(false, {"\n\n"}) == "\r\n\r\n");
    CHECK(sent(false, {"no end"}) == "no end");
    CHECK(sent(false, {}) == "");
    lines.clear();
    CHECK(sent(true, {"he", "lo x\r", "\nquit\n", "\r"}, &lines) == "helo x\r\nquit\n\r");
    CHECK(lines == "helo x|quit|");
}

TEST_CASE("mconnect: a transcript") {
    Transcript text;
    using Side = Transcript::Side;
    struct Row {
        Side side;
        const char* octets;
    };
    std::string all;
    for (const Row& row : {Row{Side::theirs, "220 mx\r\n"}, Row{Side::ours, "helo x\r\n"}, Row{Side::theirs, "250-a"},
                           Row{Side::theirs, "\r\n250 b\r\n"}, Row{Side::theirs, "4"}, Row{Side::ours, "x"}})
        all += text.add(row.side, row.octets);
    all += text.finish();
    CHECK(all == "S: 220 mx\nC: helo x\nS: 250-a\nS: 250 b\nS: 4\nC: x\n");
    CHECK(text.finish().empty());
}

TEST_CASE("typed: when a line must wait, and when TLS begins") {
    smtp::Typed t;
    CHECK(t.waits());  // for the greeting
    CHECK(t.theirs("220-mx\r\n220 ready\r\n") == 19);
    CHECK_FALSE(t.waits());
    t.ours("EHLO x");
    t.ours("NOOP");
    CHECK(t.unanswered() == 2);
    CHECK_FALSE(t.waits());
    t.ours("STARTTLS");
    CHECK(t.waits());
    CHECK(t.waits_for_tls());
    t.theirs("250-mx\r\n250-STARTTLS\r\n250 HELP\r\n25");
    CHECK(t.mid_line());
    t.theirs("0 ok\r\n");
    CHECK(t.last_code() == 250);
    CHECK(t.waits());
    CHECK_FALSE(t.tls_now());
    // What follows the go-ahead is left where it is.
    CHECK(t.theirs("220 go\r\n250 injected\r\n") == 8);
    CHECK(t.tls_now());
    CHECK_FALSE(t.tls_now());
    CHECK_FALSE(t.waits());
}

TEST_CASE("typed: bodies, refusals and servers that speak something else") {
    smtp::Typed t(true);
    t.ours("data");
    CHECK(t.waits());
    t.theirs("354 go\n");
    CHECK(t.in_body());
    t.ours("STARTTLS");
    CHECK_FALSE(t.waits());
    t.ours(".");
    CHECK_FALSE(t.in_body());
    CHECK(t.unanswered() == 1);
    t.theirs("250 ok\n");
    t.ours("DATA");
    t.theirs("503 no\r\n");
    CHECK_FALSE(t.in_body());
    CHECK_FALSE(t.waits());
    t.ours("starttls ");
    t.theirs("454 later\r\n");
    CHECK_FALSE(t.tls_now());
    CHECK(t.last_code() == 454);
    t.theirs("+OK hello\r\n\r\n2500 x\r\n250x\r\n25\r\n");
    CHECK(t.last_code() == 454);
    t.theirs("421\r\n");
    CHECK(t.last_code() == 421);
    CHECK(t.unanswered() == 0);
}
