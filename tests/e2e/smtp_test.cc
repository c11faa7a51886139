// The real smtp against servers that say what their scripts say: arguments, conversion, outcome, exit status.
#include "tests/e2e/smtp_support.hh"

#include <sys/stat.h>

#include "sys/listener.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

const std::string message =
    "Message-ID: <1@x.y>\nFrom: a@b.c\nTo: d@e.f\nDate: Sun, 22 Nov 2026 00:44:04 +0100\nSubject: s\n\nhello\n.dot\n";
const std::string body =
    "Message-ID: <1@x.y>\r\nFrom: a@b.c\r\nTo: d@e.f\r\nDate: Sun, 22 Nov 2026 00:44:04 +0100\r\nSubject: "
    "s\r\n\r\nhello\r\n..dot\r\n.\r\n";
const std::string from = "s@me.example", to = "r@x.example";

Script until(std::initializer_list<Turn> turns) { return Script(turns); }
const Turn hi = Turn::say("220 x ESMTP\r\n"), ehlo = Turn::on("EHLO ", "250 x\r\n"), mail_ok = Turn::on("MAIL", "250 ok\r\n"),
           rcpt_ok = Turn::on("RCPT", "250 ok\r\n"), data_ok = Turn::on("DATA", "354 go\r\n"),
           quit = Turn::on("QUIT", "221 bye\r\n").and_close();

std::string last_line(std::string text) {
    if (text.ends_with('\n')) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

}  // namespace

TEST_CASE("smtp: one message, with and without PIPELINING") {
    const Sender s;
    NEEDS_SMTP(s);
    for (const auto& script : {FakeSmtp::accepting(), FakeSmtp::accepting({"PIPELINING", "SIZE 100000", "8BITMIME"})}) {
        const FakeSmtp server({script});
        const Sent sent = s.run({"-h", "me.example", at_port(server.port()), from, to}, message);
        CHECK(sent.status == 0);
        CHECK(sent.err == "");
        CHECK(sent.report == "d r@x.example 250 2.0.0 kept\n");
        const Heard heard = server.wait_for(0);
        CHECK(heard.fault == "");
        REQUIRE(heard.bodies.size() == 1);
        CHECK(heard.bodies[0] == body);
        CHECK(heard.bytes.starts_with("EHLO me.example\r\nMAIL FROM:<s@me.example>"));
    }
}

TEST_CASE("smtp: a chunk for who takes it, and DATA for who only says so") {
    const Sender s;
    NEEDS_SMTP(s);
    const std::string wire = "Subject: s\r\n\r\n.\r\n";
    const std::string sent_text =
        "Message-ID: <1@x.y>\r\nFrom: a@b.c\r\nTo: d@e.f\r\nDate: Sun, 22 Nov 2026 00:44:04 +0100\r\n" + wire;
    std::string input = sent_text;
    std::erase(input, '\r');
    const Turn offers = Turn::on("EHLO ", "250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    {
        const FakeSmtp server(
            {until({hi, offers, mail_ok, rcpt_ok, Turn::on("BDAT " + std::to_string(sent_text.size()) + " LAST", ""),
                    Turn::take(sent_text.size(), "250 ok\r\n"), quit})});
        CHECK(s.run({at_port(server.port()), from, to}, input).status == 0);
        const Heard heard = server.wait_for(0);
        CHECK(heard.fault == "");
        CHECK(heard.bytes.find(sent_text + "QUIT\r\n") != std::string::npos);
    }
    {
        const std::string wide = sent_text + std::string(5000, 'x') + "\r\n";  // no fold, although nothing says 8BITMIME
        const FakeSmtp server({until({hi, Turn::on("EHLO ", "250-x\r\n250 CHUNKING\r\n"), mail_ok, rcpt_ok,
                                      Turn::on("BDAT " + std::to_string(wide.size()) + " LAST", ""),
                                      Turn::take(wide.size(), "250 ok\r\n"), quit})});
        CHECK(s.run({at_port(server.port()), from, to}, wide).status == 0);
        const Heard heard = server.wait_for(0);
        CHECK(heard.fault == "");
        CHECK(heard.bytes.find(wide + "QUIT\r\n") != std::string::npos);
    }
    const FakeSmtp server({until({hi, offers, mail_ok, rcpt_ok, Turn::on("BDAT", "500 what\r\n").and_close()}),
                           until({hi, offers, mail_ok, rcpt_ok, data_ok, Turn::body("250 ok\r\n"), quit})});
    CHECK(s.run({at_port(server.port()), from, to}, input).status == 0);
    CHECK(server.wait_for(1).fault == "");
}

