// smtp-source's session in memory: what goes over the wire, and what becomes of every answer.
#include "tests/support/test.hh"
#include "tests/unit/source_play.hh"

using namespace greylag;
using namespace greylag::source;

TEST_CASE("smtp-source: the dialogue of the original, a command at a time") {
    for (unsigned seed = 0; seed < 4; ++seed) {
        Play p({"-m", "2"}, {"220 x", "250 h", "250 ok", "250 ok", "354 go", "250 ok", "221 bye",  //
                             "220 x", "250 h", "250 ok", "250 ok", "354 go", "250 ok", "221 bye"});
        p.seed = seed;
        const std::string once =
            "connect\nC: HELO h\nC: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: DATA\n" + message + "C: QUIT\nclose\n";
        CHECK(p.run() == once + once + "over\n");
        CHECK(p.desk.stats.sent == 2);
        CHECK(p.desk.stats.recipients == 2);
        CHECK(p.desk.stats.connections == 2);
        CHECK(p.desk.stats.bytes == 2 * 8);
        CHECK(p.desk.dots == 2);
        CHECK(p.desk.stats.of(Phase::whole).most() == 400);
        CHECK(p.desk.stats.of(Phase::quit).count() == 2);
    }
}

TEST_CASE("smtp-source: -d keeps the connection, --connections-per for a while") {
    Play kept({"-d", "-m", "3", "-r", "2"}, {"220 x", "250 h", "250", "250", "250", "354", "250", "250", "250", "250", "354",
                                             "250", "250", "250", "250", "354", "250", "221"});
    const std::string one = "C: MAIL FROM:<a@x>\nC: RCPT TO:<2b@y>\nC: RCPT TO:<b@y>\nC: DATA\n" + message;
    CHECK(kept.run() == "connect\nC: HELO h\n" + one + one + one + "C: QUIT\nclose\nover\n");
    CHECK(kept.desk.stats.recipients == 6);

    Play two({"--connections-per", "2", "-m", "3"},
             {"220 x", "250 h", "250", "250", "354", "250", "250", "250", "354", "250", "221",  //
              "220 x", "250 h", "250", "250", "354", "250", "221"});
    const std::string single = "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: DATA\n" + message;
    CHECK(two.run() ==
          "connect\nC: HELO h\n" + single + single + "C: QUIT\nclose\nconnect\nC: HELO h\n" + single + "C: QUIT\nclose\nover\n");
}

TEST_CASE("smtp-source: old mode and LMTP") {
    Play old({"-o"}, {"220 x", "250", "250", "354", "250", "221"});
    CHECK(old.run() == "connect\nC: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: DATA\n" + message + "C: QUIT\nclose\nover\n");
    Play lmtp({"-L", "-A", "-r", "3"}, {"220 x", "250 h", "250", "250", "550 no", "250", "354", "+250 one", "450 two", "221"});
    CHECK(lmtp.run().find("C: LHLO h\n") != std::string::npos);
    CHECK(lmtp.desk.stats.sent == 1);
    CHECK(lmtp.desk.stats.recipients == 1);
    CHECK(lmtp.desk.stats.codes[550] == 1);
    CHECK(lmtp.desk.stats.codes[450] == 1);
    CHECK(lmtp.wire.ends_with("C: QUIT\nclose\nover\n"));
}

TEST_CASE("smtp-source: without -A the first refusal ends the run") {
    struct Row {
        std::vector<std::string> answers;
        const char* said;
        Failure how;
    };
    const Row rows[] = {
        {{"554 5.7.1 go away"}, "server banner rejected: 554 5.7.1 go away\n", Failure::refused},
        {{"421 busy"}, "server banner rejected: 421 busy\n", Failure::later},
        {{"220 x", "500 what"}, "HELO rejected: 500 what\n", Failure::refused},
        {{"220 x", "250 h", "550 5.1.8 no"}, "sender rejected: 550 5.1.8 no\n", Failure::refused},
        {{"220 x", "250 h", "250", "450 later"}, "recipient rejected: 450 later\n", Failure::later},
        {{"220 x", "250 h", "250", "250", "554 no"}, "data rejected: 554 no\n", Failure::refused},
        {{"220 x", "250 h", "250", "250", "250 no"}, "data rejected: 250 no\n", Failure::protocol},
        {{"220 x", "250 h", "250", "250", "354", "552-too\r\n552 big"}, "end of data rejected: 552 too big\n", Failure::refused},
        {{"220 x", "250 h", "hello"}, "no reply: the line begins with no reply code: \"hello\"\n", Failure::protocol},
    };
    for (const auto& row : rows) {
        Play p({"-m", "5"}, row.answers);
        p.run();
        INFO(p.wire);
        CHECK(p.said == row.said);
        CHECK(p.wire.ends_with("close\nover\n"));
        CHECK(p.failed(row.how) == 1);
        CHECK(p.desk.stats.failed_in_all() == 1);
        CHECK(p.ledger.stopped());
    }
}

