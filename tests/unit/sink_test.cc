// smtp-sink's rules and its session in memory.
#include "cmd/smtp-sink/session.hh"

#include <vector>

#include "base/base64.hh"
#include "cmd/smtp-sink/dump.hh"
#include "cmd/smtp-sink/options.hh"
#include "secret/sha256.hh"
#include "tests/support/must.hh"
#include "tests/support/pieces.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::sink;

namespace {

Result<Rules> rules_of(std::vector<std::string> words, bool with_address = true) {
    if (with_address) words.emplace_back("127.0.0.1:0");
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    const auto line = base::parse_command_line(arguments, option_table);
    if (!line) return std::unexpected(line.error());
    return make_rules(*line);
}

struct Play {
    explicit Play(std::vector<std::string> words, bool dump = false)
        : rules(test::must(rules_of(std::move(words)))),
          house{rules,
                totals,
                {secret::sha256, secret::hmac_sha256, secret::pbkdf2_sha256,
                 [](std::string_view a, std::string_view b) { return a == b; }, nullptr},
                [] { return std::string("random-random-random"); },
                [this](std::string_view line) { said += std::string(line) + "\n"; },
                {},
                {make_hello(rules, Over::clear), make_hello(rules, Over::tls), make_hello(rules, Over::bound_tls)},
                {}},
          session((dump ? house.write_dump =
                              [this](const Dump& d, std::string_view peer) {
                                  return dumps += dump_text(rules, d, peer, "ID", {}), std::string();
                              }
                        : house.write_dump,
                   house),
                  "192.0.2.7", 1) {
        session.begin(0);
    }
    Play(const Play&) = delete;
    Play& operator=(const Play&) = delete;

    // What is answered, CRLF as LF.
    std::string ask(std::string_view octets, unsigned seed = 0) {
        for (const auto piece : test::pieces(octets, seed)) session.heard(piece, now);
        return answer();
    }
    std::string answer() {
        std::string out;
        for (const char c : session.output())
            if (c != '\r') out += c;
        session.output().clear();
        return out;
    }

    std::string said, dumps;
    Rules rules;
    Totals totals;
    House house;
    Session session;
    Tick now = 0;
};

using Wish = Session::Wish;
const std::string whole = "HELO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";

}  // namespace

TEST_CASE("smtp-sink: a transaction, in any pieces") {
    for (unsigned seed = 0; seed < 30; ++seed) {
        Play p({});
        CHECK(p.answer() == "220 smtp-sink ESMTP\n");
        CHECK(p.ask(whole + "x\r\n..\r\n.\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n", seed) ==
              "250 smtp-sink\n250 2.1.0 Ok\n250 2.1.5 Ok\n354 End data with <CR><LF>.<CR><LF>\n250 2.0.0 Ok\n250 2.1.0 Ok\n250 "
              "2.0.0 Ok\n"
              "221 2.0.0 Bye\n");
        CHECK(p.session.wish() == Wish::close);
        CHECK(p.totals.messages == 1);
        CHECK(p.totals.recipients == 1);
        CHECK(p.totals.quits == 1);
        p.session.gone();
        CHECK(p.totals.lost == 0);
    }
}

TEST_CASE("smtp-sink: what is offered, and what options take away") {
    Play all({});
    all.answer();
    CHECK(all.ask("EHLO c\r\n") ==
          "250-smtp-sink\n250-PIPELINING\n250-8BITMIME\n250-SMTPUTF8\n250-AUTH PLAIN LOGIN\n250-XCLIENT NAME HELO\n"
          "250-XFORWARD NAME ADDR PROTO HELO\n250-ENHANCEDSTATUSCODES\n250-DSN\n250 CHUNKING\n");
    CHECK(all.ask("XCLIENT NAME=x\r\nXFORWARD NAME=x\r\nNOOP\r\nVRFY x\r\nHELP\r\n") ==
          "250 2.0.0 Ok\n250 2.0.0 Ok\n250 2.0.0 Ok\n252 2.0.0 Ok\n500 5.5.1 Error: unknown command\n");
    Play none({"-8aCEFNp", "-h", "mx.example"});
    CHECK(none.answer() == "220 mx.example ESMTP\n");
    CHECK(none.ask("EHLO c\r\nXCLIENT NAME=x\r\nNOOP\r\n") ==
          "250-mx.example\n250 CHUNKING\n500 Error: unknown command\n250 Ok\n");
    Play old({"-e"});
    CHECK(old.answer() == "220 smtp-sink SMTP\n");
    CHECK(old.ask("EHLO c\r\nHELO c\r\n") == "500 5.5.1 Error: unknown command\n250 smtp-sink\n");
    Play pix({"-P"});
    CHECK(pix.answer() == "220 ********\n");
    Play lmtp({"-L"});
    CHECK(lmtp.answer() == "220 smtp-sink LMTP\n");
    CHECK(lmtp.ask("HELO c\r\n") == "500 5.5.1 Error: unknown command\n");
    CHECK(lmtp.ask("LHLO c\r\n").starts_with("250-smtp-sink\n"));
    CHECK(lmtp.ask("MAIL FROM:<>\r\nRCPT TO:<a>\r\nRCPT TO:<b>\r\nDATA\r\nx\r\n.\r\n")
              .ends_with(".<CR><LF>\n250 2.0.0 Ok\n250 2.0.0 Ok\n"));
}