TEST_CASE("smtp: hostile servers, and the exit status each means") {
    const Sender s;
    NEEDS_SMTP(s);
    std::string banner;
    for (int i = 0; i < 5000; ++i) banner += "220-line\r\n";
    const auto say = [](const char* verb, const char* reply) { return Turn::on(verb, reply); };
    struct Case {
        const char* what;
        Script script;
        int status;
    };
    const Case cases[] = {
        {"greeting 554", until({Turn::say("554 no\r\n"), quit}), 69},
        {"greeting 421", until({Turn::say("421 x\r\n").and_close()}), 75},
        {"nothing", until({Turn::say("").and_close()}), 75},
        {"5000 lines", until({Turn::say(banner + "220 x\r\n")}), 75},
        {"HELO",
         until(
             {hi, say("EHLO", "500 x\r\n"), say("HELO", "250 x\r\n"), mail_ok, rcpt_ok, data_ok, Turn::body("250 ok\r\n"), quit}),
         0},
        {"250- and no end", until({hi, Turn::on("EHLO", "250-x\r\n").and_close()}), 75},
        {"the code changes", until({hi, say("EHLO", "250-x\r\n251 y\r\n")}), 75},
        {"garbage", until({hi, say("EHLO", "abc\r\n")}), 75},
        {"byte by byte",
         until({Turn::say("220 x\r\n").slowly(), Turn::on("EHLO", "250 x\r\n").slowly(), mail_ok, rcpt_ok, data_ok,
                Turn::body("250 ok\r\n").slowly(), quit}),
         0},
        {"early replies", until({Turn::say("220 x\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n")}), 75},
        {"RST after MAIL", until({hi, ehlo, Turn::on("MAIL", "").and_reset()}), 75},
        {"close after RCPT", until({hi, ehlo, mail_ok, Turn::on("RCPT", "").and_close()}), 75},
        {"354 to RCPT", until({hi, ehlo, mail_ok, say("RCPT", "354 x\r\n")}), 75},
        {"250 to DATA", until({hi, ehlo, mail_ok, rcpt_ok, say("DATA", "250 x\r\n")}), 75},
        {"552 to RCPT", until({hi, ehlo, mail_ok, say("RCPT", "552 x\r\n"), quit}), 75},
        {"550 5.1.1", until({hi, ehlo, mail_ok, say("RCPT", "550 5.1.1 x\r\n"), quit}), 67},
        {"550 5.1.2", until({hi, ehlo, mail_ok, say("RCPT", "550 5.1.2 x\r\n"), quit}), 68},
        {"550", until({hi, ehlo, mail_ok, say("RCPT", "550 x\r\n"), quit}), 69},
        {"SIZE", until({hi, say("EHLO", "250-x\r\n250 SIZE 10\r\n"), quit}), 76},
        {"552 to the message", until({hi, ehlo, mail_ok, rcpt_ok, data_ok, Turn::body("552 x\r\n"), quit}), 65},
        {"554 5.6.0", until({hi, ehlo, mail_ok, rcpt_ok, data_ok, Turn::body("554 5.6.0 x\r\n"), quit}), 65},
        {"554 to the message", until({hi, ehlo, mail_ok, rcpt_ok, data_ok, Turn::body("554 x\r\n"), quit}), 69},
        {"451 to the message", until({hi, ehlo, mail_ok, rcpt_ok, data_ok, Turn::body("451 x\r\n"), quit}), 75},
        {"close behind the dot", until({hi, ehlo, mail_ok, rcpt_ok, data_ok, Turn::body("").and_close()}), 75},
        {"RST behind the dot", until({hi, ehlo, mail_ok, rcpt_ok, data_ok, Turn::body("").and_reset()}), 75},
        {"no answer to QUIT",
         until({hi, ehlo, mail_ok, rcpt_ok, data_ok, Turn::body("250 ok\r\n"), Turn::on("QUIT", "").and_close()}), 0},
        {"NUL and ESC", until({hi, ehlo, mail_ok, say("RCPT", "550 a\x1b[2Jb\x07\r\n"), quit}), 69},
    };
    for (const Case& c : cases) {
        INFO(c.what);
        const FakeSmtp server({c.script});
        const Sent sent = s.run({at_port(server.port()), from, to}, message);
        CHECK(sent.status == c.status);
        CHECK(sent.report.starts_with(c.status == 0 ? "d r@x.example" : c.status == 75 ? "l r@x.example" : "n r@x.example"));
        if (c.status == 0) {
            CHECK(sent.err == "");
        } else {
            CHECK(last_line(sent.err) == (c.status == 75 ? "Retry, Temporary Failure" : "Permanent Failure"));
            CHECK(sent.err.starts_with("r@x.example: "));
            CHECK(sent.err.find('\x1b') == std::string::npos);
        }
        CHECK(server.heard().size() == 1);
    }
}

