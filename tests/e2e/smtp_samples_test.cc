// The samples of conf/ for whoever sends from a pipe, each tried as it is shipped but for its paths and hosts.
#include "tests/e2e/site.hh"
#include "tests/e2e/smtp_support.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

sys::Said shell(const std::string& command, const std::vector<std::string>& arguments, std::string_view input,
                const Scratch& dir) {
    dir.write("input", input);
    const sys::Fd in = must(sys::open_read(dir.at("input")));
    sys::Command run;
    run.path = "/bin/sh";
    run.arguments = {"-c", command, "sh"};
    run.arguments.insert(run.arguments.end(), arguments.begin(), arguments.end());
    run.environment = {"PATH=/usr/bin:/bin", "TZ=UTC", "GREYLAG_CONF=/dev/null"};
    run.in = in.get();
    return must(sys::run(run, soon(), 1 << 16, 1 << 16));
}

std::string adapted(const std::string& text, const Sender& s, const FakeSmtp& server) {
    return replaced(replaced(text, "/usr/local/bin/smtp", s.smtp), "mail.example.org", at_port(server.port()));
}

}  // namespace

TEST_CASE("smtp samples: mutt's line, called as mutt calls it") {
    const Sender s;
    NEEDS_SMTP(s);
    const FakeSmtp server({FakeSmtp::accepting()});
    const std::string line = adapted(line_of(shipped("muttrc"), "set sendmail "), s, server);
    const std::size_t quote = line.find('"');
    const std::string command = line.substr(quote + 1, line.rfind('"') - quote - 1);
    const auto said = shell(command + " \"$@\"", {"--", "you@there.example"},
                            "Date: Sun, 22 Nov 2026 00:44:04 +0100\nFrom: me@example.org\nBcc: you@there.example\nSubject: "
                            "s\nMessage-ID: <1@x>\n\nhello\n",
                            s.dir);
    CHECK(said.err == "");
    CHECK(said.ending.ok());
    const Heard heard = server.wait_for(0);
    CHECK(heard.bytes.find("MAIL FROM:<me@example.org>\r\nRCPT TO:<you@there.example>\r\n") != std::string::npos);
    CHECK(heard.bytes.find("Bcc") == std::string::npos);
}

TEST_CASE("smtp samples: a mutt that is installed, and its line") {
    const Sender s;
    NEEDS_SMTP(s);
    const std::string mutt = find_program("mutt");
    if (mutt.empty()) SKIP("mutt is not installed");
    const FakeSmtp server({FakeSmtp::accepting()});
    s.dir.write("muttrc", adapted(shipped("muttrc"), s, server) + "set from = me@example.org\nset copy = no\nset record =\n");
    const auto said = shell("HOME=" + s.dir.path() + " " + mutt + " -F " + s.dir.at("muttrc") + " -s subject you@there.example",
                            {}, "hello\n", s.dir);
    CHECK(said.ending.ok());
    CHECK(server.wait_for(0).bytes.find("RCPT TO:<you@there.example>\r\n") != std::string::npos);
}

TEST_CASE("smtp samples: cron's line") {
    const Sender s;
    NEEDS_SMTP(s);
    const FakeSmtp server({FakeSmtp::accepting()});
    s.dir.write("nightly-job", "#!/bin/sh\necho done\necho trouble >&2\n", 0700);
    std::string line = adapted(line_of(shipped("crontab"), "15 3"), s, server);
    line = replaced(line.substr(std::string("15 3 * * * ").size()), "/usr/local/bin/nightly-job", s.dir.at("nightly-job"));
    const auto said = shell(line, {}, "", s.dir);
    CHECK(said.err == "");
    CHECK(said.ending.ok());
    const Heard heard = server.wait_for(0);
    REQUIRE(heard.bodies.size() == 1);
    CHECK(heard.bodies[0].ends_with("Subject: the nightly job\r\n\r\ndone\r\ntrouble\r\n.\r\n"));
    CHECK(heard.bodies[0].find("From: cron@example.org\r\nTo: root@example.org\r\n") != std::string::npos);
}

TEST_CASE("smtp samples: a sendmail for programs that call one") {
    const Sender s;
    NEEDS_SMTP(s);
    struct Case {
        std::vector<std::string> words;
        std::string envelope;
    };
    const Case cases[] = {
        {{"-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"}, "@example.org>\r\nRCPT TO:<root@example.org>\r\n"},
        {{"-i", "-f", "me@a.example", "--", "you@b.example", "root"}, "MAIL FROM:<me@a.example>\r\nRCPT TO:<you@b.example>\r\n"},
        {{"-oi", "-fme@a.example", "you@b.example"}, "MAIL FROM:<me@a.example>\r\nRCPT TO:<you@b.example>\r\n"},
        {{"-f", "", "you@b.example"}, "MAIL FROM:<>\r\nRCPT TO:<you@b.example>\r\n"},
    };
    for (const Case& c : cases) {
        INFO(c.envelope);
        Script script = FakeSmtp::accepting();
        if (c.words.back() == "root" && c.words.size() == 6) script.insert(script.begin() + 3, Turn::on("RCPT", "250 x\r\n"));
        const FakeSmtp server({script});
        s.dir.write("sendmail", adapted(shipped("sendmail.run"), s, server), 0700);
        const auto said = shell(s.dir.at("sendmail") + " \"$@\"", c.words, "Subject: s\n\nhello\n", s.dir);
        CHECK(said.err == "");
        CHECK(said.ending.ok());
        CHECK(server.wait_for(0).bytes.find(c.envelope) != std::string::npos);
    }
    s.dir.write("sendmail", shipped("sendmail.run"), 0700);
    CHECK(shell(s.dir.at("sendmail") + " -t", {}, "", s.dir).ending.status == 64);
    CHECK(shell(s.dir.at("sendmail"), {}, "", s.dir).ending.status == 64);
}
