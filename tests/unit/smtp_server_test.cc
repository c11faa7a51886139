// The session's invariants (lib/smtp/server.hh), each for every order of events, and a table of dialogues' fine points that a
// plain dialogue file cannot show: delays, limits, verdicts.
#include "smtp/server.hh"

#include <random>

#include "tests/support/memory_session.hh"
#include "tests/support/replies.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::smtp;
using test::codes;
using test::MemorySession;
using test::MemoryWorld;

namespace {

constexpr std::string_view opening = "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\n";

MemoryWorld answering(mail::Verdict verdict) {
    MemoryWorld world;
    world.answer = [verdict](const Question& q) {
        return std::holds_alternative<question::Helo>(q) ? mail::Verdict::pass() : verdict;
    };
    return world;
}

template <class T>
bool has(const Effects& effects) {
    for (const auto& effect : effects)
        if (std::holds_alternative<T>(effect)) return true;
    return false;
}

bool says(const Effects& effects, int code) {
    for (const auto& effect : effects)
        if (const auto* say = std::get_if<effect::Say>(&effect); say != nullptr && say->reply.code == code) return true;
    return false;
}

// Mostly what the phase waits for, often enough something that has no business there.
Event random_event(std::mt19937& random, const ServerSession& session, bool in_chunk) {
    static const std::string_view lines[] = {"EHLO a.example",
                                             "HELO b.example",
                                             "EHLO",
                                             "MAIL FROM:<a@b.example>",
                                             "MAIL FROM:<>",
                                             "MAIL FROM:<a@b.example> SIZE=10",
                                             "RCPT TO:<c@d.example>",
                                             "RCPT TO:<postmaster>",
                                             "DATA",
                                             "DATA x",
                                             "RSET",
                                             "NOOP",
                                             "QUIT",
                                             "VRFY x",
                                             "EXPN x",
                                             "HELP",
                                             "",
                                             "XYZZY",
                                             "STARTTLS",
                                             "AUTH PLAIN",
                                             "AUTH LOGIN =",
                                             "dGVzdA==",
                                             "*",
                                             "BDAT 10 LAST",
                                             "BDAT 10",
                                             "BDAT 0",
                                             "BDAT 9999999999",
                                             "BDAT x",
                                             "TURN",
                                             "GET / HTTP/1.1"};
    const auto pick = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
    const auto verdict = [&]() -> mail::Verdict {
        switch (pick(4)) {
            case 0: return mail::Verdict::never(mail::Why::user_unknown);
            case 1: return mail::Verdict::later(mail::Why::greylisted, "300");
            default: return mail::Verdict::pass();
        }
    };
    const auto step = [&]() -> Event { return event::Auth{static_cast<event::Auth::Step>(pick(5)), "joe"}; };
    if (session.phase() == ServerSession::Phase::handshake && pick(2) == 0)
        return event::TlsUp{pick(4) != 0, "TLSv1.3", {"PLAIN"}};
    if (session.phase() == ServerSession::Phase::auth && pick(2) == 0)
        return session.asking() ? step() : Event{event::Line{{"dGVzdA=="}}};
    if (session.asking() && pick(4) != 0)
        return pick(2) == 0 ? Event{event::Answer{verdict()}} : Event{event::Delivered{verdict(), "id"}};
    if ((session.phase() == ServerSession::Phase::body || in_chunk) && pick(2) == 0) return event::BodyDone{};
    if (pick(4) != 0) return event::Line{{lines[pick(9)]}, false};
    switch (pick(18)) {
        case 16: return event::TlsUp{pick(2) == 0, {}, {}};
        case 17: return step();
        case 0: return event::Opened{};
        case 1: return event::Watched{pick(8) == 0};
        case 2:
            return event::BodyDone{{.octets = pick(2) * 100, .faults = {.bare_lf = pick(4) == 0}, .received = 0, .failed = {}}};
        case 3: return event::Delivered{verdict(), "id"};
        case 4: return pick(40) == 0 ? Event{event::Gone{event::Gone::Why::timeout}} : Event{event::Line{{"NOOP"}, false}};
        case 5:
        case 6:
        case 7:
        case 8: return event::Answer{verdict()};
        case 9: return event::Line{{{}, static_cast<LineFault>(1 + pick(4))}, false};
        default: return event::Line{{lines[pick(std::size(lines))]}, pick(4) == 0};
    }
}

}  // namespace

