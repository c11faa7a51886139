#include "smtp/reply.hh"

#include <string>

#include "mail/verdict.hh"
#include "smtp/voice.hh"
#include "tests/support/test.hh"

using namespace greylag;
using mail::Verdict;
using mail::Why;
using smtp::Reply;
using smtp::Voice;
using smtp::wire;

namespace {
std::string codes(const Reply& reply) { return std::to_string(reply.code) + ' ' + reply.enhanced; }
constexpr auto last_why = static_cast<int>(Why::mailer_answer);
}  // namespace

TEST_CASE("a reply on the wire") {
    CHECK(wire({250, "2.0.0", {"first", "last"}}) == "250-2.0.0 first\r\n250 2.0.0 last\r\n");
    CHECK(wire({220, "", {"mx.example ESMTP"}}) == "220 mx.example ESMTP\r\n");
    CHECK(wire({250, "", {"mx.example", "SIZE 10", "HELP"}}) == "250-mx.example\r\n250-SIZE 10\r\n250 HELP\r\n");
    CHECK(wire({250, "2.0.0", {}}) == "250 2.0.0 \r\n");
    CHECK(wire({250, "2.0.0", {"a\\b"}}) == "250 2.0.0 a\\b\r\n");
}

TEST_CASE("no line of a reply carries anything but text") {
    CHECK(wire({550, "5.0.0", {"a\r\n250 ok"}}) == "550 5.0.0 a\\x0d\\x0a250 ok\r\n");
    CHECK(wire({550, "5.0.0", {std::string("\0\x1b\x7f", 3)}}) == "550 5.0.0 \\x00\\x1b\\x7f\r\n");
    CHECK(wire({550, "5.0.0", {"\xc3\xa9"}}) == "550 5.0.0 \xc3\xa9\r\n");
    CHECK(wire({550, "5.0.0", {"\xc3\xa9\xff"}}) == "550 5.0.0 \xc3\xa9\\xff\r\n");
    CHECK(wire({550, "5.0.0", {"\xc2\x9b"}}) == "550 5.0.0 \\xc2\\x9b\r\n");  // CSI, as good as ESC [
}

TEST_CASE("a line of a reply is 512 octets at most and cut between characters") {
    const std::string exact(512 - 12, 'a');
    CHECK(wire({250, "2.0.0", {exact}}) == "250 2.0.0 " + exact + "\r\n");
    CHECK(wire({250, "2.0.0", {exact + "b"}}) == "250 2.0.0 " + exact + "\r\n");
    for (std::size_t shift = 0; shift < 8; ++shift) {
        std::string escapes(shift, 'a');
        std::string umlauts(shift, 'a');
        for (int i = 0; i < 300; ++i) {
            escapes += '\x01';
            umlauts += "\xf0\x9f\xa6\x86";
        }
        const std::string a = wire({250, "2.0.0", {escapes}});
        CHECK(a.size() <= 512);
        CHECK(a.size() > 512 - 4);
        CHECK(a.ends_with("\\x01\r\n"));
        const std::string b = wire({250, "2.0.0", {umlauts}});
        CHECK(b.size() <= 512);
        CHECK(b.size() > 512 - 4);
        CHECK(b.ends_with("\xf0\x9f\xa6\x86\r\n"));
    }
}

TEST_CASE("every voice is one printable line whose codes agree") {
    for (int i = 0; i < static_cast<int>(Voice::count_); ++i) {
        const Reply reply = smtp::say(static_cast<Voice>(i), {"one", "two"});
        CAPTURE(i);
        REQUIRE(reply.lines.size() == 1);
        CAPTURE(reply.lines[0]);
        CHECK(reply.code >= 200);
        CHECK(reply.code < 600);
        CHECK_FALSE(reply.lines[0].empty());
        CHECK(reply.lines[0].find("{}") == std::string::npos);
        if (!reply.enhanced.empty()) CHECK(reply.enhanced.substr(0, 2) == std::to_string(reply.code / 100) + ".");
        if (reply.code >= 400) CHECK_FALSE(reply.enhanced.empty());
        CHECK(wire(reply).size() < 130);
    }
}

TEST_CASE("gaps") {
    CHECK(wire(smtp::say(Voice::greeting, {"mx.example"})) == "220 mx.example ESMTP\r\n");
    CHECK(wire(smtp::say(Voice::helo_ok, {"mx.example", "you.example"})) == "250 mx.example you are you.example\r\n");
    CHECK(wire(smtp::say(Voice::mail_ok, {"<{}@b.c>"})) == "250 2.1.0 sender is <{}@b.c>\r\n");
    CHECK(wire(smtp::say(Voice::not_offered, {"AUTH"})) == "502 5.5.1 AUTH is not available\r\n");
    CHECK(wire(smtp::say(Voice::parameter_unknown, {"a\r\n250 x\xff"})) ==
          "555 5.5.4 parameter not recognized: a\\x0d\\x0a250 x\\xff\r\n");
    CHECK(wire(smtp::say(Voice::parameter_unknown, {""})) == "555 5.5.4 parameter not recognized\r\n");
    CHECK(wire(smtp::say(Voice::parameter_unknown, {std::string(5000, 'x')})).size() < 400);
}