TEST_CASE("smtp-sink: it does at every point what it was told") {
    struct Row {
        const char* option;
        const char* point;
        const char* octets;
        const char* answer;
        Wish wish;
    };
    const Row rows[] = {
        {"-f", "connect", "", "500 5.3.0 Error: command failed\n", Wish::close},
        {"-r", "mail", "MAIL FROM:<>\r\n", "450 4.3.0 Error: command failed\n", Wish::talk},
        {"-f", "RCPT", "RCPT TO:<a>\r\n", "500 5.3.0 Error: command failed\n", Wish::talk},
        {"-f", ".", "DATA\r\n.\r\n", "354 End data with <CR><LF>.<CR><LF>\n500 5.3.0 Error: command failed\n", Wish::talk},
        {"-q", "data", "DATA\r\n", "", Wish::close},
        {"-Q", "helo", "HELO c\r\n", "421 4.0.0 Server closing connection\n", Wish::close},
        {"--stall", "ehlo,mail", "MAIL FROM:<>\r\nNOOP\r\n", "", Wish::stall},
        {"--garbage", "rset", "RSET\r\n", "%! no reply at all\n", Wish::talk},
        {"--half", "noop", "NOOP\r\n", "250-ha", Wish::close},
        {"--reset", "quit", "QUIT\r\n", "", Wish::reset},
        {"-f", "bdat", "BDAT 3 LAST\r\nabc", "500 5.3.0 Error: command failed\n", Wish::talk},
    };
    for (const auto& row : rows) {
        INFO(row.option, " ", row.point);
        Play p({row.option, row.point});
        if (*row.octets != '\0') p.answer();
        CHECK(p.ask(row.octets) == row.answer);
        CHECK(p.session.wish() == row.wish);
        CHECK(p.totals.refused == 1);
        CHECK(p.totals.messages == 0);
    }
    Play own({"-r", "mail", "-b", "451 come back"});
    own.answer();
    CHECK(own.ask("MAIL FROM:<>\r\n") == "451 come back\n");
    CHECK(own.ask("EHLO c\r\n").find("PIPELINING") == std::string::npos);
}

TEST_CASE("smtp-sink: delays hold the answer, and what comes behind it") {
    Play p({"-W", "noop:2"});
    p.answer();
    CHECK(p.ask("NOOP\r\nRSET\r\n") == "");
    CHECK(p.session.wish() == Wish::wait);
    CHECK(p.session.due() == 2'000'000);
    CHECK(p.ask("QUIT\r\n") == "");
    p.session.resume(2'000'000);
    CHECK(p.answer() == "250 2.0.0 Ok\n250 2.0.0 Ok\n221 2.0.0 Bye\n");

    Play data({"-w", "1"});
    data.answer();
    CHECK(data.ask("DATA\r\n") == "");
    data.session.resume(1'000'000);
    CHECK(data.answer().starts_with("354 "));

    Play abort({"-A", "3"});
    abort.answer();
    CHECK(abort.ask("DATA\r\nabc").starts_with("354 "));
    CHECK(abort.session.due() == 3'000'000);
    abort.session.resume(3'000'000);
    CHECK(abort.answer() == "550 5.3.0 Error: command failed\n");
    CHECK(abort.session.wish() == Wish::close);

    Play hold({"-H", "3"});
    hold.answer();
    CHECK(hold.ask("DATA\r\nabc\r\n.\r\n").starts_with("354 "));
    CHECK(hold.session.wish() == Wish::wait);
    hold.session.resume(3'000'000);
    CHECK(hold.answer() == "250 2.0.0 Ok\n");

    Play dice({"-W", "noop:1:50"});
    dice.answer();
    Tick most = 0;
    for (int i = 0; i < 200; ++i) {
        dice.ask("NOOP\r\n");
        CHECK(dice.session.due() % 1'000'000 == 0);
        most = std::max(most, dice.session.due());
        dice.session.resume(dice.session.due());
    }
    CHECK(most >= 3'000'000);
}