TEST_CASE("smtp-source: -A goes on, and not where the greeting says no (the original does)") {
    Play p({"-A", "-m", "2"}, {"554 no", "220 x", "250 h", "250", "250", "354", "250", "221"});
    const std::string good = "connect\nC: HELO h\nC: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: DATA\n" + message + "C: QUIT\nclose\n";
    CHECK(p.run() == "connect\nclose\n" + good + "over\n");
    CHECK(p.said == "warning: server banner rejected: 554 no\n");
    CHECK(p.desk.stats.sent == 1);
    CHECK(p.failed(Failure::refused) == 1);
    CHECK(verdict(p.desk.stats) == 69);

    // A sender, all recipients, DATA or the message refused: RSET where something is open, and the next one.
    Play kept({"-A", "-d", "-m", "4", "-r", "2"}, {"220 x", "250 h", "550 no", "250 reset",        //
                                                   "250", "450 no", "550 no", "250 reset",         //
                                                   "250", "450 no", "250", "451 no", "250 reset",  //
                                                   "250", "550 no", "250", "354", "554 no", "221"});
    CHECK(kept.run() ==
          "connect\nC: HELO h\nC: MAIL FROM:<a@x>\nC: RSET\n"
          "C: MAIL FROM:<a@x>\nC: RCPT TO:<2b@y>\nC: RCPT TO:<b@y>\nC: RSET\n"
          "C: MAIL FROM:<a@x>\nC: RCPT TO:<2b@y>\nC: RCPT TO:<b@y>\nC: DATA\nC: RSET\n"
          "C: MAIL FROM:<a@x>\nC: RCPT TO:<2b@y>\nC: RCPT TO:<b@y>\nC: DATA\n" +
              message + "C: QUIT\nclose\nover\n");
    CHECK(kept.desk.stats.sent == 0);
    CHECK(kept.failed(Failure::refused) == 3);
    CHECK(kept.failed(Failure::later) == 1);
}

TEST_CASE("smtp-source: 421 and 521 take a new connection under -A") {
    for (const char* code : {"421", "521"}) {
        Play p({"-A", "-d", "-m", "2"}, {"220 x", "250 h", "250", code, "220 x", "250 h", "250", "250", "354", "250", "221"});
        p.run();
        CHECK(p.wire.starts_with("connect\nC: HELO h\nC: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nclose\nconnect\nC: HELO h\n"));
        CHECK(p.desk.stats.sent == 1);
        CHECK(p.desk.stats.failed_in_all() == 1);
        CHECK(p.desk.stats.connections == 2);
    }
}

TEST_CASE("smtp-source: what a server offers is asked on every connection") {
    Play p({"--pipelining", "-m", "3"}, {"220 x", "250-h\r\n250 PIPELINING",
                                         "+250",  "+250",
                                         "354",   "+250 sent",
                                         "221",  //
                                         "220 x", "250 h",
                                         "250",   "250",
                                         "354",   "250 sent",
                                         "221",  //
                                         "220 x", "250-h\r\n250 PIPELINING",
                                         "+250",  "+250",
                                         "354",   "+250 sent",
                                         "221"});
    const std::string hello = "connect\nC: EHLO h\n";
    const std::string sent = "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: DATA\n" + message + "C: QUIT\nclose\n";
    CHECK(p.run() == hello + sent + hello + sent + hello + sent + "over\n");
    CHECK(p.desk.stats.of(Phase::whole).least() == 200);  // a group at a time
    CHECK(p.desk.stats.of(Phase::whole).most() == 400);   // a command at a time
    CHECK(p.desk.stats.sent == 3);
}

TEST_CASE("smtp-source: --pipelining says a group at a time") {
    Play p({"--pipelining", "-d", "-m", "2", "-r", "2"}, {"220 x", "250-h\r\n250 PIPELINING", "+250", "+250", "+250", "354",
                                                          "+250 sent", "+250", "+250", "+250", "354", "+250 sent", "221"});
    const std::string envelope = "C: MAIL FROM:<a@x>\nC: RCPT TO:<2b@y>\nC: RCPT TO:<b@y>\nC: DATA\n";
    CHECK(p.run() == "connect\nC: EHLO h\n" + envelope + message + envelope + message + "C: QUIT\nclose\nover\n");
    CHECK(p.desk.stats.sent == 2);
    CHECK(p.desk.stats.recipients == 4);

    Play plain({"--pipelining", "-m", "1"}, {"220 x", "250 h", "250", "250", "354", "250", "221"});
    CHECK(plain.run().ends_with("C: QUIT\nclose\nover\n"));
    CHECK(plain.said == "warning: the server does not offer PIPELINING: a command at a time\n");
}