TEST_CASE("smtp: silence at each stage ends a ping in time, and leaves the mail for later") {
    const Sender s;
    NEEDS_SMTP(s);
    // Ten seconds a step are too long to wait for at each one; the whole dialogue is cut by the time of whoever reads -R.
    const Sender hasty("[mailer]\ntimeout = 3s\n");
    const Turn stalls[] = {Turn::say("").and_stall(),        Turn::on("EHLO", "250-x\r\n").and_stall(),
                           Turn::on("MAIL", "").and_stall(), Turn::on("RCPT", "").and_stall(),
                           Turn::on("DATA", "").and_stall(), Turn::body("").and_stall()};
    const Turn steps[] = {hi, ehlo, mail_ok, rcpt_ok, data_ok};
    for (std::size_t stage = 0; stage < std::size(stalls); ++stage) {
        INFO(stage);
        Script script(steps, steps + stage);
        script.push_back(stalls[stage]);
        const FakeSmtp server({script});
        const Sent sent = hasty.run({at_port(server.port()), from, to}, message);
        CHECK(sent.status == 75);
        CHECK(sent.report.starts_with("l r@x.example 451 4.4.2 the server was silent for too long at "));
    }
}

TEST_CASE("smtp: each recipient by itself") {
    const Sender s;
    NEEDS_SMTP(s);
    struct Case {
        const char *first, *second;
        int status;
        bool sent;
    };
    const Case cases[] = {
        {"250 ok\r\n", "550 5.1.1 no\r\n", 67, true},        {"250 ok\r\n", "450 later\r\n", 75, true},
        {"550 5.1.1 no\r\n", "550 5.1.1 no\r\n", 67, false}, {"550 5.1.1 no\r\n", "450 later\r\n", 75, false},
        {"550 5.1.1 no\r\n", "550 5.7.1 no\r\n", 69, false},
    };
    for (const Case& c : cases) {
        INFO(c.first, c.second);
        Script script =
            until({hi, ehlo, mail_ok, Turn::on("RCPT TO:<a@x.example>", c.first), Turn::on("RCPT TO:<b@x.example>", c.second)});
        if (c.sent) script.insert(script.end(), {data_ok, Turn::body("250 ok\r\n")});
        script.push_back(quit);
        const FakeSmtp server({script});
        const Sent sent = s.run({at_port(server.port()), from, "a@x.example", "x.example!b"}, message);
        CHECK(sent.status == c.status);
        const Heard heard = server.wait_for(0);
        CHECK(heard.fault == "");
        CHECK(heard.bodies.size() == (c.sent ? 1 : 0));
        CHECK(sent.report.starts_with(c.sent ? "d a@x.example 250" : "n a@x.example 550 5.1.1 no\n"));
        CHECK(sent.err.find("b@x.example: ") != std::string::npos);
    }
}

