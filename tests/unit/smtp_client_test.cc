// The sending session against servers of every kind, in memory: what it says, and what it concludes.
#include "smtp/client.hh"

#include <deque>

#include "smtp/reply_parser.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::smtp;

namespace {

ClientFacts facts(std::initializer_list<const char*> recipients = {"a@x.example"}) {
    ClientFacts f;
    f.name = "me.example";
    f.sender = *mail::Path::parse_argument("s@me.example");
    for (const char* text : recipients) f.recipients.push_back(*mail::Path::parse_argument(text));
    f.message.octets = 100;
    return f;
}

struct Run {
    std::vector<std::string> writes;  // one an event: "EHLO me.example|", "[body]" for the message
    std::vector<Outcome> outcomes;
    bool committed = false, chunking_failed = false, greeted = false;
    Stage last = Stage::connect;

    std::string said() const {
        std::string all;
        for (const auto& write : writes) all += (all.empty() ? "" : " / ") + write;
        return all;
    }
    std::string results() const {
        std::string all;
        for (const auto& o : outcomes) {
            constexpr const char* words[] = {"open", "delivered", "later", "never"};
            all += (all.empty() ? "" : ", ") + std::string(words[static_cast<int>(o.state)]) +
                   (o.code ? " " + std::to_string(o.code) : "");
        }
        return all;
    }
};

// Feeds the server's octets, a step at each time the client waits; behind the last one comes `end`.
Run talk(ClientFacts f, std::deque<std::string> server, client::Gone::Why end = client::Gone::Why::eof, bool bytewise = false) {
    ClientSession session(std::move(f));
    Run run;
    ReplyParser parser;
    std::string buffer;
    bool done = false;
    const auto perform = [&](const client::Event& event) {
        std::string write;
        bool body = false;
        for (const auto& effect : session.on(event)) {
            if (const auto* send = std::get_if<client::Send>(&effect)) {
                for (const char c : send->bytes)
                    if (c != '\r') write += c == '\n' ? '|' : c;
            }
            if (const auto* message = std::get_if<client::Body>(&effect)) {
                write += message->chunk ? "[chunk]" : message->fold ? "[folded]" : "[body]";
                body = true;
            }
            if (std::holds_alternative<client::StartTls>(effect)) write += "[tls]";
            if (const auto* ask = std::get_if<client::AskAuth>(&effect)) {
                write += "[auth";
                for (const auto& m : ask->mechanisms) write += " " + m;
                write += "]";
            }
            if (std::holds_alternative<client::Close>(effect)) done = true;
        }
        if (!write.empty()) run.writes.push_back(write);
        if (body) CHECK(session.on(client::BodySent{}).empty());
    };
    perform(client::Connected{});
    while (!done) {
        if (server.empty()) {
            perform(client::Gone{end});
            CHECK(session.closed());
            break;
        }
        std::string text = std::move(server.front());
        server.pop_front();
        if (text == "[tls ok]" || text == "[tls bad]") {
            perform(client::TlsUp{text == "[tls ok]", "because"});
            continue;
        }
        if (text.starts_with("[auth ")) {
            using Step = client::Auth::Step;
            const std::string what = text.substr(6, text.size() - 7);
            client::Auth answer{what == "done"                      ? Step::done
                                : what == "later" || what == "fail" ? Step::give_up
                                                                    : Step::send,
                                what};
            if (what == "fail") answer.outcome = {Outcome::State::never, Outcome::Cause::auth, Stage::auth, 535, "5.7.8", "no"};
            perform(answer);
            continue;
        }
        for (std::size_t i = 0; i < text.size() && !done; i += bytewise ? 1 : text.size()) {
            std::string_view input = bytewise ? std::string_view(text).substr(i, 1) : std::string_view(text);
            for (Reply reply; !done;) {
                const auto got = parser.next(input, reply);
                if (got == ReplyParser::Got::more) break;
                if (got == ReplyParser::Got::fault) {
                    perform(client::Malformed{parser.fault()});
                    continue;
                }
                perform(client::Answered{std::move(reply), !input.empty() || parser.mid_reply()});
            }
        }
    }
    run.outcomes = session.outcomes();
    run.committed = session.committed();
    run.chunking_failed = session.chunking_failed();
    run.greeted = session.greeted();
    CHECK(session.on(client::Gone{}).empty());
    for (const auto& o : run.outcomes) CHECK(o.state != Outcome::State::open);
    return run;
}

const std::string hi = "220 x\r\n", plain = "250 x\r\n", piping = "250-x\r\n250 PIPELINING\r\n", ok = "250 2.0.0 ok\r\n",
                  go = "354 go\r\n", bye = "221 bye\r\n";

}  // namespace