TEST_CASE("smtp-source: refusals within a group") {
    // 354 although the only recipient was refused: an empty message, whose answer says nothing.
    Play p({"--pipelining", "-A", "-d", "-m", "2"},
           {"220 x", "250-h\r\n250 PIPELINING", "+250", "+550 no", "354", "+554 empty", "250 reset",  //
            "+250", "+250", "354", "+250", "221"});
    const std::string envelope = "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: DATA\n";
    CHECK(p.run() == "connect\nC: EHLO h\n" + envelope + "C: .\nC: RSET\n" + envelope + message + "C: QUIT\nclose\nover\n");
    CHECK(p.desk.stats.sent == 1);
    CHECK(p.failed(Failure::refused) == 1);

    // What follows from the first refusal is no second one.
    Play q({"--pipelining", "-A"}, {"220 x", "250-h\r\n250 PIPELINING", "+451 no", "+503 no", "503 no", "250 reset", "221"});
    CHECK(q.run() == "connect\nC: EHLO h\n" + envelope + "C: RSET\nC: QUIT\nclose\nover\n");
    CHECK(q.desk.stats.codes.size() == 1);
    CHECK(q.failed(Failure::later) == 1);

    // The connection breaks behind the dot: that message failed, the one whose envelope was said is sent again.
    Play r({"--pipelining", "-A", "-d", "-m", "2"}, {"220 x", "250-h\r\n250 PIPELINING", "+250", "+250", "354", "421 out",  //
                                                     "220 x", "250-h\r\n250 PIPELINING", "+250", "+250", "354", "+250", "221"});
    r.run();
    CHECK(r.desk.stats.sent == 1);
    CHECK(r.desk.stats.failed_in_all() == 1);
    CHECK(r.wire.ends_with("over\n"));
}

TEST_CASE("smtp-source: --bdat") {
    const std::string chunk = "C: BDAT 7 LAST\nC: Hi\nC: .\n";
    Play p({"--bdat", "-m", "1"}, {"220 x", "250-h\r\n250 CHUNKING", "250", "250", "250 sent", "221"});
    CHECK(p.run() == "connect\nC: EHLO h\nC: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\n" + chunk + "C: QUIT\nclose\nover\n");
    CHECK(p.desk.stats.bytes == 7);

    Play group({"--bdat", "--pipelining", "-d", "-m", "2"}, {"220 x", "250-h\r\n250-PIPELINING\r\n250 CHUNKING", "+250", "+250",
                                                             "250 sent", "+250", "+250", "250 sent", "221"});
    const std::string one = "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\n" + chunk;
    CHECK(group.run() == "connect\nC: EHLO h\n" + one + one + "C: QUIT\nclose\nover\n");
    CHECK(group.desk.stats.sent == 2);

    Play refused({"--bdat", "--pipelining", "-A", "-d", "-m", "2"},
                 {"220 x", "250-h\r\n250-PIPELINING\r\n250 CHUNKING", "+250", "+550 no", "503 no", "250 reset", "+250", "+250",
                  "250 sent", "221"});
    CHECK(refused.run() == "connect\nC: EHLO h\n" + one + "C: RSET\n" + one + "C: QUIT\nclose\nover\n");
    CHECK(refused.desk.stats.sent == 1);
    CHECK(refused.failed(Failure::refused) == 1);

    Play lmtp({"--bdat", "--pipelining", "-L", "-A", "-r", "3"}, {"220 x", "250-h\r\n250-PIPELINING\r\n250 CHUNKING", "+250",
                                                                  "+250", "+550 no", "+250", "+250 one", "250 two", "221"});
    lmtp.run();
    CHECK(lmtp.wire.ends_with("C: QUIT\nclose\nover\n"));
    CHECK(lmtp.desk.stats.recipients == 2);

    Play never({"--bdat"}, {"220 x", "250 h"});
    never.run();
    CHECK(never.said == "the server does not offer CHUNKING\n");
}