TEST_CASE("smtp: what the words of the command line mean") {
    const Sender s;
    NEEDS_SMTP(s);
    struct Case {
        const char* what;
        std::vector<std::string> words;  // DEST stands for the destination
        std::string hears;
    };
    const Case cases[] = {
        {"-h and the bang form",
         {"-h", "me.example", "DEST", "far.example!joe", "x.example!you"},
         "EHLO me.example\r\nMAIL FROM:<joe@far.example>\r\nRCPT TO:<you@x.example>\r\n"},
        {"the null sender", {"-h", "me.example", "DEST", "<>", to}, "MAIL FROM:<>\r\n"},
        {"/dev/null", {"-h", "me.example", "DEST", "/dev/null", to}, "MAIL FROM:<>\r\n"},
        {".domain",
         {"-h", "me", ".example.net", "DEST", "joe", "you@box"},
         "EHLO me.example.net\r\nMAIL FROM:<joe@me.example.net>\r\nRCPT TO:<you@box.example.net>\r\n"},
        {"a recipient without a domain",
         {"-h", "me.example", "DEST", "joe", "you"},
         "MAIL FROM:<joe@me.example>\r\nRCPT TO:<you@[127.0.0.1]>\r\n"},
        {"a name without a dot greets with the address", {"-h", "me", "DEST", "joe@b.c", to}, "EHLO [127.0.0.1]\r\n"},
        {"-- behind the sender", {"-h", "me.example", "DEST", from, "--", to}, "RCPT TO:<r@x.example>\r\n"},
        {"a route is not sent", {"-h", "me.example", "DEST", from, "a.example!x.example!you"}, "RCPT TO:<you@x.example>\r\n"},
        {"-A", {"-A", "-h", "me.example", "DEST", from, to}, "NOOP\r\nEHLO me.example\r\n"},
    };
    for (const Case& c : cases) {
        INFO(c.what);
        Script script = FakeSmtp::accepting();
        if (std::string_view(c.what) == "-A") {
            script.erase(script.begin());
            script.insert(script.begin(), Turn::on("NOOP", "220 x\r\n250 ok\r\n"));
        }
        const FakeSmtp server({script});
        auto words = c.words;
        for (auto& word : words)
            if (word == "DEST") word = "tcp!127.0.0.1!" + std::to_string(server.port());
        CHECK(s.run(words, message).status == 0);
        const Heard heard = server.wait_for(0);
        CHECK(heard.fault == "");
        CHECK(heard.bytes.find(c.hears) != std::string::npos);
    }
}

TEST_CASE("smtp: a wrong command line") {
    const Sender s;
    NEEDS_SMTP(s);
    const std::vector<std::vector<std::string>> wrong{
        {},
        {"x.example"},
        {"x.example", from},
        {"-Z", "x.example", from, to},
        {"-b"},
        {"", from, to},
        {"x.example:0", from, to},
        {"x.example", "a@@b", to},
        {"-R", "x", "x.example", from, to},
        {"-h", "a b", "x.example", from, to},
        {".", "x.example", from, to},
        {"x.example", "joe@[]", to},
    };
    for (const auto& words : wrong) {
        const Sent sent = s.run_bare(words, message);
        CHECK(sent.status == 64);
        CHECK(sent.err.starts_with("smtp: "));
        CHECK(sent.err.find("\nusage: smtp ") != std::string::npos);
    }
    CHECK(s.run_bare({"-C", s.dir.at("none"), "x.example", from, to}, message).status == 78);
    s.dir.write("bad", "[dns]\ntimeout = soon\n");
    const Sent bad = s.run_bare({"-C", s.dir.at("bad"), "x.example", from, to}, message);
    CHECK(bad.status == 78);
    CHECK(bad.err.find("bad:2: ") != std::string::npos);
    CHECK(bad.err.ends_with("\nPermanent Failure\n"));
    // A recipient that is none does not keep the others waiting.
    const FakeSmtp server({FakeSmtp::accepting()});
    const Sent mixed = s.run({at_port(server.port()), from, "a@@b", to}, message);
    CHECK(mixed.status == 69);
    CHECK(mixed.report.starts_with("n a@@b 553 5.1.3 "));
    CHECK(mixed.report.find("\nd r@x.example 250") != std::string::npos);
}

TEST_CASE("smtp and send: no standard input is no message and not an empty one") {
    const Sender s;
    NEEDS_SMTP(s);
    const std::string shell = find_program("sh"), send = program_path("send");
    if (shell.empty() || send.empty()) SKIP("sh or send is not there");
    const FakeSmtp server({FakeSmtp::accepting()});
    for (const std::string& line :
         {s.smtp + " -C /dev/null " + at_port(server.port()) + " " + from + " " + to, send + " -C /dev/null you"}) {
        CAPTURE(line);
        sys::Command command;
        command.path = shell;
        command.arguments = {"-c", "exec " + line + " <&-"};
        const auto said = must(sys::run(command, soon()));
        CHECK(said.ending.status == 75);
        CHECK(said.err.find(": Bad file descriptor\n") != std::string::npos);
    }
}

