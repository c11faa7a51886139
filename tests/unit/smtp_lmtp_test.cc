// One LMTP transaction as a value: the answers a server can give, and what becomes of each recipient (contract: none is lost).
#include "smtp/lmtp.hh"

#include "base/ascii.hh"
#include "smtp/voice.hh"
#include "tests/support/pieces.hh"
#include "tests/support/test.hh"

using namespace greylag;
using mail::Verdict;
using smtp::LmtpSession;

namespace {

mail::Path path(std::string_view text) { return *mail::Path::parse(text, mail::Domain::Allow::utf8); }

std::string show(const Verdict& v) {
    if (v.ok()) return "ok";
    const auto reply = smtp::say(v);
    return std::to_string(reply.code) + " " + reply.enhanced;
}

std::string show(const std::vector<Verdict>& verdicts) {
    std::string out;
    for (const auto& v : verdicts) out += (out.empty() ? "" : ", ") + show(v);
    return out;
}

// A server that gives these answers, one for each command and one for each recipient behind the body; when it has no more, it
// is gone. What the session said is kept.
class Server {
public:
    Server(std::vector<std::string> answers, unsigned seed) : answers_(std::move(answers)), seed_(seed) {}
    void attend(LmtpSession& session) {
        for (;;) {
            heard += session.output();
            if (!session.waiting()) return;
            if (at_ == answers_.size()) {
                session.lost("gone");
                continue;
            }
            for (const auto piece : test::pieces(answers_[at_], seed_)) session.feed(piece);
            ++at_;
        }
    }
    std::string heard;

private:
    std::vector<std::string> answers_;
    unsigned seed_;
    std::size_t at_ = 0;
};

struct Outcome {
    std::string verdicts, heard;
    bool over, broken;
};

Outcome converse(const std::vector<std::string>& answers, const std::vector<std::string>& recipients, unsigned seed = 0,
                 std::string_view sender = "a@b.example", bool utf8 = false) {
    LmtpSession session("mx.example", path(sender), utf8);
    Server server(answers, seed);
    server.attend(session);
    for (const auto& to : recipients) {
        session.recipient(path(to));
        server.attend(session);
    }
    session.data();
    server.attend(session);
    if (session.takes_body()) {
        server.heard += "<body>\r\n";
        session.body_sent();
        server.attend(session);
    }
    return {show(session.verdicts()), server.heard, session.over(), session.broken()};
}

const std::string hello = "250-lmtp.example\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n";
std::vector<std::string> behind_mail(std::vector<std::string> rest) {
    std::vector<std::string> all{"220 lmtp\r\n", hello, "250 2.1.0 ok\r\n"};
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
}
const std::string ok = "250 2.1.5 ok\r\n", go = "354 go\r\n";

}  // namespace

TEST_CASE("lmtp: a message for two, as it goes over the wire") {
    const auto done = converse(behind_mail({ok, ok, go, ok, ok}), {"c@d.example", "\"e f\"@d.example"});
    CHECK(done.verdicts == "ok, ok");
    CHECK(!done.over);
    CHECK(done.heard ==
          "LHLO mx.example\r\nMAIL FROM:<a@b.example> BODY=8BITMIME\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<\"e f\"@d.example>\r\n"
          "DATA\r\n<body>\r\n");
    CHECK(converse({"220 x\r\n", "250 x\r\n", "250 x\r\n", ok, go, ok}, {"c@d.example"}, 0, "").heard ==
          "LHLO mx.example\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n<body>\r\n");
}