TEST_CASE("for every reason the kind of the verdict is the first digit of the code") {
    for (int i = 0; i <= last_why; ++i) {
        const Why why = static_cast<Why>(i);
        CAPTURE(mail::name(why));
        for (const std::string detail : {"", "x\r\ny"}) {
            const Reply later = smtp::say(Verdict::later(why, detail));
            const Reply never = smtp::say(Verdict::never(why, detail));
            CHECK(later.code / 100 == 4);
            CHECK(later.enhanced.starts_with("4."));
            CHECK(never.code / 100 == 5);
            CHECK(never.enhanced.starts_with("5."));
            CHECK(never.lines.at(0).find_first_of("\r\n{}") == std::string::npos);
            CHECK_FALSE(never.lines.at(0).ends_with(": "));
            if (detail.empty() || why == Why::auth_required) continue;
            CHECK(never.lines.at(0).find("x\\x0d\\x0ay") != std::string::npos);
        }
    }
}

TEST_CASE("the codes of the contract") {
    CHECK(codes(smtp::say(Verdict::never(Why::helo_is_ours))) == "550 5.7.1");
    CHECK(codes(smtp::say(Verdict::never(Why::helo_bogus))) == "550 5.7.1");
    CHECK(codes(smtp::say(Verdict::never(Why::auth_required))) == "530 5.7.0");
    CHECK(codes(smtp::say(Verdict::never(Why::sender_denied))) == "554 5.7.1");
    CHECK(codes(smtp::say(Verdict::never(Why::sender_no_domain))) == "550 5.1.8");
    CHECK(codes(smtp::say(Verdict::never(Why::sender_null_mx))) == "550 5.7.27");
    CHECK(codes(smtp::say(Verdict::later(Why::sender_dns))) == "451 4.4.3");
    CHECK(codes(smtp::say(Verdict::never(Why::sender_unsafe))) == "553 5.1.7");
    CHECK(codes(smtp::say(Verdict::never(Why::relay_denied))) == "550 5.7.1");
    CHECK(codes(smtp::say(Verdict::never(Why::user_unknown))) == "550 5.1.1");
    CHECK(codes(smtp::say(Verdict::later(Why::user_lookup))) == "451 4.3.0");
    CHECK(codes(smtp::say(Verdict::never(Why::recipient_unsafe))) == "553 5.1.3");
    CHECK(codes(smtp::say(Verdict::later(Why::greylisted))) == "451 4.7.1");
    CHECK(codes(smtp::say(Verdict::never(Why::dialup))) == "554 5.7.1");
    CHECK(codes(smtp::say(Verdict::never(Why::blocked))) == "554 5.7.1");
    CHECK(codes(smtp::say(Verdict::later(Why::delayed))) == "450 4.7.1");
    CHECK(codes(smtp::say(Verdict::never(Why::too_big))) == "552 5.3.4");
    CHECK(codes(smtp::say(Verdict::later(Why::no_space))) == "452 4.3.1");
    CHECK(codes(smtp::say(Verdict::never(Why::loop))) == "554 5.4.6");
    CHECK(codes(smtp::say(Verdict::never(Why::mailer_no_user))) == "550 5.1.1");
    CHECK(codes(smtp::say(Verdict::never(Why::mailer_no_host))) == "550 5.1.2");
    CHECK(codes(smtp::say(Verdict::never(Why::mailer_denied))) == "550 5.7.1");
    CHECK(codes(smtp::say(Verdict::never(Why::mailer_refused))) == "554 5.7.1");
    CHECK(codes(smtp::say(Verdict::never(Why::mailer_failed))) == "554 5.3.0");
    CHECK(codes(smtp::say(Verdict::later(Why::mailer_later))) == "451 4.3.0");
    CHECK(smtp::say(Verdict::later(Why::greylisted, "299")).lines.at(0).find("299") != std::string::npos);
    CHECK(codes(smtp::say(Voice::early_talk)) == "554 5.5.0");
    CHECK(codes(smtp::say(Voice::config_error)) == "421 4.3.5");
    CHECK(codes(smtp::say(Voice::sent)) == "250 2.6.0");
    CHECK(codes(smtp::say(Voice::vrfy)) == "252 2.5.2");
    CHECK(codes(smtp::say(Voice::wrong_protocol)) == "521 5.5.1");
    CHECK(codes(smtp::say(Voice::bare_newline)) == "550 5.6.11");
    CHECK(codes(smtp::say(Voice::line_in_body)) == "554 5.6.0");
    CHECK(codes(smtp::say(Voice::message_too_big)) == "552 5.3.4");
    CHECK(codes(smtp::say(Voice::too_many_recipients)) == "452 4.5.3");
    CHECK(codes(smtp::say(Voice::too_many_errors)) == "421 4.7.0");
    CHECK(codes(smtp::say(Voice::helo_lies)) == "421 4.7.1");
}