TEST_CASE("client: one command at a time without PIPELINING") {
    const Run run = talk(facts({"a@x.example", "b@x.example"}), {hi, plain, ok, ok, ok, go, ok, bye});
    CHECK(run.said() ==
          "EHLO me.example| / MAIL FROM:<s@me.example>| / RCPT TO:<a@x.example>| / RCPT TO:<b@x.example>| / DATA| / [body] / "
          "QUIT|");
    CHECK(run.results() == "delivered 250, delivered 250");
    CHECK(run.committed);
}

TEST_CASE("client: the envelope is one write with PIPELINING, and so are the message and QUIT") {
    const Run run = talk(facts({"a@x.example", "b@x.example"}), {hi, piping, ok + ok + ok + go, ok + bye});
    CHECK(run.said() ==
          "EHLO me.example| / MAIL FROM:<s@me.example>|RCPT TO:<a@x.example>|RCPT TO:<b@x.example>|DATA| / [body]QUIT|");
    CHECK(run.results() == "delivered 250, delivered 250");
}

TEST_CASE("client: every extension where it helps") {
    ClientFacts f = facts();
    f.message.eight_bit = true;
    f.message.utf8_header = true;
    const std::string all = "250-x\r\n250-PIPELINING\r\n250-size 1000\r\n250-8bitmime\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n";
    CHECK(talk(f, {hi, all, ok + ok + ok + bye}).said() ==
          "EHLO me.example| / MAIL FROM:<s@me.example> SIZE=100 BODY=8BITMIME SMTPUTF8|RCPT TO:<a@x.example>|BDAT 100 "
          "LAST|[chunk]QUIT|");
    f.message.octets = 100'000;  // no small message: DATA as ever
    f.message.dots = false;
    const std::string big = "250-x\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250 CHUNKING\r\n";
    CHECK(talk(f, {hi, big, ok + ok + go, ok + bye}).said() ==
          "EHLO me.example| / MAIL FROM:<s@me.example> SIZE=100000 BODY=8BITMIME|RCPT TO:<a@x.example>|DATA| / [body]QUIT|");
    const std::string chunked =
        "EHLO me.example| / MAIL FROM:<s@me.example> SIZE=100000 BODY=8BITMIME|RCPT TO:<a@x.example>| / BDAT 100000 "
        "LAST|[chunk]QUIT|";
    f.message.dots = true;  // BDAT needs no stuffing
    CHECK(talk(f, {hi, big, ok + ok, ok + bye}).said() == chunked);
    f.message.dots = false;
    f.message.long_lines = true;  // nor folding
    CHECK(talk(f, {hi, big, ok + ok, ok + bye}).said() == chunked);
    CHECK(talk(f, {hi, plain, ok, ok, go, ok, bye}).said().ends_with("DATA| / [folded] / QUIT|"));
    CHECK(talk(f, {hi, "250-x\r\n250 8BITMIME\r\n", ok, ok, go, ok, bye}).said().ends_with("DATA| / [body] / QUIT|"));
}

TEST_CASE("client: what the server cannot take is not sent") {
    ClientFacts f = facts();
    f.message.octets = 1001;
    Run run = talk(f, {hi, "250-x\r\n250 SIZE 1000\r\n", bye});
    CHECK(run.said() == "EHLO me.example| / QUIT|");
    CHECK(run.results() == "never 552");
    CHECK(run.outcomes[0].enhanced == "5.3.4");
    CHECK(run.outcomes[0].cause == Outcome::Cause::unsuited);
    CHECK(talk(f, {hi, "250-x\r\n250 SIZE 0\r\n", ok, ok, go, ok, bye}).results() == "delivered 250");

    f = facts({"j\xc3\xb6@x.example", "a@x.example"});
    run = talk(f, {hi, piping, ok + ok + go, ok + bye});
    CHECK(run.results() == "never 553, delivered 250");
    CHECK(run.outcomes[0].enhanced == "5.6.7");
    CHECK(run.said().find("\xc3") == std::string::npos);
    f.sender = *mail::Path::parse_argument("\xc3\xb6@me.example");
    CHECK(talk(f, {hi, piping, bye}).said() == "EHLO me.example| / QUIT|");
    f = facts();
    f.message.utf8_header = f.message.eight_bit = true;
    CHECK(talk(f, {hi, plain, ok, ok, go, ok, bye}).results() == "delivered 250");
}