TEST_CASE("server: invariants hold for any order of events") {
    std::mt19937 random(20261122);
    unsigned bodies = 0, chunks = 0, deliveries = 0, handshakes = 0, users = 0;
    for (int round = 0; round < 4000; ++round) {
        ServerFacts facts{.domain = "mx.example", .error_limit = 50};
        facts.tls_offered = round % 2 == 0;
        facts.mechanisms = {"PLAIN", "LOGIN"};
        ServerSession session(facts);
        bool closed = false;
        bool taking = false;  // the octets that come are body
        bool more = false;    // there are some behind the last line that was listened to
        for (int i = 0; i < 120; ++i) {
            const bool asking = session.asking();
            const auto phase = session.phase();
            const auto before = session.envelope();
            const Event event = i == 0   ? Event{event::Opened{}}
                                : i == 1 ? Event{event::Watched{false}}
                                         : random_event(random, session, taking);
            const Effects effects = session.on(event);
            if (const auto* line = std::get_if<event::Line>(&event); line != nullptr && !asking) more = line->more;
            if (closed) REQUIRE(effects.empty());  // after Close no effect
            const auto* answer = std::get_if<event::Delivered>(&event);
            const bool gone = std::holds_alternative<event::Gone>(event);
            const bool answered = answer != nullptr || gone || std::holds_alternative<event::Answer>(event) ||
                                  std::holds_alternative<event::Auth>(event);
            if (asking && !answered) REQUIRE(effects.empty());  // one question at a time
            if (taking && !gone && !std::holds_alternative<event::BodyDone>(event)) REQUIRE(effects.empty());
            if (std::holds_alternative<event::BodyDone>(event) && !asking) taking = false;
            if (has<effect::TakeBody>(effects)) {
                REQUIRE(std::holds_alternative<effect::TakeBody>(effects.back()));
                const auto& take = std::get<effect::TakeBody>(effects.back());
                taking = true;
                chunks += take.chunk.has_value();
                if (take.begins || take.keep) REQUIRE(!before.recipients.empty());  // nothing is kept for nobody
            }
            if (says(effects, 354)) {
                ++bodies;
                REQUIRE(has<effect::TakeBody>(effects));
                REQUIRE(!before.recipients.empty());  // 354 only with sender and recipient
            }
            if (answer != nullptr && asking && says(effects, 250)) {
                ++deliveries;
                REQUIRE(answer->verdict.ok());  // 250 after the dot only after Delivered{ok}
            }
            if (std::holds_alternative<event::BodyDone>(event) && phase == ServerSession::Phase::body)
                REQUIRE(!says(effects, 250));
            if (has<effect::StartTls>(effects)) {
                ++handshakes;
                REQUIRE(!more);  // nothing was received behind the last line
                REQUIRE(std::holds_alternative<effect::StartTls>(effects.back()));
            }
            if (phase == ServerSession::Phase::handshake && !gone && !std::holds_alternative<event::TlsUp>(event))
                REQUIRE(effects.empty());
            if (phase == ServerSession::Phase::handshake && session.phase() == ServerSession::Phase::connected) {
                REQUIRE(session.envelope().helo.text.empty());  // nothing from before is known
                REQUIRE(session.envelope().recipients.empty());
                REQUIRE(!session.facts().tls_offered);
            }
            if (const auto* auth = std::get_if<event::Auth>(&event); auth != nullptr && says(effects, 235)) {
                ++users;
                REQUIRE(asking);
                REQUIRE(auth->step == event::Auth::Step::success);
            }
            if (has<effect::Close>(effects)) {
                REQUIRE(std::holds_alternative<effect::Close>(effects.back()));
                closed = true;
                taking = false;
            }
        }
    }
    CHECK(bodies > 100);
    CHECK(chunks > 100);
    CHECK(deliveries > 10);
    CHECK(handshakes > 10);
    CHECK(users > 10);
}

TEST_CASE("server: the same octets in any pieces give the same replies and the same message") {
    // A client that waits where RFC 2920 says it must: after DATA.
    const std::vector<std::string> groups = {
        "EHLO client.example\r\n",
        "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\nRCPT TO:<c@mx.example\r\nNOOP\r\nDATA\r\n",
        "Received: one\r\nSubject: x\r\n\r\n..dot\r\n.\r.\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\n",
        "Subject: y\r\n\r\nsecond\r\n..\r\n.\r\nEHLO x\nQUIT\r\nNO\rOP\r\nRSET\r\nQUIT\r\n",
    };
    std::mt19937 random(7);
    std::string expected;
    std::vector<std::string> bodies;
    for (int round = 0; round < 300; ++round) {
        MemorySession session;
        std::string said;
        for (const auto& group : groups) {
            for (std::size_t at = 0; at < group.size();) {
                const std::size_t most = round == 0 ? group.size() : round == 1 ? 1 : 1 + random() % 20;
                said += session.feed(std::string_view(group).substr(at, most));
                at += most;
            }
        }
        std::vector<std::string> got;
        for (const auto& d : session.delivered()) got.push_back(d.body);
        if (round == 0) {
            expected = said;
            bodies = got;
        }
        REQUIRE(said == expected);
        REQUIRE(got == bodies);
        REQUIRE(session.closed());
    }
    CHECK(codes(expected) == "250 250 250 501 250 354 550 250 250 354 250 500 500 500 250 221");
    REQUIRE(bodies.size() == 1);
    CHECK(bodies[0] == "Subject: y\n\nsecond\n.\n");
}