TEST_CASE("smtp-source: lost, late and unreachable") {
    const auto after = [](std::vector<std::string> answers, Talk::Lost how) {
        Play p({"-m", "1"}, std::move(answers));
        p.run();
        p.talk.lost(how, p.now);
        return p.said;
    };
    CHECK(after({}, Talk::Lost::eof) == "lost connection at server banner\n");
    CHECK(after({"220 x"}, Talk::Lost::broken) == "lost connection at HELO\n");
    CHECK(after({"220 x", "250 h", "250", "250", "354"}, Talk::Lost::timeout) == "timeout at end of data\n");
    CHECK(after({"220 x", "250 h", "250", "250", "354", "250"}, Talk::Lost::eof) == "");

    Play p({"-C", "3", "-m", "2"});
    p.talk.begin(0);
    for (int i = 0; i < 2; ++i) {
        p.talk.not_connected("refused", p.now);
        REQUIRE(p.talk.wish() == Talk::Wish::wait);
        p.now = p.talk.due();
        p.talk.begin(p.now);
        REQUIRE(p.talk.wish() == Talk::Wish::dial);
    }
    p.talk.not_connected("refused", p.now);
    CHECK(p.said == "warning: refused\nwarning: refused\nrefused\n");
    CHECK(p.failed(Failure::unreachable) == 1);
}

TEST_CASE("smtp-source: pauses and rate are waits, not sleeps") {
    Play paused({"-d", "-m", "2", "-w", "3"}, {"220 x", "250 h", "250", "250", "354", "250"});
    CHECK(paused.run().ends_with("wait 3000000\n"));
    paused.now += 3'000'000;
    paused.answers = {"250", "250", "354", "250", "221"};
    CHECK(paused.run().ends_with("C: QUIT\nclose\nover\n"));
    CHECK(paused.desk.stats.sent == 2);

    Play dropped({"-d", "-m", "2", "-w", "3"}, {"220 x", "250 h", "250", "250", "354", "250"});
    dropped.run();
    dropped.talk.lost(Talk::Lost::eof, dropped.now);  // in the pause: nothing was in hand
    dropped.talk.begin(dropped.now);
    CHECK(dropped.desk.stats.failed_in_all() == 0);
    CHECK(dropped.talk.wish() == Talk::Wish::wait);

    Play slow({"-m", "3", "--rate", "10"}, {"220 x", "250 h", "250", "250", "354", "250", "221"});
    CHECK(slow.run().ends_with("C: QUIT\nclose\nwait 99300\n"));

    for (unsigned seed = 1; seed < 20; ++seed) {
        Play random({"-d", "-m", "2", "-R", "2"}, {"220 x", "250 h", "250", "250", "354", "250"});
        random.desk.dice = Dice(seed);
        random.run();
        CHECK(random.talk.due() <= random.now + 2'000'000);
    }
}

TEST_CASE("smtp-source: the ledger gives each number once, and none too late") {
    Ledger three(3, 0, base::Millis(0));
    CHECK(three.claim(0)->number == 0);
    CHECK(three.claim(0)->number == 1);
    CHECK(three.claim(0)->number == 2);
    CHECK_FALSE(three.claim(0));
    Ledger timed(1'000'000, 2, base::Seconds(1));
    CHECK(timed.claim(0)->due == 0);
    CHECK(timed.claim(0)->due == 500'000);
    CHECK_FALSE(timed.claim(0));  // due when the time is over
    Ledger over(10, 0, base::Seconds(1));
    CHECK_FALSE(over.claim(1'000'000));
    Ledger stopped(10, 0, base::Millis(0));
    stopped.stop();
    CHECK_FALSE(stopped.claim(0));
}

TEST_CASE("smtp-source: whatever a server says, the session ends or waits") {
    const std::vector<std::string> words[] = {{"-A", "-m", "20", "-d"},
                                              {"-A", "-m", "20", "--pipelining", "-r", "3"},
                                              {"-A", "-m", "20", "-d", "--pipelining", "--bdat", "-L", "-r", "2"},
                                              {"-A", "-m", "20", "-d", "--pipelining"}};
    const char* replies[] = {"220 x",  "250 ok",  "250-h\r\n250-PIPELINING\r\n250 CHUNKING",
                             "354 go", "250 ok",  "450 no",
                             "550 no", "421 out", "221 bye",
                             "x",      "250-",    "+250 ok",
                             "+354 go"};
    for (unsigned seed = 0; seed < 400; ++seed) {
        Dice dice(seed);
        std::vector<std::string> answers;
        for (unsigned i = 0; i < 120; ++i) {
            const auto at = dice.below(i < 2 ? 3 : std::size(replies));
            answers.emplace_back(replies[at]);
        }
        Play p(words[seed % std::size(words)], answers);
        p.seed = seed % 3;
        p.run();
        const auto& s = p.desk.stats;
        CHECK(s.sent + s.failed_in_all() <= 20);
        if (p.talk.wish() == Talk::Wish::over) CHECK(s.sent + s.failed_in_all() == 20);
        CHECK_FALSE(p.talk.has_output());
    }
}