TEST_CASE("client: hostile servers") {
    struct Case {
        const char* what;
        std::deque<std::string> server;
        const char* results;
        const char* last;  // the last write
    };
    const std::string long_banner = [] {
        std::string all;
        for (int i = 0; i < 5000; ++i) all += "220-line\r\n";
        return all + "220 end\r\n";
    }();
    const Case cases[] = {
        {"97 greeting 554", {"554 no\r\n", bye}, "never 554", "QUIT|"},
        {"97 greeting 521", {"521 no\r\n", bye}, "never 521", "QUIT|"},
        {"97 greeting 421", {"421 busy\r\n"}, "later 421", "-"},
        {"97 no greeting", {}, "later 451", "-"},
        {"97 a greeting of 5000 lines", {long_banner}, "later 451", "-"},
        {"97 a greeting without its end", {"220 x"}, "later 451", "-"},
        {"greeting 250", {"250 x\r\n"}, "later 451", "-"},
        {"greeting 354", {"354 x\r\n"}, "later 451", "-"},
        {"not SMTP", {"HTTP/1.1 400 Bad Request\r\n"}, "later 451", "-"},
        {"98 EHLO 500, HELO", {hi, "500 what\r\n", ok, ok, ok, go, ok, bye}, "delivered 250", "QUIT|"},
        {"98 EHLO and HELO refused", {hi, "550 no\r\n", "550 no\r\n", bye}, "never 550", "QUIT|"},
        {"98 EHLO 450", {hi, "450 x\r\n", bye}, "later 450", "QUIT|"},
        {"98 EHLO 421", {hi, "421 x\r\n"}, "later 421", "EHLO me.example|"},
        {"EHLO 354", {hi, "354 x\r\n"}, "later 451", "EHLO me.example|"},
        {"99 250- without its end", {hi, "250-x\r\n"}, "later 451", "EHLO me.example|"},
        {"100 the code changes", {hi, "250-x\r\n220 y\r\n"}, "later 451", "EHLO me.example|"},
        {"101 099", {hi, plain, "099 x\r\n"}, "later 451", "MAIL FROM:<s@me.example>|"},
        {"101 600", {hi, plain, "600 x\r\n"}, "later 451", "MAIL FROM:<s@me.example>|"},
        {"101 abc", {hi, plain, "abc\r\n"}, "later 451", "MAIL FROM:<s@me.example>|"},
        {"103 a reply before the question", {hi, plain + ok}, "later 451", "EHLO me.example|"},
        {"103 all of them at once", {hi + plain + ok + ok + go + ok}, "later 451", "-"},
        {"104 close after EHLO", {hi}, "later 451", "EHLO me.example|"},
        {"104 close after MAIL", {hi, plain}, "later 451", "MAIL FROM:<s@me.example>|"},
        {"104 close after RCPT", {hi, plain, ok}, "later 451", "RCPT TO:<a@x.example>|"},
        {"104 close after DATA", {hi, plain, ok, ok}, "later 451", "DATA|"},
        {"104 close after the dot", {hi, plain, ok, ok, go}, "later 451", "[body]"},
        {"104 close after QUIT", {hi, plain, ok, ok, go, ok}, "delivered 250", "QUIT|"},
        {"105 354 to MAIL", {hi, plain, go}, "later 451", "MAIL FROM:<s@me.example>|"},
        {"105 354 to RCPT", {hi, plain, ok, go}, "later 451", "RCPT TO:<a@x.example>|"},
        {"105 250 to DATA", {hi, plain, ok, ok, ok}, "later 451", "DATA|"},
        {"354 to the dot", {hi, plain, ok, ok, go, go}, "later 451", "[body]"},
        {"106 552 to RCPT", {hi, plain, ok, "552 too many\r\n", bye}, "later 452", "QUIT|"},
        {"MAIL 450", {hi, plain, "450 x\r\n", bye}, "later 450", "QUIT|"},
        {"MAIL 550", {hi, plain, "550 x\r\n", bye}, "never 550", "QUIT|"},
        {"RCPT 450", {hi, plain, ok, "450 x\r\n", bye}, "later 450", "QUIT|"},
        {"RCPT 550", {hi, plain, ok, "550 x\r\n", bye}, "never 550", "QUIT|"},
        {"110 251 is accepted, not followed",
         {hi, plain, ok, "251 forward <b@y.example>\r\n", go, ok, bye},
         "delivered 250",
         "QUIT|"},
        {"110 551 is refused, not followed", {hi, plain, ok, "551 try <b@y.example>\r\n", bye}, "never 551", "QUIT|"},
        {"DATA 451", {hi, plain, ok, ok, "451 x\r\n", bye}, "later 451", "QUIT|"},
        {"DATA 554", {hi, plain, ok, ok, "554 x\r\n", bye}, "never 554", "QUIT|"},
        {"the message 450", {hi, plain, ok, ok, go, "450 x\r\n", bye}, "later 450", "QUIT|"},
        {"the message 554", {hi, plain, ok, ok, go, "554 x\r\n", bye}, "never 554", "QUIT|"},
        {"421 to MAIL", {hi, plain, "421 x\r\n"}, "later 421", "MAIL FROM:<s@me.example>|"},
        {"421 to RCPT", {hi, plain, ok, "421 x\r\n"}, "later 421", "RCPT TO:<a@x.example>|"},
        {"421 to DATA", {hi, plain, ok, ok, "421 x\r\n"}, "later 421", "DATA|"},
        {"421 to the message", {hi, plain, ok, ok, go, "421 x\r\n"}, "later 421", "[body]"},
        {"113 NUL and ESC", {hi, plain, ok, std::string("550 \0\x1b[2J\r\n", 11), bye}, "never 550", "QUIT|"},
        {"pipelined, all refused, 354", {hi, piping, ok + "550 x\r\n" + go, "554 nobody\r\n", bye}, "never 550", "QUIT|"},
        {"pipelined, all refused, 503", {hi, piping, ok + "550 x\r\n503 x\r\n", bye}, "never 550", "QUIT|"},
        {"pipelined, MAIL refused", {hi, piping, "450 x\r\n503 x\r\n503 x\r\n", bye}, "later 450", "QUIT|"},
        {"pipelined, RCPT accepted, 250 to DATA", {hi, piping, ok + ok + ok}, "later 451", "*"},
    };
    for (const Case& c : cases) {
        for (const bool bytewise : {false, true}) {  // 102
            if (bytewise && std::string_view(c.what).starts_with("103")) continue;
            INFO(c.what, bytewise ? " bytewise" : "");
            const Run run = talk(facts(), c.server, client::Gone::Why::eof, bytewise);
            CHECK(run.results() == c.results);
            const std::string last = run.writes.empty() ? "-" : run.writes.back();
            if (std::string_view(c.last) != "*") CHECK(last == c.last);
            for (const auto& o : run.outcomes)
                for (const char byte : o.words()) CHECK((byte >= 0x20 && byte < 0x7f));
        }
    }
}

