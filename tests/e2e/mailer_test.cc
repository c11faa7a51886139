// The mailers there are: every way to end, to talk and not to listen, through the real smtpd (smtpd(8), The mailer).
#include <signal.h>

#include <sys/stat.h>

#include "base/ascii.hh"
#include "tests/e2e/receiver.hh"
#include "tests/support/fake_mailer.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

const std::string message = "Subject: x\r\n\r\n..\r\n\xff\r\nend\r\n";

// A receiver whose mailer does as it is told, and one session that hands it message after message.
struct Post {
    explicit Post(std::string_view does, std::string_view words = "", std::string_view more = "")
        : mailer(receiver.scratch, does), words_(words), more_(more) {}
    bool built() const { return receiver.built(); }
    void open() {
        receiver.configure(mailer.path() + std::string(words_), more_);
        session.emplace(receiver.start());
        Receiver::begin(*session);
    }
    std::string post() {
        if (!session) {
            open();
        } else {
            session->wire.ask("MAIL FROM:<a@b.example>");
        }
        session->wire.ask("RCPT TO:<c@greylag.test>");
        return Receiver::send(*session, message);
    }
    bool quit() { return session->wire.ask("QUIT").starts_with("221 ") && session->wait().has_value(); }

    Receiver receiver;
    FakeMailer mailer;
    std::optional<Session> session;
    std::string_view words_, more_;
};

}  // namespace

TEST_CASE("mailer zoo: every exit status") {
    Post p("exit 0");
    if (!p.built()) SKIP("smtpd is not built");
    const auto expected = [](int status) -> std::string {
        switch (status) {
            case 0: return "250 2.6.0 ";
            case 67: return "550 5.1.1 ";
            case 68: return "550 5.1.2 ";
            case 77: return "550 5.7.1 ";
            case 65:
            case 69:
            case 76: return "554 5.3.0 ";
            default: return "451 4.3.0 ";
        }
    };
    for (int status = 0; status < 256; ++status) {
        CAPTURE(status);
        p.mailer.now("exit " + std::to_string(status));
        const std::string reply = p.post();
        CHECK_MESSAGE(reply.starts_with(expected(status)), reply);
    }
    CHECK(p.quit());
    CHECK(p.receiver.log().find("status=\"exit 67\"") != std::string::npos);
}

TEST_CASE("mailer zoo: ended by each signal") {
    Post p("exit 0");
    if (!p.built()) SKIP("smtpd is not built");
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGFPE, SIGKILL, SIGSEGV, SIGPIPE, SIGALRM, SIGTERM,
                             SIGUSR1, SIGBUS, SIGSYS, SIGXCPU}) {
        CAPTURE(number);
        p.mailer.now("signal " + std::to_string(number) + "\nerr mail refused");
        CHECK(p.post().starts_with("451 4.3.0 "));
        // The line is written behind the reply.
        const std::string ended = "status=\"signal " + std::to_string(number) + "\"";
        CHECK(eventually([&] { return p.receiver.log().find(ended) != std::string::npos; }));
    }
    p.mailer.now("exit 0");
    CHECK(p.post().starts_with("250 2.6.0 "));
    CHECK(p.quit());
}

TEST_CASE("mailer zoo: what it is given, exactly") {
    Post p("exit 0", " -v -f %s ip=%i,%h u=%u -- %r");
    if (!p.built()) SKIP("smtpd is not built");
    CHECK(p.post().starts_with("250 2.6.0 "));
    CHECK(p.quit());
    REQUIRE(p.mailer.runs().size() == 1);
    const MailerRun run = p.mailer.runs().front();
    CHECK(run.arguments ==
          std::vector<std::string>{"-v", "-f", "a@b.example", "ip=,client.home.arpa", "u=", "--", "c@greylag.test"});
    std::vector<std::string> environment = run.environment;
    REQUIRE(environment.size() == 11);
    const std::string id = environment[9];
    CHECK(id.starts_with("ID="));
    CHECK(id.size() > 10);
    CHECK(environment == std::vector<std::string>{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", "LANG=C",
                                                  "SENDER=a@b.example", "RECIPIENTS=c@greylag.test",
                                                  "REMOTEIP=", "HELO=client.home.arpa", "AUTHUSER=", "PROTOCOL=ESMTP",
                                                  "SIZE=" + std::to_string(run.message.size()), id,
                                                  "GREYLAG_CONF=" + p.receiver.scratch.at("smtpd.conf")});
    CHECK(run.seekable);
    CHECK(run.offset == 0);
    CHECK(!run.writable);
    CHECK(run.own_group);
    CHECK(run.open == "0 1 2");
    CHECK(run.message.starts_with("Received: from client.home.arpa"));
    CHECK(run.message.ends_with("\nSubject: x\n\n.\n\xff\nend\n"));
}