TEST_CASE("lmtp: what each answer means for each recipient, in any pieces") {
    struct Case {
        std::vector<std::string> answers;
        std::string verdicts;
        bool broken = false;
    };
    const std::vector<Case> cases = {
        {behind_mail({ok, ok, ok, go, ok, ok, ok}), "ok, ok, ok"},
        // at RCPT
        {behind_mail({ok, "550 5.1.1 no such user\r\n", ok, go, ok, ok}), "ok, 550 5.1.1, ok"},
        {behind_mail({"550 5.1.1 a\r\n", "452 4.2.2 full\r\n", "550 no\r\n", "554 5.5.1 none\r\n"}),
         "550 5.1.1, 452 4.2.2, 550 5.3.0"},
        {behind_mail({ok, "552 too many\r\n", "552 5.2.2 full\r\n", go, ok}), "ok, 452 4.5.3, 552 5.2.2"},
        {behind_mail({ok, "501 5.1.3 bad\r\n", "501 5.5.4 bad\r\n", go, ok}), "ok, 501 5.1.3, 451 4.3.0"},
        {behind_mail({ok, "251 2.1.5 elsewhere\r\n", "252 maybe\r\n", go, ok, ok, ok}), "ok, ok, ok"},
        {behind_mail({ok, "354 what\r\n"}), "451 4.3.0, 451 4.3.0, 451 4.3.0", true},
        {behind_mail({ok, "421 4.3.2 going\r\n"}), "451 4.3.0, 451 4.3.0, 451 4.3.0", true},
        {behind_mail({ok, "nonsense\r\n"}), "451 4.3.0, 451 4.3.0, 451 4.3.0", true},
        // behind the body: one answer for each that was taken
        {behind_mail({ok, ok, ok, go, ok, "552 5.2.2 full\r\n", "451 4.2.0 busy\r\n"}), "ok, 552 5.2.2, 451 4.2.0"},
        {behind_mail({ok, "550 5.1.1 no\r\n", ok, go, "554 5.6.0 spam\r\n", ok}), "554 5.6.0, 550 5.1.1, ok"},
        {behind_mail({ok, ok, ok, go, ok}), "ok, 451 4.3.0, 451 4.3.0", true},
        {behind_mail({ok, ok, ok, go}), "451 4.3.0, 451 4.3.0, 451 4.3.0", true},
        {behind_mail({ok, ok, ok, go, ok, "421 4.3.2 going\r\n"}), "ok, 451 4.3.0, 451 4.3.0", true},
        {behind_mail({ok, ok, ok, go, ok, "354 what\r\n"}), "ok, 451 4.3.0, 451 4.3.0", true},
        {behind_mail({ok, ok, ok, go, ok + ok + ok}), "ok, ok, ok"},
        // one answer too many belongs to nobody, and takes nothing back
        {behind_mail({ok, ok, ok, go, ok + ok + ok + "550 5.0.0 x\r\n"}), "ok, ok, ok", true},
        // at DATA
        {behind_mail({ok, ok, ok, "554 5.7.1 no\r\n"}), "554 5.7.1, 554 5.7.1, 554 5.7.1"},
        {behind_mail({ok, ok, ok, "451 4.3.1 disk\r\n"}), "451 4.3.1, 451 4.3.1, 451 4.3.1"},
        {behind_mail({ok, ok, ok, "250 what\r\n"}), "451 4.3.0, 451 4.3.0, 451 4.3.0", true},
        {behind_mail({ok, ok, ok, "503 5.5.1 what\r\n"}), "451 4.3.0, 451 4.3.0, 451 4.3.0"},
        // at MAIL
        {{"220 x\r\n", hello, "550 5.7.1 not you\r\n"}, "550 5.7.1, 550 5.7.1, 550 5.7.1"},
        {{"220 x\r\n", hello, "552 5.3.4 size\r\n"}, "552 5.3.4, 552 5.3.4, 552 5.3.4"},
        {{"220 x\r\n", hello, "530 5.7.0 who\r\n"}, "451 4.3.0, 451 4.3.0, 451 4.3.0"},
        {{"220 x\r\n", hello, "452 4.3.1 disk\r\n"}, "452 4.3.1, 452 4.3.1, 452 4.3.1"},
        // before it: nothing was said about the message
        {{"554 no service\r\n"}, "451 4.3.0, 451 4.3.0, 451 4.3.0"},
        {{"220 x\r\n", "500 5.5.1 LHLO?\r\n"}, "451 4.3.0, 451 4.3.0, 451 4.3.0"},
        {{}, "451 4.3.0, 451 4.3.0, 451 4.3.0", true},
        // an answer before its command
        {{"220 x\r\n250 x\r\n250 x\r\n250 x\r\n250 x\r\n"}, "451 4.3.0, 451 4.3.0, 451 4.3.0", true},
    };
    for (const auto& c : cases) {
        CAPTURE(c.answers.back());
        CAPTURE(c.verdicts);
        for (unsigned seed = 0; seed < 12; ++seed) {
            const auto done = converse(c.answers, {"c@d.example", "e@d.example", "f@d.example"}, seed);
            CHECK(done.verdicts == c.verdicts);
            CHECK(done.broken == c.broken);
        }
    }
}

