// Whatever a client sends, or does not: memory stays flat, time is bounded, and nothing half reaches the mailer.
#include "tests/e2e/session_site.hh"
#include "tests/support/test.hh"

#include <cstdio>

#include "base/ascii.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// The most memory the process ever had, in KiB.
unsigned long peak_of(int pid) {
    const auto status = read_whole("/proc/" + std::to_string(pid) + "/status").value_or("");
    const auto at = status.find("VmHWM:");
    if (at == std::string::npos) return 0;
    const auto words = base::words(std::string_view(status).substr(at + 6, 40));
    return words.empty() ? 0 : base::parse_number<unsigned long>(words[0]).value_or(0);
}

// Static and without TLS the program begins at about 1.2 MiB; a body adds its room of 256 KiB, a megabyte of spool lies in a
// memfd. Twice that is a bound nothing that grows with its input stays under.
constexpr unsigned long most = 6 << 10;

void check_peak(const Session& session, std::string_view what, unsigned long bound = most) {
    const auto peak = peak_of(session.pid());
    std::printf("memory: %.*s: peak %lu KiB\n", static_cast<int>(what.size()), what.data(), peak);
    CHECK(peak > 0);
    if (!sanitized()) CHECK(peak < bound);
}

void send_many(Stream& wire, std::string_view piece, std::size_t octets) {
    std::string block;
    while (block.size() < (1 << 20)) block += piece;
    for (std::size_t sent = 0; sent < octets; sent += block.size()) must(wire.send(block));
}

void greet(Session& session) { CHECK(session.wire.reply().starts_with("220 ")); }

// Up to the body: 354 was said.
void enter_body(Session& session) {
    must(session.wire.send(up_to_data + "DATA\r\n"));
    for (int i = 0; i < 3; ++i) CHECK(session.wire.reply().starts_with("250"));
    CHECK(session.wire.reply().starts_with("354"));
}

void quit(Session& session) {
    CHECK(session.wire.ask("QUIT").starts_with("221 "));
    CHECK(must(session.wait()).ok());
}

constexpr std::size_t gigabyte = 1 << 30;

}  // namespace

// row 10
TEST_CASE("limits: a command line of a gigabyte") {
    const SessionSite site;
    if (!site.built()) SKIP("smtpd is not built");
    Session session = site.connect();
    greet(session);
    send_many(session.wire, "x", sanitized() ? gigabyte / 16 : gigabyte);
    CHECK(session.wire.ask("").starts_with("500 5.5.2 "));
    check_peak(session, "a command line of 1 GB", 3 << 10);
    quit(session);
}

// row 61, 67
TEST_CASE("limits: a text line of a gigabyte") {
    const SessionSite site;
    if (!site.built()) SKIP("smtpd is not built");
    Session session = site.connect();
    greet(session);
    enter_body(session);
    send_many(session.wire, "x", sanitized() ? gigabyte / 16 : gigabyte);
    must(session.wire.send("\r\n.\r\n"));
    CHECK(session.wire.reply(sys::Deadline::in(base::Seconds(60))).starts_with(sanitized() ? "552 " : "552 5.3.4 "));
    check_peak(session, "a text line of 1 GB");
    CHECK(session.wire.ask("MAIL FROM:<a@b.example>").starts_with("250 "));
    quit(session);
    CHECK(site.mailer.runs().empty());
}

// row 64
TEST_CASE("limits: a million header fields, and a header field of 100 MB") {
    const SessionSite site("[limits]\nsize = 1G\nline = 64M\n");
    if (!site.built()) SKIP("smtpd is not built");
    for (const auto& [piece, octets, what] : {std::tuple{"X-A: b\r\n", 8'000'000, "a million header fields"},
                                              std::tuple{"\txxxxxxx\r\n", 100 << 20, "a folded field of 100 MB"},
                                              std::tuple{"xxxxxxxxxx", 100 << 20, "a field of 100 MB in one line"}}) {
        Session session = site.connect();
        greet(session);
        enter_body(session);
        must(session.wire.send("Subject: "));
        send_many(session.wire, piece, static_cast<std::size_t>(octets));
        must(session.wire.send("\r\n\r\nbody\r\n.\r\n"));
        CHECK(session.wire.reply(sys::Deadline::in(base::Seconds(60))).starts_with("554 5.6.0 "));
        check_peak(session, what);
        CHECK(session.wire.ask("MAIL FROM:<a@b.example>").starts_with("250 "));
        quit(session);
    }
    CHECK(site.mailer.runs().empty());
}

