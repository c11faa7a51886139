// The pure parts of send: what it reads from a "From " line and from smtp, what it makes of many outcomes.
#include <sysexits.h>

#include "cmd/send/message.hh"
#include "cmd/send/notice.hh"
#include "cmd/send/remote.hh"
#include "mail/header.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::send;
using State = Outcome::State;

TEST_CASE("the From line names the sender in either notation") {
    struct {
        const char *line, *sender;
    } const cases[] = {
        {"From x.example!bob Sat Nov 21 23:44:04 2026 remote from ", "<bob@x.example>"},
        {"From bob@x.example Sat Nov 21 23:44:04 2026 remote from \r", "<bob@x.example>"},
        {"From /dev/null Sat Nov 21 23:44:04 2026 remote from ", "<>"},
        {"From <> Sat Nov 21", "<>"},
        {"From bob", "<bob>"},
        {"From  bob@x.example  Sat Nov 21", "<bob@x.example>"},
        {"From \"two words\"@x.example Sat Nov 21", "<\"two words\"@x.example>"},
        {"From ", "-"},
        {"From: bob@x.example", "-"},
        {"from bob", "-"},
        {"From a@@b Sat", "-"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.line);
        const auto path = from_line_sender(c.line);
        CHECK((path ? path->bracketed() : "-") == c.sender);
    }
}

TEST_CASE("what smtp reports decides; what it does not report is in doubt") {
    using How = sys::Ending::How;
    struct {
        const char* lines;
        sys::Ending ending;
        const char* a;  // a@x.example and b@x.example: state, status, code
        const char* b;
    } const cases[] = {
        {"d a@x.example 250 2.0.0 ok\nn b@x.example 550 5.1.1 who?\n", {How::exited, 67}, "d", "n67 550"},
        {"d a@x.example 250\nl b@x.example 451 busy\n", {How::exited, 75}, "d", "l75 451"},
        {"l b@x.example 451 busy\nd a@x.example 250\n", {How::exited, 75}, "d", "l75 451"},
        {"", {How::exited, 0}, "d", "d"},
        {"", {How::exited, 75}, "l75 451 4.3.0", "l75 451 4.3.0"},
        {"", {How::exited, 1}, "l75 451 4.3.0", "l75 451 4.3.0"},
        {"", {How::exited, 78}, "l75 451 4.3.0", "l75 451 4.3.0"},
        {"", {How::exited, 68}, "n68 554 5.3.0", "n68 554 5.3.0"},
        {"", {How::signalled, 9}, "l75 451 4.3.0", "l75 451 4.3.0"},
        {"", {How::timed_out, 9}, "l75 451 4.3.0", "l75 451 4.3.0"},
        {"d a@x.example 250 ok\n", {How::signalled, 11}, "d", "l75 451 4.3.0"},
        {"d a@x.example 250 ok\nd b@x.exam", {How::signalled, 9}, "d", "l75 451 4.3.0"},
        {"d a@x.example 250 ok\nd b@x.example", {How::signalled, 9}, "d", "l75 451 4.3.0"},
        {"n a@x.example 550 5.1.2 x\nn b@x.example 552 5.3.4 big\n", {How::exited, 68}, "n68 550", "n65 552"},
        {"n a@x.example 550 5.7.1 x\nn b@x.example 554 5.6.1 x\n", {How::exited, 69}, "n69 550", "n65 554"},
        {"q a@x.example 250\nd\nd a@x.examples 250\n\nd  a@x.example\n", {How::exited, 75}, "l75 451 4.3.0", "l75 451 4.3.0"},
    };
    const std::string addresses[] = {"a@x.example", "b@x.example"};
    const auto show = [](const Outcome& o) {
        if (o.state == State::delivered) return std::string("d");
        return std::string(o.state == State::never ? "n" : "l") + std::to_string(o.status) + " " + o.code;
    };
    for (const auto& c : cases) {
        CAPTURE(c.lines);
        const auto outcomes = read_report(c.lines, addresses, c.ending, "");
        REQUIRE(outcomes.size() == 2);
        CHECK(show(outcomes[0]) == c.a);
        CHECK(show(outcomes[1]) == c.b);
    }
    const std::string quoted[] = {"\"a b\"@x.example"};
    CHECK(read_report("n \"a b\"@x.example 550 5.1.1 no\n", quoted, {How::exited, 67}, "")[0].text == "5.1.1 no");
    CHECK(read_report("", quoted, {How::exited, 75}, "first word\nsecond\n")[0].text == "smtp: first word");
}

TEST_CASE("the verdict of many") {
    const Outcome d = delivered(), l = later("x"), n = never(67, "550 5.1.1", "x"), m = never(69, "554", "x");
    const auto of = [](std::initializer_list<Outcome> outcomes) {
        std::vector<Delivery> all;
        for (const auto& o : outcomes) all.push_back({"a", {}, o});
        return verdict(all);
    };
    CHECK(of({d}) == 0);
    CHECK(of({d, n}) == 0);
    CHECK(of({n, d, m}) == 0);
    CHECK(of({n, n}) == 67);
    CHECK(of({n, m}) == 69);
    CHECK(of({d, l}) == 75);
    CHECK(of({n, l}) == 75);
    CHECK(of({d, n, l}) == 75);
    CHECK(of({d, Outcome{}}) == 75);
    CHECK(of({}) == 75);
}

TEST_CASE("a failure is one safe line") {
    CHECK(failure_line({"a@b", {}, delivered()}).empty());
    CHECK(failure_line({"a@b", {}, {}}).empty());
    CHECK(failure_line({"a@b", {}, never(67, "550 5.1.1", "no\r\nsuch\x1b[1m")}) == "a@b: 550 5.1.1 no\\x0d\\x0asuch\\x1b[1m\n");
}

TEST_CASE("the notice is a message of its own, whatever header it quotes") {
    const std::vector<Delivery> all = {{"alice@example.org", {}, delivered()},
                                       {"bob@example.org", {}, never(67, "550 5.1.1", "no such user")}};
    const auto sender = test::must(mail::Path::parse("x@y.example"));
    const std::string text = notice(all, sender, "Subject: hi\r\nTo: bob\n\xff\n\nFrom nobody\n.\n", "example.org", "id7",
                                    base::WallTime{1'700'000'000, 0});
    const auto header = mail::parse_header(text);
    REQUIRE(header.fields.size() == 9);
    CHECK(header.fields[4].value == " <id7@example.org>");
    const std::string body = text.substr(header.end);
    CHECK(body.find("from <x@y.example>") != std::string::npos);
    CHECK(body.find("\nbob@example.org: 550 5.1.1 no such user\n") != std::string::npos);
    CHECK(body.find("alice") == std::string::npos);
    CHECK(body.find("    Subject: hi\n    To: bob\n    \\xff\n") != std::string::npos);
    CHECK(body.find("\nFrom nobody") == std::string::npos);
    CHECK(text.find('\r') == std::string::npos);
}
