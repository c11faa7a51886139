// What a dialogue file cannot show: octets before the greeting, descriptors of every kind, a connection that breaks, and how
// many writes an answer takes.
#include <sys/socket.h>

#include "sys/io.hh"
#include "tests/e2e/session_site.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Pair {
    sys::Fd ours, theirs;
};
Pair make_pair(int type) {
    int fds[2] = {-1, -1};
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) throw std::runtime_error("socketpair");
    return {sys::Fd(fds[0]), sys::Fd(fds[1])};
}

// One read of a connection that keeps what was written apart.
std::string one_write(int fd) {
    char room[65536];
    const auto got = sys::read_some(fd, room, soon());
    return got ? std::string(room, *got) : "<" + got.error().text + ">";
}

}  // namespace

// row 1
TEST_CASE("wire: octets before the greeting end it on a socket") {
    const SessionSite site;
    if (!site.built()) SKIP("smtpd is not built");
    Pair pair = make_pair(SOCK_STREAM);
    Stream wire(std::move(pair.ours));
    must(wire.send("EHLO client.home.arpa\r\nMAIL FROM:<a@b.example>\r\n"));
    auto child = site.start_on(pair.theirs.get(), pair.theirs.get());
    pair.theirs.reset();
    const auto said = must(wire.read_to_end());
    CHECK(said.starts_with("554 5.5.0 "));
    CHECK(codes(said) == "554");
    CHECK(must(child.wait(soon())).ok());
    CHECK(site.logged("reason=early-talk"));
    CHECK(site.log().find(" connect ") < site.log().find(" drop "));
    CHECK(site.mailer.runs().empty());
}

// row 1
TEST_CASE("wire: a dialogue piped in by hand is commands") {
    const SessionSite site;
    if (!site.built()) SKIP("smtpd is not built");
    auto in = must(sys::make_pipe());
    auto out = must(sys::make_pipe());
    Stream wire(std::move(out.read), std::move(in.write));
    must(wire.send(up_to_data + "DATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"));
    auto child = site.start_on(in.read.get(), out.write.get());
    out.write.reset();
    CHECK(codes(must(wire.read_to_end())) == "220 250 250 250 354 250 221");
    CHECK(must(child.wait(soon())).ok());
    CHECK(site.mailer.runs().size() == 1);
}

TEST_CASE("wire: a group of commands is answered in one write") {
    const SessionSite site;
    if (!site.built()) SKIP("smtpd is not built");
    Pair pair = make_pair(SOCK_SEQPACKET);
    auto child = site.start_on(pair.theirs.get(), pair.theirs.get());
    pair.theirs.reset();
    const int fd = pair.ours.get();
    const auto send = [&](std::string_view octets) { must(sys::write_all(fd, octets, soon())); };
    CHECK(codes(one_write(fd)) == "220");
    send("EHLO client.home.arpa\r\n");
    CHECK(codes(one_write(fd)) == "250");
    std::string group = "MAIL FROM:<a@b.example>\r\n";
    for (int i = 0; i < 20; ++i) group += "RCPT TO:<joe@example.org>\r\n";
    send(group + "RCPT TO:<nobody@example.org>\r\nDATA\r\n");
    std::string wanted = "250";
    for (int i = 0; i < 20; ++i) wanted += " 250";
    CHECK(codes(one_write(fd)) == wanted + " 550 354");
    send(
        "Subject: x\r\n\r\nbody\r\n.\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<joe@example.org>\r\nBDAT 2\r\nx\nBDAT 0 "
        "LAST\r\nQUIT\r\n");
    CHECK(codes(one_write(fd)) == "250 250 250 250 250 221");
    CHECK(one_write(fd) == "");
    CHECK(must(child.wait(soon())).ok());
    CHECK(site.mailer.runs().size() == 2);
}

// row 10
TEST_CASE("wire: 100 KB without a line end are one error") {
    const SessionSite site;
    if (!site.built()) SKIP("smtpd is not built");
    for (const Wire kind : {Wire::socketpair, Wire::tcp, Wire::pipes}) {
        Session session = site.connect(kind);
        CHECK(session.wire.reply().starts_with("220 "));
        must(session.wire.send(std::string(100'000, 'x')));
        CHECK(session.wire.ask("").starts_with("500 5.5.2 "));
        CHECK(session.wire.ask("NOOP").starts_with("250 "));
        CHECK(session.wire.ask("QUIT").starts_with("221 "));
        CHECK(must(session.wait()).ok());
    }
}

// row 90
TEST_CASE("wire: descriptors of every kind end cleanly") {
    const SessionSite site;
    const std::string shell = find_program("sh");
    if (!site.built() || shell.empty()) SKIP("smtpd or sh is not there");
    const std::string command = " -C " + site.scratch.at("smtpd.conf");
    struct Case {
        std::string redirections, input, said;
    };
    const Case cases[] = {
        {"<&-", "", ""},                    // no standard input: nobody is there
        {">&-", "EHLO x\r\nQUIT\r\n", ""},  // nor anybody who could hear us
        {"<&- >&-", "", ""},
        {"<&- >&- 2>&-", "", ""},
        {"2>&-", "QUIT\r\n", "220 221"},
        {"</dev/null", "", "220"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.redirections);
        auto in = must(sys::make_pipe());
        auto out = must(sys::make_pipe());
        Stream wire(std::move(out.read), std::move(in.write));
        sys::Command run;
        run.path = shell;
        run.arguments = {"-c", "exec " + site.program + command + " " + c.redirections};
        run.environment = SessionSite::environment();
        run.in = in.read.get();
        run.out = out.write.get();
        auto child = must(sys::Child::spawn(run));
        out.write.reset();
        in.read.reset();
        (void)wire.send(c.input);
        wire.half_close();
        const auto said = must(wire.read_to_end());
        if (!c.said.empty()) CHECK(codes(said) == c.said);
        const auto ending = must(child.wait(soon()));
        CHECK(ending.how == sys::Ending::How::exited);
    }
    CHECK(site.mailer.runs().empty());
}

// row 90
TEST_CASE("wire: a client that half-closes behind QUIT still hears all") {
    const SessionSite site;
    if (!site.built()) SKIP("smtpd is not built");
    for (const Wire kind : {Wire::socketpair, Wire::tcp, Wire::pipes}) {
        Session session = site.connect(kind);
        CHECK(session.wire.reply().starts_with("220 "));
        must(session.wire.send(up_to_data + "BDAT 3 LAST\r\nx\r\nQUIT\r\n"));
        session.wire.half_close();
        CHECK(codes(must(session.wire.read_to_end())) == "250 250 250 250 221");
        CHECK(must(session.wait()).ok());
    }
    CHECK(site.mailer.runs().size() == 3);
}

// row 91
TEST_CASE("wire: a connection reset before the 250 was read is one delivery, and logged") {
    const SessionSite site;
    if (!site.built()) SKIP("smtpd is not built");
    Session session = site.connect(Wire::tcp);
    CHECK(session.wire.reply().starts_with("220 "));
    must(session.wire.send(up_to_data + "DATA\r\n"));
    for (int i = 0; i < 4; ++i) must(session.wire.read_reply());
    must(session.wire.send("Subject: once\r\n\r\n.\r\n"));
    CHECK(site.mailer.wait_for(1));
    session.wire.reset();
    CHECK(must(session.wait()).ok());
    CHECK(site.mailer.runs().size() == 1);
    CHECK(site.log().find(" deliver ") != std::string::npos);
    CHECK(site.log().find(" disconnect ") != std::string::npos);
}
