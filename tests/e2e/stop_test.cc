// What a session holds, and for how long: descriptors given back between messages, a full table of them survived, an end that
// nobody can put off.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sys/io.hh"
#include "tests/e2e/receiver.hh"
#include "tests/support/fake_mailer.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// What the process has open, by the names that /proc has for it.
std::vector<std::string> open_files(int pid) {
    std::vector<std::string> names;
    const std::string folder = "/proc/" + std::to_string(pid) + "/fd/";
    for (int fd = 0; fd < 64; ++fd) {
        char name[512];
        const ssize_t size = ::readlink((folder + std::to_string(fd)).c_str(), name, sizeof name);
        if (size > 0) names.emplace_back(name, static_cast<std::size_t>(size));
    }
    return names;
}

bool holds_message(int pid) {
    for (const auto& name : open_files(pid))
        if (name.find("memfd:") != std::string::npos || name.find("/spool/") != std::string::npos) return true;
    return false;
}

struct Limit {
    Limit(int process, rlim_t count) : pid(process) {
        CHECK(::prlimit(pid, RLIMIT_NOFILE, nullptr, &before) == 0);
        rlimit now = before;
        now.rlim_cur = count;
        CHECK(::prlimit(pid, RLIMIT_NOFILE, &now, nullptr) == 0);
    }
    ~Limit() { ::prlimit(pid, RLIMIT_NOFILE, &before, nullptr); }
    int pid;
    rlimit before{};
};

void transaction(Session& s) {
    CHECK(s.wire.ask("MAIL FROM:<a@b.example>").starts_with("250 "));
    CHECK(s.wire.ask("RCPT TO:<c@greylag.test>").starts_with("250 "));
}

void greeted(Session& s) {
    CHECK(s.wire.reply().starts_with("220 "));
    CHECK(s.wire.ask("EHLO client.home.arpa").starts_with("250"));
}

}  // namespace

TEST_CASE("stop: a kept session holds no message, whatever became of the last") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    const FakeMailer mailer(r.scratch, "exit 0");
    r.configure(mailer.path());
    auto s = r.start();
    greeted(s);
    const auto idle = open_files(s.pid()).size();
    // In memory, and in a file.
    for (const std::size_t size : {std::size_t{200} << 10, std::size_t{3} << 20}) {
        std::string line(998, 'x');
        line += "\r\n";
        std::string body = "Subject: large\r\n\r\n";
        while (body.size() < size) body += line;

        transaction(s);
        CHECK(s.wire.ask("DATA").starts_with("354 "));
        must(s.wire.send(body));
        CHECK(eventually([&] { return holds_message(s.pid()); }));
        must(s.wire.send(".\r\n"));
        CHECK(s.wire.reply().starts_with("250 2.6.0 "));
        CHECK(s.wire.ask("NOOP").starts_with("250 "));
        CHECK(open_files(s.pid()).size() == idle);

        // Given up between two chunks.
        transaction(s);
        must(s.wire.send("BDAT " + std::to_string(body.size()) + "\r\n" + body));
        CHECK(s.wire.reply().starts_with("250 "));
        CHECK(holds_message(s.pid()));
        CHECK(s.wire.ask("RSET").starts_with("250 "));
        CHECK(s.wire.ask("NOOP").starts_with("250 "));
        CHECK(open_files(s.pid()).size() == idle);

        // Refused at its end.
        transaction(s);
        CHECK(s.wire.ask("DATA").starts_with("354 "));
        must(s.wire.send(body + "a bare\nnewline\r\n.\r\n"));
        CHECK(s.wire.reply().starts_with("550 5.6.11 "));
        CHECK(s.wire.ask("NOOP").starts_with("250 "));
        CHECK(open_files(s.pid()).size() == idle);
    }
}

TEST_CASE("stop: no descriptor for the message: later, and the session goes on") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    const FakeMailer mailer(r.scratch, "exit 0");
    r.configure(mailer.path());
    auto s = r.start();
    greeted(s);
    CHECK(s.wire.ask("NOOP").starts_with("250 "));
    const std::string large(200 << 10, '.');
    for (const std::string& body : {std::string("Subject: x\r\n\r\nbody\r\n"), "Subject: x\r\n\r\n" + large + "\r\n"}) {
        const std::size_t runs = mailer.runs().size();
        {
            transaction(s);
            CHECK(s.wire.ask("DATA").starts_with("354 "));
            const Limit limit(s.pid(), 3);
            must(s.wire.send(body + ".\r\n"));
            const std::string answer = s.wire.reply();
            CHECK_MESSAGE(answer.starts_with("451 4.3.0 "), answer);
        }
        CHECK(mailer.runs().size() == runs);
        transaction(s);
        CHECK(Receiver::send(s, body).starts_with("250 2.6.0 "));
        CHECK(mailer.runs().size() == runs + 1);
    }
    CHECK(r.log().find("reason=spool") != std::string::npos);
    CHECK(r.log().find("Too many open files") != std::string::npos);
}

TEST_CASE("stop: a client that does not read is not waited for") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true", "[limits]\nstop_time = 300ms\n");
    std::string commands;
    for (int i = 0; i < 10'000; ++i) commands += "EHLO client.home.arpa\r\n";
    for (const Wire kind : {Wire::socketpair, Wire::tcp, Wire::pipes}) {
        auto s = r.start({}, kind);
        CHECK(s.wire.reply().starts_with("220 "));
        while (s.wire.send(commands, sys::Deadline::in(base::Millis{400}))) continue;
        s.signal(SIGTERM);
        CHECK(must(s.wait()).ok());
    }
    CHECK(r.logged("disconnect").size() == 3);
    for (const auto& line : r.logged("disconnect")) CHECK(line.find("reason=shutdown") != std::string::npos);
}

TEST_CASE("stop: a message that does not come to its end is nobody's") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    const FakeMailer mailer(r.scratch, "exit 0");
    r.configure(mailer.path(), "[limits]\nstop_time = 300ms\n");
    auto s = r.start();
    greeted(s);
    transaction(s);
    CHECK(s.wire.ask("DATA").starts_with("354 "));
    must(s.wire.send("Subject: half\r\n"));
    s.signal(SIGTERM);
    CHECK(s.wire.reply().starts_with("421 4.3.2 "));
    CHECK(must(s.wait()).ok());
    CHECK(mailer.runs().empty());
}