TEST_CASE("mailer zoo: a message larger than memory comes on a file that only can be read") {
    Post p("exit 0", " -- %r");
    if (!p.built()) SKIP("smtpd is not built");
    p.open();
    p.session->wire.ask("RCPT TO:<c@greylag.test>");
    std::string large = "Subject: x\r\n\r\n";
    while (large.size() < 3 << 20) large += "a line of a large message, again and again\r\n";
    const std::string reply = Receiver::send(*p.session, large);
    CHECK_MESSAGE(reply.starts_with("250 2.6.0 "), reply);
    CHECK(p.quit());
    REQUIRE(p.mailer.runs().size() == 1);
    const MailerRun run = p.mailer.runs().front();
    CHECK(run.seekable);
    CHECK(run.offset == 0);
    CHECK(!run.writable);
    CHECK(run.open == "0 1 2");
    CHECK(run.message.size() > 2'900'000);
    CHECK(p.receiver.scratch.files("state").empty());
}

TEST_CASE("mailer zoo: one that does not read, one that reads nothing and talks without end, one that leaves a child behind") {
    Post p("exit 0");
    if (!p.built()) SKIP("smtpd is not built");
    for (const char* does : {"deaf\nexit 0", "chatter 10000000\nexit 0", "deaf\nchatter 10000000", "linger\nexit 0"}) {
        CAPTURE(std::string(does));
        p.mailer.now(does);
        const auto start = sys::stopwatch();
        CHECK(p.post().starts_with("250 2.6.0 "));
        CHECK(sys::since(start) < base::Millis{15'000});
    }
    p.mailer.now("deaf\nchatter 10000000\nexit 69");
    const std::string reply = p.post();
    CHECK(reply.starts_with("554 5.3.0 delivery failed: xxx"));
    CHECK(reply.size() <= 512);
    // Reads a part and leaves.
    p.receiver.scratch.write("half", "#!/bin/sh\nhead -c 20 >/dev/null\nexit 0\n", 0700);
    CHECK(p.quit());
    p.receiver.configure(p.receiver.scratch.at("half"));
    auto s = p.receiver.start();
    Receiver::begin(s);
    s.wire.ask("RCPT TO:<c@greylag.test>");
    CHECK(Receiver::send(s, message).starts_with("250 2.6.0 "));
}

TEST_CASE("mailer zoo: one that was stopped is one that never ends") {
    Post p("signal " + std::to_string(SIGSTOP), "", "[mailer]\ntimeout = 500ms\n");
    if (!p.built()) SKIP("smtpd is not built");
    CHECK(p.post().starts_with("451 4.3.0 "));
    CHECK(p.quit());
}

TEST_CASE("mailer zoo: one that never ends is ended, with all it started") {
    Post p("hang\nlinger", "", "[mailer]\ntimeout = 500ms\n");
    if (!p.built()) SKIP("smtpd is not built");
    CHECK(p.post().starts_with("451 4.3.0 "));
    CHECK(p.quit());
    CHECK(p.receiver.log().find("status=\"timed out\"") != std::string::npos);
    // A shell that ignores SIGTERM, and its child: the second process group's number is told by the shell.
    p.receiver.scratch.write("deaf", "#!/bin/sh\ntrap '' TERM\nsleep 1000 &\necho $! >\"${0%/*}/child\"\nwait\nsleep 1000\n",
                             0700);
    p.receiver.configure(p.receiver.scratch.at("deaf"), "[mailer]\ntimeout = 500ms\n");
    auto s = p.receiver.start();
    Receiver::begin(s);
    s.wire.ask("RCPT TO:<c@greylag.test>");
    CHECK(Receiver::send(s, message).starts_with("451 4.3.0 "));
    const std::string child(base::trim(p.receiver.scratch.read("child").value_or("")));
    REQUIRE(!child.empty());
    CHECK(eventually([&] {
        const auto status = read_whole("/proc/" + child + "/stat");  // gone, or a zombie that waits for its new parent
        return !status || status->find(") Z ") != std::string::npos;
    }));
}

TEST_CASE("mailer zoo: what cannot be started is told apart, and is never the sender's fault") {
    Post p("exit 0");
    if (!p.built()) SKIP("smtpd is not built");
    p.receiver.scratch.write("plain", "no program\n", 0600);
    p.receiver.scratch.write("shapeless",
                             "\x7f"
                             "ELF nonsense",
                             0700);
    p.receiver.scratch.write("orphan", "#!/no/such/interpreter\n", 0700);
    struct Case {
        std::string program, why;
    };
    for (const Case& c : {Case{p.receiver.scratch.at("missing"), "No such file or directory"},
                          Case{p.receiver.scratch.at("plain"), "Permission denied"},
                          Case{p.receiver.scratch.at("shapeless"), "Exec format error"},
                          Case{p.receiver.scratch.at("orphan"), "No such file or directory"},
                          Case{p.receiver.scratch.path(), "Permission denied"}}) {
        CAPTURE(c.program);
        p.receiver.configure(c.program);
        auto s = p.receiver.start();
        Receiver::begin(s);
        s.wire.ask("RCPT TO:<c@greylag.test>");
        CHECK(Receiver::send(s, message).starts_with("451 4.3.0 "));
        s.wire.ask("QUIT");
        s.wait();
        const auto failed = p.receiver.logged("deliver-failed");
        REQUIRE(!failed.empty());
        CHECK(failed.back().find("reason=cannot-start") != std::string::npos);
        CHECK_MESSAGE(failed.back().find(c.why) != std::string::npos, failed.back());
    }
}

TEST_CASE("mailer zoo: its words reach the client as one escaped line") {
    Post p("exit 0");
    if (!p.built()) SKIP("smtpd is not built");
    struct Case {
        std::string does, reply;
    };
    const Case cases[] = {
        {"err no such user here\nexit 67", "550 5.1.1 user unknown: no such user here\r\n"},
        {"err first\\r\\n250 2.0.0 second\nexit 69", "554 5.3.0 delivery failed: first\r\n"},
        {"err a\\x1b[31mb\\rc\\x00d\\xffe\nexit 69", "554 5.3.0 delivery failed: a\\x1b[31mb\\x0dc\\x00d\\xffe\r\n"},
        {"exit 69", "554 5.3.0 delivery failed\r\n"},
        {"err mail refused: it is spam\nexit 1", "554 5.7.1 mail refused: mail refused: it is spam\r\n"},
        {"err why\nexit 75", "451 4.3.0 delivery failed for now; try again later\r\n"},
        {"out 250 ok\\r\\n250 really\nexit 67", "550 5.1.1 user unknown\r\n"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.does);
        p.mailer.now(c.does);
        CHECK(p.post() == c.reply);
    }
    p.mailer.now("err " + std::string(2000, 'x') + "\nexit 69");
    const std::string reply = p.post();
    CHECK(reply.size() <= 512);
    CHECK(reply.find("\r\n") == reply.size() - 2);
    CHECK(p.quit());
    CHECK(p.receiver.log().find("stderr=\"a\\x1b[31mb\\x0dc\\x00d\\xffe\"") != std::string::npos);
}