TEST_CASE("client: lost at every stage, silent at every stage") {
    const std::deque<std::string> whole{hi, plain, ok, ok, go, ok, bye};
    for (std::size_t steps = 0; steps <= whole.size(); ++steps) {
        for (const auto why : {client::Gone::Why::eof, client::Gone::Why::timeout, client::Gone::Why::broken}) {
            const Run run = talk(facts(), {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(steps)}, why);
            INFO(steps, " ", run.results());
            CHECK(run.results() == (steps < 6 ? "later 451" : "delivered 250"));
            CHECK(run.committed == (steps >= 5));  // 112: lost behind the dot is in doubt
            CHECK(run.greeted == (steps >= 1));
        }
    }
}

TEST_CASE("client: each recipient has its own fate") {
    struct Case {
        const char* what;
        std::deque<std::string> server;
        const char* results;
        bool committed;
    };
    const Case cases[] = {
        {"accepted, never, later",
         {hi, piping, ok + ok + "550 5.1.1 x\r\n451 x\r\n" + go, ok + bye},
         "delivered 250, never 550, later 451",
         true},
        {"none", {hi, piping, ok + "550 a\r\n551 b\r\n450 c\r\n" + "503 x\r\n", bye}, "never 550, never 551, later 450", false},
        {"accepted, then the message is refused",
         {hi, piping, ok + ok + "450 x\r\n" + ok + go, "554 x\r\n" + bye},
         "never 554, later 450, never 554",
         false},
        {"accepted, then lost", {hi, piping, ok + ok + "550 x\r\n" + ok + go}, "later 451, never 550, later 451", true},
        {"421 in the middle", {hi, piping, ok + ok + "421 x\r\n"}, "later 421, later 421, later 421", false},
    };
    for (const Case& c : cases) {
        INFO(c.what);
        const Run run = talk(facts({"a@x.example", "b@x.example", "c@x.example"}), c.server);
        CHECK(run.results() == c.results);
        CHECK(run.committed == c.committed);
    }
}