TEST_CASE("smtp-sink: BDAT, by chunks") {
    Play p({}, true);
    p.answer();
    CHECK(p.ask("EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<x>\r\nBDAT 4\r\na\r\nbBDAT 0\r\nBDAT 3 LAST\r\nc\r\nBDAT x\r\n")
              .ends_with("250 2.1.5 Ok\n250 2.0.0 Ok\n250 2.0.0 Ok\n250 2.0.0 Ok\n501 5.5.4 Error: bad syntax\n"));
    CHECK(p.totals.messages == 1);
    CHECK(p.dumps.ends_with("\na\nbc\n\n"));
}

TEST_CASE("smtp-sink: dumps in the form of the original") {
    Play p({"-d", "x", "-S", "start\\n"}, true);
    p.answer();
    p.ask(
        "EHLO cl ient\r\nMAIL FROM:<a@b> SIZE=5\r\nRCPT TO:<c@d>\r\nRCPT TO: <e@f> NOTIFY=NEVER\r\nDATA\r\nSubject: "
        "x\r\n\r\n..abc\r\n.\r\n");
    CHECK(p.dumps ==
          "start\nX-Client-Addr: 192.0.2.7\nX-Client-Proto: ESMTP\nX-Helo-Args: cl ient\nX-Mail-Args: <a@b> SIZE=5\n"
          "X-Rcpt-Args: <c@d>\nX-Rcpt-Args: <e@f> NOTIFY=NEVER\nReceived: from cl ient ([192.0.2.7])\n"
          "\tby smtp-sink (smtp-sink) with ESMTP id ID;\n\tThu, 01 Jan 1970 00:00:00 +0000\nSubject: x\n\n.abc\n\n");
    CHECK(expand("%Y%m%d%H/%M.%S%y%j%%", base::calendar({1'163'000'000, 0})) == "2006110815/33.2006312%");
    CHECK_FALSE(expand("%q", {}).has_value());
    CHECK_FALSE(expand("x%", {}).has_value());
    CHECK(unescape("a\\tb\\\\\\101\\q\\") == "a\tb\\Aq\\");
}

TEST_CASE("smtp-sink: AUTH for anybody, or for those who are known") {
    const auto plain = [](std::string_view words) { return "AUTH PLAIN " + base::base64_encode(words) + "\r\n"; };
    using namespace std::string_view_literals;
    Play any({});
    any.answer();
    CHECK(any.ask(plain("\0joe\0any"sv)) == "235 2.7.0 Authentication successful\n");
    CHECK(any.ask("AUTH LOGIN\r\n") == "334 VXNlcm5hbWU6\n");
    CHECK(any.ask("am9l\r\n") == "334 UGFzc3dvcmQ6\n");
    CHECK(any.ask("*\r\n") == "501 5.5.2 Cancelled\n");
    CHECK(any.ask("AUTH SCRAM-SHA-256\r\nAUTH NONE\r\nNOOP\r\n") ==
          "504 5.5.4 Error: no such mechanism\n504 5.5.4 Error: no such mechanism\n250 2.0.0 Ok\n");
    Play known({"--user", "joe:secret"});
    known.answer();
    CHECK(known.ask(plain("\0joe\0secret"sv)) == "235 2.7.0 Authentication successful\n");
    CHECK(known.ask(plain("\0joe\0other"sv)) == "535 5.7.8 Error: authentication failed\n");
    CHECK(known.ask(plain("\0jim\0secret"sv)) == "535 5.7.8 Error: authentication failed\n");
    CHECK(known.ask("EHLO c\r\n").find("AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\n") != std::string::npos);
    Play off({"-a"});
    off.answer();
    CHECK(off.ask("AUTH PLAIN\r\n") == "500 5.5.1 Error: unknown command\n");
}

TEST_CASE("smtp-sink: SCRAM is bound to TLS where there are accounts and TLS can be bound to") {
    const sasl::Bindings bindings{"exported", "certificate"};
    const std::string ask = "AUTH SCRAM-SHA-256-PLUS " + base::base64_encode("p=tls-exporter,,n=joe,r=nonce") + "\r\n";
    const auto answer = [&](const std::vector<std::string>& more, bool tls, const sasl::Bindings& with) {
        std::vector<std::string> words{"--cert", "x"};
        words.insert(words.end(), more.begin(), more.end());
        Play p(words);
        if (tls) p.session.secured(with, 0);
        p.answer();
        const std::string hello = p.ask("EHLO c\r\n");
        CHECK((hello.find("STARTTLS\n") == std::string::npos) == tls);
        const bool offered = hello.find(" SCRAM-SHA-256-PLUS\n") != std::string::npos;
        const std::string said = p.ask(ask);
        CHECK(offered == said.starts_with("334 "));
        CHECK(offered == (said != "504 5.5.4 Error: no such mechanism\n"));
        // Who says that it could have bound was told that we cannot: by somebody else, where we can.
        p.ask("*\r\n");
        const std::string doubt = p.ask("AUTH SCRAM-SHA-256 " + base::base64_encode("y,,n=joe,r=nonce") + "\r\n");
        if (!more.empty()) CHECK(offered == doubt.starts_with("535 "));
        return offered;
    };
    CHECK(answer({"--user", "joe:secret"}, true, bindings));
    CHECK_FALSE(answer({"--user", "joe:secret"}, true, {}));
    CHECK_FALSE(answer({"--user", "joe:secret"}, false, {}));
    CHECK_FALSE(answer({}, true, bindings));
}

TEST_CASE("smtp-sink: what AUTH says is not shown") {
    Play p({"-v", "-s", "AUTH"});
    p.ask("AUTH PLAIN AGpvZQBzZWNyZXQ=\r\nAUTH LOGIN\r\nam9l\r\nc2VjcmV0\r\n");
    CHECK(p.said.find("192.0.2.7: <- AUTH PLAIN ***\n192.0.2.7: AUTH PLAIN\n192.0.2.7: -> 235 ") != std::string::npos);
    CHECK(p.said.find("192.0.2.7: <- ***\n192.0.2.7: -> 334 UGFzc3dvcmQ6\n192.0.2.7: <- ***\n") != std::string::npos);
    CHECK(p.said.find("AGpvZQ") == std::string::npos);
    CHECK(p.said.find("c2VjcmV0") == std::string::npos);
}

TEST_CASE("smtp-sink: STARTTLS forgets what was said in clear text") {
    Play p({"--cert", "x"});
    p.answer();
    CHECK(p.ask("EHLO c\r\n").find("STARTTLS\n") != std::string::npos);
    CHECK(p.ask("STARTTLS\r\nNOOP\r\n") == "220 2.0.0 Ready\n");
    CHECK(p.session.wish() == Wish::handshake);
    p.session.secured({}, 0);
    CHECK(p.answer() == "");
    CHECK(p.ask("EHLO c\r\n").find("STARTTLS") == std::string::npos);
    CHECK(p.ask("STARTTLS\r\n") == "500 5.5.1 Error: unknown command\n");
    Play none({});
    none.answer();
    CHECK(none.ask("STARTTLS\r\n") == "500 5.5.1 Error: unknown command\n");
    Play direct({"--cert", "x", "--smtps"});
    CHECK(direct.session.wish() == Wish::handshake);
    direct.session.secured({}, 0);
    CHECK(direct.answer() == "220 smtp-sink ESMTP\n");
}

TEST_CASE("smtp-sink: operands and faults") {
    const auto where = [](const char* text) { return test::must(rules_of({text}, false)).where; };
    CHECK(where(":25").port == 25);
    CHECK_FALSE(where(":25").host.has_value());
    CHECK(where("inet:localhost:25").host == "localhost");
    CHECK(where("[::1]:25").host == "::1");
    CHECK(where("25").port == 25);
    CHECK(where("unix:a/b").path == "a/b");
    CHECK(test::must(rules_of({":25", "7"}, false)).where.backlog == 7U);
    std::string letters;
    for (const auto& option : option_table)
        if (option.letter != 0) letters += option.letter;
    CHECK(letters == "468aAbBcCdDeEfFhHLmMnNpPqQrRsStTuvwW");  // all of Postfix's
    const std::vector<std::vector<std::string>> bad = {
        {"-4", "-6"},    {"-f", "nothing"}, {"-W", "mail"},    {"-W", "mail:1:100"}, {"-W", "x:1"},      {"-b", "500 x"},
        {"-B", "450 x"}, {"-b", "45x"},     {"-m", "0"},       {"-M", "x"},          {"-t", "0"},        {"-d", "%q"},
        {"--smtps"},     {"--key", "x"},    {"--user", "joe"}, {"-h", ""},           {"--threads", "0"}, {"-A", "soon"},
    };
    for (const auto& words : bad) {
        INFO(words[0]);
        const auto made = rules_of(words);
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().kind == Kind::usage);
    }
    for (const char* text : {"", "host", ":x", ":70000", "unix:", "a:b:c"}) CHECK_FALSE(rules_of({text}, false).has_value());
    CHECK_FALSE(rules_of({}, false).has_value());
}