// row 51
TEST_CASE("limits: ten thousand recipients") {
    const SessionSite site;
    if (!site.built()) SKIP("smtpd is not built");
    Session session = site.connect();
    greet(session);
    must(session.wire.send("EHLO client.home.arpa\r\nMAIL FROM:<a@b.example>\r\n"));
    for (int i = 0; i < 2; ++i) CHECK(session.wire.reply().starts_with("250"));
    unsigned taken = 0, later = 0;
    for (int group = 0; group < 100; ++group) {
        std::string commands;
        for (int i = 0; i < 100; ++i) commands += "RCPT TO:<joe@example.org>\r\n";
        must(session.wire.send(commands));
        for (int i = 0; i < 100; ++i) {
            const auto reply = session.wire.reply();
            taken += reply.starts_with("250 2.1.5 ");
            later += reply.starts_with("452 4.5.3 ");
        }
    }
    CHECK(taken == 1000);
    CHECK(later == 9000);
    check_peak(session, "10 000 recipients");
    CHECK(session.wire.ask("DATA").starts_with("354"));
    must(session.wire.send(".\r\n"));
    CHECK(session.wire.reply().starts_with("250 2.6.0 "));
    quit(session);
    REQUIRE(site.mailer.runs().size() == 1);
    CHECK(site.log().find("errors=0") != std::string::npos);
}

TEST_CASE("limits: a client that never reads ends by its deadline") {
    const SessionSite site("[limits]\nsession_time = 1s\n");
    if (!site.built()) SKIP("smtpd is not built");
    for (const Wire kind : {Wire::socketpair, Wire::tcp}) {
        Session session = site.connect(kind);
        greet(session);
        std::string commands;
        for (int i = 0; i < 10'000; ++i) commands += "NOOP\r\n";
        // Until nothing more goes through in either direction, or the server has gone.
        const auto deadline = sys::Deadline::in(base::Seconds(10));
        while (session.wire.send(commands, deadline)) continue;
        const auto ending = must(session.wait());
        CHECK(ending.ok());
        CHECK(!deadline.passed());
    }
    CHECK(site.logged("reason=session-time"));
    CHECK(site.log().find("reason=eof") == std::string::npos);
    CHECK(site.mailer.runs().empty());
}

// row 69
TEST_CASE("limits: silence ends with 421 and no mailer, wherever it begins") {
    const SessionSite site("[limits]\nsession_time = 1s\n");
    if (!site.built()) SKIP("smtpd is not built");
    struct Case {
        std::string said, replies;
    };
    const Case cases[] = {
        {"", "220 421"},
        {"EHLO client.home.arpa\r\nMAIL FR", "220 250 421"},
        {up_to_data + "DATA\r\nSubject: half\r\n", "220 250 250 250 354 421"},
        {up_to_data + "DATA\r\nSubject: half\r\n.\r", "220 250 250 250 354 421"},
        {up_to_data + "BDAT 1000 LAST\r\nSubject: half\r\n", "220 250 250 250 421"},
        {up_to_data + "BDAT 5\r\nabcde", "220 250 250 250 250 421"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.said);
        Session session = site.connect();
        greet(session);
        must(session.wire.send(c.said));
        const auto said = must(session.wire.read_to_end());
        CHECK("220 " + codes(said) == c.replies);
        CHECK(said.find("421 4.4.2 ") != std::string::npos);
        CHECK(must(session.wait()).ok());
    }
    CHECK(site.mailer.runs().empty());
}