TEST_CASE("client: a chunk in the group") {
    const std::string chunking = "250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
    CHECK(talk(facts(), {hi, chunking, ok + ok + ok + bye}).results() == "delivered 250");
    Run run = talk(facts(), {hi, chunking, ok + "550 x\r\n503 x\r\n" + bye});
    CHECK(run.results() == "never 550");
    CHECK(!run.committed);
    run = talk(facts(), {hi, chunking, ok + ok + "502 what\r\n" + bye});  // 108
    CHECK(run.chunking_failed);
    CHECK(!run.committed);
    run = talk(facts(), {hi, chunking, ok + ok + "554 spam\r\n" + bye});
    CHECK(run.results() == "never 554");
    CHECK(!run.chunking_failed);
    run = talk(facts(), {hi, chunking, ok + ok});  // may have it
    CHECK(run.results() == "later 451");
    CHECK(run.committed);
    run = talk(facts(), {hi, chunking, "421 x\r\n"});
    CHECK(!run.committed);
    ClientFacts f = facts();
    f.avoid_chunking = true;
    CHECK(talk(f, {hi, chunking, ok + ok + go, ok + bye}).said().find("BDAT") == std::string::npos);
}

TEST_CASE("client: LMTP answers for each") {
    ClientFacts f = facts({"a@x.example", "b@x.example", "c@x.example"});
    f.lmtp = true;
    const Run run = talk(f, {hi, piping, ok + ok + "550 x\r\n" + ok + go, ok + "450 full\r\n", bye});
    CHECK(run.said().starts_with("LHLO me.example|"));
    CHECK(run.results() == "delivered 250, never 550, later 450");
    CHECK(run.committed);
    CHECK(talk(f, {hi, "500 x\r\n", bye}).results() == "never 500, never 500, never 500");
    CHECK(talk(f, {hi, piping, ok + ok + ok + ok + go, ok}).results() == "delivered 250, later 451, later 451");
}

TEST_CASE("client: ping asks and sends nothing") {
    ClientFacts f = facts({"a@x.example", "b@x.example"});
    f.ping = true;
    const Run run = talk(f, {hi, "250-x\r\n250-SIZE 5\r\n250 PIPELINING\r\n", ok + ok + "550 x\r\n", bye});
    CHECK(run.said() == "EHLO me.example| / MAIL FROM:<s@me.example>|RCPT TO:<a@x.example>|RCPT TO:<b@x.example>| / QUIT|");
    CHECK(run.results() == "delivered 250, never 550");
    CHECK(!talk(f, {hi, plain, ok, ok, ok, bye}).said().ends_with("DATA|"));
}

TEST_CASE("client: a server that must be spoken to first") {
    ClientFacts f = facts();
    f.noop_first = true;
    const Run run = talk(f, {hi + ok, plain, ok, ok, go, ok, bye});
    CHECK(run.said().starts_with("NOOP| / EHLO me.example| / MAIL"));
    CHECK(run.results() == "delivered 250");
    CHECK(talk(f, {hi, "500 what\r\n", plain, ok, ok, go, ok, bye}).results() == "delivered 250");
    CHECK(talk(f, {"554 no\r\n" + ok}).results() == "never 554");
}