TEST_CASE("smtp: -f, byte for byte") {
    const Sender s;
    NEEDS_SMTP(s);
    CHECK(s.run_bare({"-C", "/dev/null", "-f", "x.example", from}, message).report == body.substr(0, body.size() - 3));
    CHECK(s.run_bare({"-C", "/dev/null", "-f", "x.example", from}, body.substr(0, body.size() - 3)).report.find("\r\r") ==
          std::string::npos);
    const Sent sent = s.run_bare({"-C", "/dev/null", "-fh", "me", ".example.net", "x.example", "<>", "you@there"},
                                 "From x Sat Nov 21 23:44:04 2026\n.hello");
    CHECK(sent.status == 0);
    const std::string id = sent.report.substr(0, sent.report.find("\r\n") + 2);
    CHECK(id.size() == std::string("Message-ID: <@me.example.net>\r\n").size() + 32);
    CHECK(sent.report == id + "From: Postmaster@me.example.net\r\nTo: you@there.example.net\r\nDate: Sat, 21 Nov 2026 23:44:04 "
                              "+0000\r\n\r\n..hello\r\n");
}

TEST_CASE("smtp: -p sends nothing, -d shows everything") {
    const Sender s;
    NEEDS_SMTP(s);
    const FakeSmtp server({until({hi, ehlo, mail_ok, rcpt_ok, Turn::on("RCPT", "550 5.1.1 no\r\n"), quit})});
    const Sent sent = s.run({"-pd", "-h", "me.example", at_port(server.port()), from, to, "b@x.example"}, "");
    CHECK(sent.status == 67);
    CHECK(server.wait_for(0).fault == "");
    CHECK(sent.err.starts_with("S: 220 x ESMTP\nC: EHLO me.example\nS: 250 x\nC: MAIL FROM:<s@me.example>\n"));
}

TEST_CASE("smtp: UTF-8 addresses where they are taken") {
    const Sender s;
    NEEDS_SMTP(s);
    const std::string who = "j\xc3\xb6@x.example";
    {
        const FakeSmtp server({FakeSmtp::accepting({"SMTPUTF8", "8BITMIME"})});
        CHECK(s.run({at_port(server.port()), from, who}, message).status == 0);
        CHECK(server.wait_for(0).bytes.find("MAIL FROM:<s@me.example> SMTPUTF8\r\nRCPT TO:<" + who + ">") != std::string::npos);
    }
    const FakeSmtp server({until({hi, ehlo, quit})});
    const Sent sent = s.run({at_port(server.port()), from, who}, message);
    CHECK(sent.status == 76);
    CHECK(sent.report.starts_with("n " + who + " 553 5.6.7 "));
    CHECK(sent.err.starts_with("j\\xc3\\xb6@x.example: 553 5.6.7 "));
    CHECK(server.wait_for(0).fault == "");
}

TEST_CASE("smtp: long lines are folded for old servers alone") {
    const Sender s;
    NEEDS_SMTP(s);
    const std::string line(5000, 'x');
    for (const bool old : {true, false}) {
        const FakeSmtp server({old ? FakeSmtp::accepting() : FakeSmtp::accepting({"8BITMIME"})});
        CHECK(s.run({at_port(server.port()), from, to}, message + line + "\n").status == 0);
        const Heard heard = server.wait_for(0);
        REQUIRE(heard.bodies.size() == 1);
        CHECK((heard.bodies[0].find(line) == std::string::npos) == old);
        std::size_t longest = 0, at = 0;
        for (std::size_t end = 0; (end = heard.bodies[0].find("\r\n", at)) != std::string::npos; at = end + 2)
            longest = std::max(longest, end - at);
        CHECK((longest <= 998) == old);
    }
}