TEST_CASE("server: errors cost time by table and the twentieth ends it") {
    MemorySession session;
    std::vector<long> waits;
    for (int i = 0; i < 19; ++i) {
        const auto before = session.waited();
        CHECK(codes(session.feed("XYZZY\r\n")) == "500");
        waits.push_back((session.waited() - before).count() / 1000);
    }
    CHECK(waits == std::vector<long>{0, 0, 1, 2, 4, 8, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10});
    CHECK(codes(session.feed("XYZZY\r\n")) == "421");
    CHECK(session.closed());
    CHECK(session.feed("NOOP\r\n").empty());
}

TEST_CASE("server: being told later is no error") {
    MemorySession session({.domain = "mx.example"}, [] {
        auto world = answering(mail::Verdict::later(mail::Why::greylisted, "299"));
        const auto inner = world.answer;
        world.answer = [inner](const Question& q) {
            return std::holds_alternative<question::Recipient>(q) ? inner(q) : mail::Verdict::pass();
        };
        return world;
    }());
    session.feed("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n");
    for (int i = 0; i < 60; ++i) {
        const auto said = session.feed("RCPT TO:<c" + std::to_string(i) + "@mx.example>\r\n");
        CHECK(said.starts_with("451 4.7.1 "));
        CHECK(said.find("299") != std::string::npos);
    }
    CHECK(session.waited().count() == 0);
    CHECK(codes(session.feed("DATA\r\n")) == "554");
    CHECK(session.log().front().word == base::Word::greylist);
}

TEST_CASE("server: a bad name is remembered at HELO, refused at MAIL, and the third time ends it") {
    MemoryWorld world;
    world.answer = [](const Question& q) {
        return std::holds_alternative<question::Helo>(q) ? mail::Verdict::never(mail::Why::helo_is_ours) : mail::Verdict::pass();
    };
    MemorySession session({.domain = "mx.example"}, world);
    CHECK(codes(session.feed("EHLO mx.example\r\n")) == "250");
    CHECK(session.feed("MAIL FROM:<a@b.example>\r\n").starts_with("550 5.7.1 "));
    CHECK(session.feed("MAIL FROM:<a@b.example>\r\n").starts_with("550 5.7.1 "));
    CHECK(session.feed("MAIL FROM:<a@b.example>\r\n").starts_with("421 4.7.1 "));
    CHECK(session.closed());
}

TEST_CASE("server: octets behind a refused DATA end the session, behind an accepted one they are body") {
    MemorySession refused;
    CHECK(codes(refused.feed("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nDATA\r\nSubject: x\r\n")) == "250 250 554");
    CHECK(refused.closed());
    MemorySession accepted;
    CHECK(codes(accepted.feed(std::string(opening) + "DATA\r\nSubject: x\r\n\r\n.\r\n")) == "250 250 250 354 250");
    CHECK(accepted.delivered().at(0).body == "Subject: x\n\n");
}

TEST_CASE("server: what the body may be refused for") {
    struct Case {
        std::string body, reply;
    };
    std::string received;
    for (int i = 0; i < 51; ++i) received += "Received: x\r\n";
    const Case cases[] = {
        {"a\nb\r\n.\r\n", "550 5.6.11 "},
        {"a\rb\r\n.\r\n", "550 5.6.11 "},
        {std::string("a\0b\r\n.\r\n", 8), "550 5.6.11 "},
        {received + "\r\n.\r\n", "554 5.4.6 "},
        {received.substr(13) + "\r\n.\r\n", "250 2.6.0 "},
        {"\r\n" + received + ".\r\n", "250 2.6.0 "},
        {std::string(2000, 'x') + "\r\n.\r\n", "552 5.3.4 "},
        {std::string(600, 'x') + "\r\n.\r\n", "554 5.6.0 "},
    };
    for (const auto& c : cases) {
        MemorySession session({.domain = "mx.example", .size_limit = 1500}, {}, {.line = 500});
        session.feed(std::string(opening) + "DATA\r\n");
        const auto said = session.feed(c.body);
        CHECK_MESSAGE(said.starts_with(c.reply), c.body.substr(0, 40), " -> ", said);
        CHECK(codes(session.feed("MAIL FROM:<a@b.example>\r\n")) == "250");  // the next transaction works
    }
}