TEST_CASE("client: many recipients go in groups, and in transactions where the server says how many") {
    ClientFacts f = facts({});
    for (int i = 0; i < 250; ++i) f.recipients.push_back(*mail::Path::parse_argument("u" + std::to_string(i) + "@x.example"));
    std::string hundred;
    for (int i = 0; i < 100; ++i) hundred += ok;
    std::string fifty = hundred.substr(0, hundred.size() / 2);
    Run run = talk(f, {hi, piping, ok + hundred, hundred, fifty + go, ok + bye});
    CHECK(run.writes.size() == 5);
    CHECK(run.outcomes[249].state == Outcome::State::delivered);

    f.recipients.erase(f.recipients.begin() + 3, f.recipients.end());
    const std::string limited = "250-x\r\n250-PIPELINING\r\n250 LIMITS MAILMAX=5 RCPTMAX=2\r\n";
    run = talk(f, {hi, limited, ok + ok + ok + go, ok, ok + ok + go, ok + bye});
    CHECK(run.said() ==
          "EHLO me.example| / MAIL FROM:<s@me.example>|RCPT TO:<u0@x.example>|RCPT TO:<u1@x.example>|DATA| / [body] / "
          "MAIL FROM:<s@me.example>|RCPT TO:<u2@x.example>|DATA| / [body]QUIT|");
    CHECK(run.results() == "delivered 250, delivered 250, delivered 250");
    run = talk(f, {hi, limited, ok + "550 x\r\n550 x\r\n503 x\r\n", ok, ok + ok + go, ok + bye});
    CHECK(run.said().find("RSET| / MAIL") != std::string::npos);
    CHECK(run.results() == "never 550, never 550, delivered 250");
}

TEST_CASE("client: TLS and AUTH come in where they belong") {
    ClientFacts f = facts();
    f.starttls = ClientFacts::StartTls::offered;
    const std::string tls = "250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
    CHECK(talk(f, {hi, tls, "220 go\r\n", "[tls ok]", tls, ok, ok, go, ok, bye}).said() ==  // 109: offered again, not taken again
          "EHLO me.example| / STARTTLS| / [tls] / EHLO me.example| / MAIL FROM:<s@me.example>| / RCPT TO:<a@x.example>| / DATA| "
          "/ [body] / "
          "QUIT|");
    CHECK(talk(f, {hi, tls, "220 go\r\n" + plain}).results() == "later 451");  // octets slipped in before TLS
    CHECK(talk(f, {hi, tls, "454 no\r\n", bye}).results() == "later 454");
    CHECK(talk(f, {hi, tls, "220 go\r\n", "[tls bad]"}).results() == "later");
    CHECK(talk(f, {hi, plain, ok, ok, go, ok, bye}).results() == "delivered 250");
    f.starttls = ClientFacts::StartTls::required;
    CHECK(talk(f, {hi, plain, bye}).results() == "never");

    f = facts();
    f.authenticate = true;
    CHECK(
        talk(f, {hi, tls, "[auth AUTH PLAIN]", "334 \r\n", "[auth eHh4]", "235 ok\r\n", "[auth done]", ok, ok, go, ok, bye})
            .said() ==
        "EHLO me.example| / [auth PLAIN] / AUTH PLAIN| / [auth PLAIN] / eHh4| / [auth PLAIN] / MAIL FROM:<s@me.example>| / RCPT "
        "TO:<a@x.example>| / DATA| / [body] / QUIT|");
    const Run refused = talk(f, {hi, tls, "[auth AUTH PLAIN]", "535 no\r\n", "[auth fail]", bye});
    CHECK(refused.results() == "never 535");
    CHECK(refused.outcomes[0].cause == Outcome::Cause::auth);
    CHECK(talk(f, {hi, tls, "[auth later]", bye}).results() == "later");
    CHECK(talk(f, {hi, plain, "[auth done]", ok, ok, go, ok, bye}).results() == "delivered 250");

    f = facts();
    f.starttls = ClientFacts::StartTls::first;
    CHECK(talk(f, {"[tls ok]", hi, tls, ok, ok, go, ok, bye}).said() ==
          "[tls] / EHLO me.example| / MAIL FROM:<s@me.example>| / RCPT TO:<a@x.example>| / DATA| / [body] / QUIT|");
    CHECK(talk(f, {"[tls bad]"}).results() == "later");
    f.noop_first = true;
    CHECK(talk(f, {"[tls ok]", hi, ok, plain, ok, ok, go, ok, bye}).results() == "delivered 250");
}