TEST_CASE("lmtp: cut anywhere, a recipient is delivered only by its own 250") {
    std::string whole;
    for (const auto& answer : behind_mail({ok, ok, go, ok, "550 5.1.1 no\r\n"})) whole += answer;
    const auto answers = behind_mail({ok, ok, go, ok, "550 5.1.1 no\r\n"});
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        std::vector<std::string> some;
        std::size_t left = cut;
        for (const auto& answer : answers) {
            some.push_back(answer.substr(0, left));
            left -= std::min(left, answer.size());
            if (left == 0) break;
        }
        const auto done = converse(some, {"c@d.example", "e@d.example"});
        const bool first = cut >= whole.size() - std::string_view("550 5.1.1 no\r\n").size();
        CHECK(done.verdicts == (first ? "ok, 451 4.3.0" : "451 4.3.0, 451 4.3.0"));
    }
}

TEST_CASE("lmtp: addresses beyond ASCII only where they are taken") {
    const std::string utf8 = "250-lmtp.example\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n";
    const auto taken = converse({"220 x\r\n", utf8, ok, ok, go, ok}, {"j\xc3\xb6@d.example"}, 0, "\xc3\xb6@b.example", true);
    CHECK(taken.verdicts == "ok");
    CHECK(taken.heard.find("MAIL FROM:<\xc3\xb6@b.example> BODY=8BITMIME SMTPUTF8\r\n") != std::string::npos);
    const auto recipient = converse(behind_mail({ok, go, ok}), {"j\xc3\xb6@d.example", "c@d.example"}, 0, "a@b.example", true);
    CHECK(recipient.verdicts == "553 5.6.7, ok");
    CHECK(recipient.heard.find("SMTPUTF8") == std::string::npos);
    CHECK(converse({"220 x\r\n", hello}, {"c@d.example"}, 0, "\xc3\xb6@b.example", true).verdicts == "553 5.6.7");
}

TEST_CASE("lmtp: another message through the same connection") {
    LmtpSession session("mx.example", path("a@b.example"), false);
    Server server(behind_mail({ok, go, "550 5.1.1 no\r\n", ok, ok, go, ok}), 0);
    server.attend(session);
    session.recipient(path("c@d.example"));
    server.attend(session);
    session.data();
    server.attend(session);
    session.body_sent();
    server.attend(session);
    CHECK(show(session.verdicts()) == "550 5.1.1");
    session.next(mail::Path::null(), false);
    server.attend(session);
    session.recipient(path("postmaster@d.example"));
    server.attend(session);
    session.data();
    server.attend(session);
    REQUIRE(session.takes_body());
    session.body_sent();
    server.attend(session);
    CHECK(show(session.verdicts()) == "ok");
    session.quit();
    CHECK(session.output() == "QUIT\r\n");
    CHECK(show(session.verdicts()) == "ok");
}

TEST_CASE("lmtp: verdicts that differ become one answer") {
    const auto v = [](Verdict::Kind kind, std::uint16_t code, std::string enhanced) {
        return Verdict{kind, mail::Why::mailer_answer, "words", code, std::move(enhanced)};
    };
    const auto pass = Verdict::pass();
    const auto full = v(Verdict::Kind::later, 452, "4.2.2"), none = v(Verdict::Kind::never, 550, "5.1.1"),
               big = v(Verdict::Kind::never, 552, "5.3.4");
    struct Case {
        std::vector<Verdict> each;
        std::string all;
    };
    const Case cases[] = {
        {{pass}, "ok"},
        {{pass, none, pass}, "ok"},
        {{none, big}, "550 5.1.1"},
        {{big, none}, "552 5.3.4"},
        {{full}, "451 4.2.2"},
        {{pass, none, full}, "451 4.2.2"},
        {{pass, Verdict::later(mail::Why::mailer_later, "gone")}, "451 4.3.0"},
        {{}, "451 4.3.0"},
    };
    for (const auto& c : cases) CHECK(show(smtp::joined(c.each)) == c.all);
}