TEST_CASE("server: the mailer's verdict is the answer") {
    struct Case {
        mail::Verdict verdict;
        std::string_view reply;
    };
    const Case cases[] = {
        {mail::Verdict::pass(), "250 2.6.0 "},
        {mail::Verdict::later(mail::Why::mailer_later), "451 4.3.0 "},
        {mail::Verdict::never(mail::Why::mailer_no_user), "550 5.1.1 "},
        {mail::Verdict::never(mail::Why::mailer_refused), "554 5.7.1 "},
    };
    for (const auto& c : cases) {
        MemoryWorld world;
        world.deliver = [&](const Envelope&, const std::string&) { return c.verdict; };
        MemorySession session({.domain = "mx.example"}, world);
        session.feed(std::string(opening) + "DATA\r\n");
        CHECK(session.feed("x\r\n.\r\n").starts_with(c.reply));
        CHECK(codes(session.feed("RCPT TO:<c@mx.example>\r\n")) == "503");  // the transaction is over either way
    }
}

TEST_CASE("server: recipients beyond the limit come later, the earlier ones stay") {
    MemorySession session({.domain = "mx.example", .recipient_limit = 2});
    session.feed(opening);
    CHECK(codes(session.feed("RCPT TO:<d@mx.example>\r\n")) == "250");
    for (int i = 0; i < 40; ++i) CHECK(session.feed("RCPT TO:<e@mx.example>\r\n").starts_with("452 4.5.3 "));
    CHECK(codes(session.feed("DATA\r\n")) == "354");
    session.feed(".\r\n");
    CHECK(session.delivered().at(0).envelope.recipients.size() == 2);
}

TEST_CASE("server: after the close octets go nowhere, in a body neither") {
    Conversation conversation({.domain = "mx.example"}, {});
    const auto drain = [&](std::string_view octets) {
        unsigned stored = 0;
        for (bool more = true; more;) {
            auto step = conversation.next(octets);
            more = !std::holds_alternative<step::NeedInput>(step);
            stored += std::holds_alternative<step::Store>(step);
            if (std::holds_alternative<effect::Watch>(step)) conversation.tell(event::Watched{false});
            if (std::holds_alternative<effect::Ask>(step)) conversation.tell(event::Answer{mail::Verdict::pass()});
        }
        CHECK(octets.empty());
        return stored;
    };
    CHECK(drain(std::string(opening) + "DATA\r\nhalf\r\n") == 1);
    conversation.tell(event::Gone{event::Gone::Why::timeout});
    CHECK(drain("and more\r\n.\r\nQUIT\r\n") == 0);
}

TEST_CASE("server: how a connection ends") {
    struct Case {
        event::Gone::Why why;
        std::string_view reply;
        base::Word word;
    };
    const Case cases[] = {
        {event::Gone::Why::eof, "", base::Word::disconnect},
        {event::Gone::Why::timeout, "421 4.4.2 ", base::Word::drop},
        {event::Gone::Why::session_time, "421 4.4.2 ", base::Word::drop},
        {event::Gone::Why::too_slow, "421 4.4.2 ", base::Word::drop},
        {event::Gone::Why::shutdown, "421 4.3.2 ", base::Word::disconnect},
    };
    for (const auto& c : cases) {
        MemorySession session;
        session.feed(std::string(opening) + "DATA\r\nhalf a mess");
        const auto said = session.gone(c.why);
        CHECK(said.starts_with(c.reply));
        CHECK(said.empty() == c.reply.empty());
        CHECK(session.closed());
        CHECK(session.delivered().empty());
        CHECK(session.log().back().word == c.word);
    }
}

TEST_CASE("server: early talk is refused before the greeting") {
    MemorySession session({.domain = "mx.example"}, {.early = true});
    CHECK(session.greeting().starts_with("554 5.5.0 "));
    CHECK(session.closed());
}

// row 55: how a verdict about the sender's domain sounds; who asks DNS is tested with it.
TEST_CASE("server: verdicts about the sender") {
    struct Case {
        mail::Verdict verdict;
        std::string_view reply;
    };
    const Case cases[] = {
        {mail::Verdict::never(mail::Why::sender_no_domain), "550 5.1.8 "},
        {mail::Verdict::later(mail::Why::sender_dns), "451 4.4.3 "},
        {mail::Verdict::never(mail::Why::sender_null_mx), "550 5.7.27 "},
        {mail::Verdict::later(mail::Why::no_space), "452 4.3.1 "},
        {mail::Verdict::never(mail::Why::sender_denied), "554 5.7.1 "},
    };
    for (const auto& c : cases) {
        MemorySession session({.domain = "mx.example"}, answering(c.verdict));
        session.feed("EHLO c.example\r\n");
        CHECK(session.feed("MAIL FROM:<a@b.example>\r\n").starts_with(c.reply));
        CHECK(codes(session.feed("RCPT TO:<c@mx.example>\r\n")) == "503");
    }
}