TEST_CASE("smtp: LMTP and a socket of the file system") {
    const Sender s;
    NEEDS_SMTP(s);
    const FakeSmtp server({until({hi, Turn::on("LHLO", "250 x\r\n"), mail_ok, rcpt_ok, Turn::on("RCPT", "550 5.1.1 no\r\n"),
                                  rcpt_ok, data_ok, Turn::body("250 ok\r\n452 4.2.2 full\r\n"), quit})});
    const Sent sent = s.run({"lmtp!127.0.0.1!" + std::to_string(server.port()), from, "a", "b", "c"}, message);
    CHECK(sent.status == 75);
    CHECK(sent.report == "d a@[127.0.0.1] 250 ok\nn b@[127.0.0.1] 550 5.1.1 no\nl c@[127.0.0.1] 452 4.2.2 full\n");
    CHECK(server.wait_for(0).fault == "");
    const Sent none = s.run({"unix!" + s.dir.at("nobody"), from, "a"}, message);
    CHECK(none.status == 75);
    CHECK(none.report.find("nobody: No such file or directory") != std::string::npos);
}

TEST_CASE("smtp: large messages leave through a spool of this user's, stuffed only where it must be") {
    const Sender s;
    NEEDS_SMTP(s);
    const std::string header = message.substr(0, message.find("hello"));
    for (const int lines : {4'000, 40'000})  // in memory, and in a file
        for (const std::string dot : {"", "."})
            for (const bool chunks : {false, true}) {
                INFO(lines, " lines, dots: ", !dot.empty(), ", CHUNKING: ", chunks);
                std::string text = header;
                for (int i = 0; i < lines; ++i)
                    text += dot + "a line of some octets, again and again, number " + std::to_string(i) + "\n";
                std::string expected;
                for (const char c : text) expected.append(c == '\n' ? "\r" : "").push_back(c);
                const bool by_chunk = chunks && !dot.empty();
                const Turn bdat = Turn::on("BDAT " + std::to_string(expected.size()) + " LAST", "");
                const Turn offers =
                    Turn::on("EHLO ", chunks ? "250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n" : "250-x\r\n250 PIPELINING\r\n");
                const FakeSmtp server(
                    {by_chunk ? until({hi, offers, mail_ok, rcpt_ok, bdat, Turn::take(expected.size(), "250 ok\r\n"), quit})
                              : until({hi, offers, mail_ok, rcpt_ok, data_ok, Turn::body("250 ok\r\n"), quit})});
                CHECK(s.run({at_port(server.port()), from, to}, text).status == 0);
                const Heard heard = server.wait_for(0);
                CHECK(heard.fault == "");
                if (!by_chunk && !dot.empty())
                    for (std::size_t at = 0; (at = expected.find("\n.", at)) != std::string::npos; at += 3)
                        expected.insert(at + 1, ".");
                CHECK((heard.bytes.find((by_chunk ? " LAST\r\n" : "DATA\r\n") + expected + (by_chunk ? "" : ".\r\n") +
                                        "QUIT\r\n") != std::string::npos));
            }
    CHECK(s.dir.list("spool").empty());
}

TEST_CASE("smtp: a server that stops reading or leaves in the middle of a large message is later") {
    const Sender s;
    NEEDS_SMTP(s);
    std::string text = message;
    for (int i = 0; i < 40'000; ++i) text += "a line of some octets, again and again, number " + std::to_string(i) + "\n";
    const Turn offers = Turn::on("EHLO ", "250-x\r\n250 PIPELINING\r\n");
    const FakeSmtp leaves({until({hi, offers, mail_ok, rcpt_ok, data_ok, Turn::take(1000, "").and_reset()})});
    const Sent sent = s.run({at_port(leaves.port()), from, to}, text);
    CHECK(sent.status == 75);
    CHECK(sent.report.starts_with("l r@x.example 451 "));
    const FakeSmtp refuses({until({hi, offers, mail_ok, rcpt_ok, data_ok, Turn::take(1000, "554 5.7.1 no\r\n").and_close()})});
    CHECK(s.run({at_port(refuses.port()), from, to}, text).status != 0);
}

TEST_CASE("smtp: [tls] require keeps mail from clear text") {
    const Sender s("[tls]\nrequire = on\n");
    NEEDS_SMTP(s);
    const FakeSmtp server({until({hi, ehlo, quit})});
    const Sent sent = s.run({at_port(server.port()), from, to}, message);
    CHECK(sent.status == 69);
    CHECK(server.wait_for(0).bytes.find("MAIL") == std::string::npos);
}
