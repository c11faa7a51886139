// The accept loop of the real smtpd: limits, signals, sessions that die, sockets that others opened (smtpd(8), -l).
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ascii.hh"
#include "cmd/smtpd/accept.hh"
#include "cmd/smtpd/options.hh"
#include "tests/e2e/receiver.hh"
#include "tests/support/fake_mailer.hh"
#include "tests/support/namespace.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// smtpd -l on a port of the kernel's choice, which the log names.
class Loop {
public:
    explicit Loop(const Receiver& receiver, std::string address = "127.0.0.1:0") : receiver_(receiver) {
        sys::Command command;
        command.path = receiver.smtpd;
        command.arguments = {"-l", std::move(address)};
        command.environment = {"GREYLAG_CONF=" + receiver.scratch.at("smtpd.conf")};
        child_.emplace(must(sys::Child::spawn(command)));
        const auto at = [&] {
            const std::string log = receiver_.log();
            const std::size_t on = log.rfind("reason=listening on=");
            if (on == std::string::npos) return false;
            const std::string line = log.substr(on, log.find('\n', on) - on);
            port = base::parse_number<std::uint16_t>(line.substr(line.rfind(':') + 1)).value_or(0);
            return port != 0;
        };
        if (!eventually(at)) throw std::runtime_error("smtpd -l does not listen: " + receiver_.log());
    }
    Stream connect() const { return must(connect_to("127.0.0.1", port)); }
    void signal(int number) const { ::kill(child_->pid(), number); }
    int pid() const { return child_->pid(); }
    Result<sys::Ending> wait() { return child_->wait(soon()); }
    bool logs(std::string_view text) const {
        return eventually([&] { return receiver_.log().find(text) != std::string::npos; });
    }
    // The session's process, from the pid of its log lines.
    int session_of(std::string_view text) const {
        const std::string log = receiver_.log();
        const std::size_t at = log.find(text), open = log.rfind("smtpd[", at);
        return at == std::string::npos ? -1 : std::atoi(log.c_str() + open + 6);
    }
    std::uint16_t port = 0;

private:
    const Receiver& receiver_;
    std::optional<sys::Child> child_;
};

constexpr std::string_view few = "[limits]\nper_source = 2\nsessions = 3\n";

void to_body(Stream& s) {
    CHECK(s.reply().starts_with("220 "));
    s.ask("EHLO client.home.arpa");
    s.ask("MAIL FROM:<a@b.example>");
    s.ask("RCPT TO:<c@greylag.test>");
    CHECK(s.ask("DATA").starts_with("354 "));
}

}  // namespace

TEST_CASE("loop: so many sessions of one source and no more, until one ends") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true", few);
    Loop loop(r);
    Stream one = loop.connect(), two = loop.connect();
    CHECK(one.reply().starts_with("220 "));
    CHECK(two.reply().starts_with("220 "));
    Stream three = loop.connect();
    CHECK(three.reply().starts_with("421 4.7.0 "));
    CHECK(three.reply() == "<the stream ended>");
    CHECK(loop.logs("drop ip=127.0.0.1 reason=sessions"));
    one.ask("QUIT");
    CHECK(eventually([&] { return loop.connect().reply().starts_with("220 "); }));
}

TEST_CASE("loop: trusted sources are only counted in all") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true", std::string(few) + "[smtpd]\nournets = 127.0.0.1\n");
    Loop loop(r);
    std::vector<Stream> streams;
    for (int i = 0; i < 3; ++i) {
        streams.push_back(loop.connect());
        CHECK(streams.back().reply().starts_with("220 "));
    }
    CHECK(loop.connect().reply().starts_with("421 4.7.0 "));
}

TEST_CASE("loop: IPv6 is counted by /64, IPv4 by address") {
    if (const std::string why = namespace_forbidden(); !why.empty()) SKIP(why);
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true", "[limits]\nper_source = 2\n");
    const Network network{
        {"2001:db8:1:1::1", "2001:db8:1:1::2", "2001:db8:1:1:ffff::3", "2001:db8:1:2::1", "192.0.2.1", "192.0.2.2"}, {}, {}};
    CHECK(in_namespace(network, [&]() -> std::string {
              Loop loop(r, ":2525");
              // From each address to itself: the source is that address.
              std::string said;
              std::vector<Stream> streams;
              for (const char* from : {"2001:db8:1:1::1", "2001:db8:1:1::2", "2001:db8:1:1:ffff::3", "2001:db8:1:2::1",
                                       "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"}) {
                  streams.push_back(must(connect_to(from, 2525)));
                  said += streams.back().reply().substr(0, 3) + " ";
              }
              loop.signal(SIGKILL);
              return said == "220 220 421 220 220 220 421 220 " ? "" : said;
          }) == "");
}

TEST_CASE("loop: a session that dies hurts nobody and gives its place back") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true", few);
    Loop loop(r);
    Stream one = loop.connect();
    CHECK(one.reply().starts_with("220 "));
    CHECK(loop.logs("connect id="));
    const int pid = loop.session_of("connect id=");
    REQUIRE(pid > 1);
    REQUIRE(pid != loop.pid());
    Stream two = loop.connect();
    CHECK(two.reply().starts_with("220 "));
    CHECK(::kill(pid, SIGKILL) == 0);
    CHECK(loop.logs("reason=session-died signal=9"));
    CHECK(two.ask("NOOP").starts_with("250 "));
    CHECK(loop.connect().reply().starts_with("220 "));
}

TEST_CASE("loop: SIGTERM tells idle sessions, lets a message finish, and leaves behind the last") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    const FakeMailer mailer(r.scratch, "exit 0");
    r.configure(mailer.path());
    Loop loop(r);
    Stream idle = loop.connect(), open = loop.connect(), body = loop.connect();
    CHECK(idle.reply().starts_with("220 "));
    CHECK(open.reply().starts_with("220 "));
    open.ask("EHLO client.home.arpa");
    open.ask("MAIL FROM:<a@b.example>");
    to_body(body);
    must(body.send("Subject: half\r\n"));
    loop.signal(SIGTERM);
    CHECK(idle.reply().starts_with("421 4.3.2 "));
    CHECK(idle.reply() == "<the stream ended>");
    CHECK(open.reply().starts_with("421 4.3.2 "));
    CHECK(eventually([&] { return !connect_to("127.0.0.1", loop.port).has_value(); }));
    must(body.send("\r\nthe other half\r\n.\r\n"));
    CHECK(body.reply().starts_with("250 2.6.0 "));
    CHECK(body.reply().starts_with("421 4.3.2 "));
    const auto ending = loop.wait();
    REQUIRE(ending.has_value());
    CHECK(ending->ok());
    REQUIRE(mailer.runs().size() == 1);
    CHECK(mailer.runs().front().message.ends_with("Subject: half\n\nthe other half\n"));
    CHECK(r.logged("disconnect").size() == 3);
    CHECK(r.logged("drop").empty());
}

TEST_CASE("loop: SIGTERM while the mailer runs: its answer first") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    // Ends when the test says so.
    r.scratch.write(
        "slow", "#!/bin/sh\ncat >/dev/null\n: >\"${0%/*}/started\"\nwhile [ ! -e \"${0%/*}/go\" ]; do sleep 0.05; done\n", 0700);
    r.configure(r.scratch.at("slow"));
    auto s = r.start();
    to_body(s.wire);
    must(s.wire.send("x\r\n.\r\n"));
    REQUIRE(eventually([&] { return r.scratch.exists("started"); }));
    ::kill(s.pid(), SIGTERM);
    r.scratch.write("go", "");
    CHECK(s.wire.reply().starts_with("250 2.6.0 "));
    CHECK(s.wire.reply().starts_with("421 4.3.2 "));
    CHECK(must(s.wait()).ok());
}

TEST_CASE("loop: SIGTERM at any moment of a session: an answer, or none and no message") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    const FakeMailer mailer(r.scratch, "exit 0");
    r.configure(mailer.path());
    const std::vector<std::string> lines = {"EHLO client.home.arpa\r\n",       "MAIL FROM:<a@b.example>\r\n",
                                            "RCPT TO:<c@greylag.test>\r\n",    "DATA\r\n",
                                            "Subject: x\r\n\r\nbody\r\n.\r\n", "QUIT\r\n"};
    for (std::size_t stop = 0; stop <= lines.size(); ++stop) {
        CAPTURE(stop);
        const std::size_t before = mailer.runs().size();
        auto s = r.start();
        bool told = false, kept = false;
        std::string reply;
        if (stop == 0) ::kill(s.pid(), SIGTERM);
        reply = s.wire.reply();
        told = reply.starts_with("421 4.3.2 ") || reply.starts_with("<");
        for (std::size_t i = 0; i < lines.size() && !told; ++i) {
            static_cast<void>(s.wire.send(lines[i]));  // it may have left already: then its last word is here
            if (stop == i + 1) ::kill(s.pid(), SIGTERM);
            reply = s.wire.reply();
            if (i == 4 && reply.starts_with("250 2.6.0 ")) kept = true;
            told = reply.starts_with("421 4.3.2 ") || reply.starts_with("<");
            if (reply.starts_with("221 ")) break;
        }
        const auto ending = must(s.wait());
        // Before its first and behind its last word nothing is lost by the signal's own way.
        CHECK((ending.ok() || ((told || stop == 6) && ending.status == SIGTERM)));
        if (stop >= 1 && stop <= 5) CHECK(told);
        CHECK(mailer.runs().size() - before == (kept ? 1 : 0));
    }
}

TEST_CASE("loop: SIGHUP reads the configuration again; a faulty one is logged and the old one stays") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true");
    Loop loop(r);
    CHECK(loop.connect().reply().starts_with("220 greylag.test "));
    const std::string good = r.scratch.read("smtpd.conf").value_or("");
    r.scratch.write("smtpd.conf", "[smtpd]\ndomain = new.test\nnonsense = 1\n");
    loop.signal(SIGHUP);
    CHECK(loop.logs("reason=config said="));
    CHECK(loop.logs("smtpd.conf:3"));
    CHECK(loop.connect().reply().starts_with("220 greylag.test "));
    std::string changed = good;
    changed.replace(changed.find("greylag.test"), 12, "new.test");
    r.scratch.write("smtpd.conf", changed);
    loop.signal(SIGHUP);
    CHECK(loop.logs("reason=reloaded"));
    CHECK(loop.connect().reply().starts_with("220 new.test "));
}

TEST_CASE("loop: no descriptor left: clients wait, the log is told once, and then it goes on") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true");
    Loop loop(r);
    rlimit none{};
    REQUIRE(::prlimit(loop.pid(), RLIMIT_NOFILE, nullptr, &none) == 0);
    const rlim_t before = none.rlim_cur;
    none.rlim_cur = 3;
    REQUIRE(::prlimit(loop.pid(), RLIMIT_NOFILE, &none, nullptr) == 0);
    Stream waits = loop.connect();
    CHECK(loop.logs("reason=accept said="));
    none.rlim_cur = before;
    REQUIRE(::prlimit(loop.pid(), RLIMIT_NOFILE, &none, nullptr) == 0);
    CHECK(waits.reply().starts_with("220 "));
    const std::string log = r.log();
    CHECK(log.find("reason=accept") == log.rfind("reason=accept"));
}

TEST_CASE("loop: several sockets of LISTEN_FDS form one loop, a connected one is the session") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true");
    sys::Command command;
    command.path = "/bin/sh";
    command.arguments = {"-c", "LISTEN_PID=$$ exec \"$0\"", r.smtpd};
    command.environment = {"GREYLAG_CONF=" + r.scratch.at("smtpd.conf"), "LISTEN_FDS=2"};
    {
        const Listening one = must(listen_at("127.0.0.1")), two = must(listen_at("127.0.0.1"));
        command.extra = {{one.fd.get(), 3}, {two.fd.get(), 4}};
        auto child = must(sys::Child::spawn(command));
        for (const auto port : {one.port, two.port, one.port})
            CHECK(must(connect_to("127.0.0.1", port)).reply().starts_with("220 "));
        ::kill(child.pid(), SIGTERM);
        CHECK(must(child.wait(soon())).ok());
    }
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    sys::Fd theirs(ends[1]);
    Stream ours{sys::Fd(ends[0])};
    command.environment.back() = "LISTEN_FDS=1";
    command.extra = {{theirs.get(), 3}};
    auto child = must(sys::Child::spawn(command));
    theirs.reset();
    CHECK(ours.reply().starts_with("220 "));
    CHECK(ours.ask("QUIT").starts_with("221 "));
    CHECK(must(child.wait(soon())).ok());
}

TEST_CASE("loop: under inetd wait it leaves when nobody is there, and not before") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true");
    Listening door = must(listen_at("127.0.0.1"));
    const pid_t pid = ::fork();
    if (pid == 0) {
        std::string option = "-C", conf = r.scratch.at("smtpd.conf");
        char* words[] = {option.data(), conf.data()};
        const auto given = base::parse_command_line(words, smtpd::option_table);
        auto setup = smtpd::make_setup(*given);
        smtpd::Loop loop;
        loop.listeners.push_back(std::move(door.fd));
        loop.leave_when_idle = true;
        loop.idle = base::Millis{300};
        _exit(smtpd::accept_loop(std::move(*setup), std::move(loop), *given, nullptr));
    }
    door.fd.reset();
    Stream s = must(connect_to("127.0.0.1", door.port));
    CHECK(s.reply().starts_with("220 "));
    // Longer than its patience: a session that is on keeps it.
    CHECK(!must(s.wait_readable(sys::Deadline::in(base::Millis{700}))));
    int status = 0;
    CHECK(::waitpid(pid, &status, WNOHANG) == 0);
    CHECK(s.ask("QUIT").starts_with("221 "));
    CHECK(eventually([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }));
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("loop: a queue for a thousand") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true");
    Loop loop(r);
    loop.signal(SIGSTOP);
    std::vector<Stream> streams;
    // What the kernel takes while nobody accepts; net.core.somaxconn is 4096 by default.
    for (int i = 0; i < 500; ++i) {
        auto s = connect_to("127.0.0.1", loop.port, sys::Deadline::in(base::Millis{500}));
        if (!s) break;
        streams.push_back(std::move(*s));
    }
    CHECK(streams.size() == 500);
    loop.signal(SIGKILL);
}

TEST_CASE("loop: while no descriptor is left it sleeps") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true");
    Loop loop(r);
    const auto ticks = [&] {
        const std::string stat = read_whole("/proc/" + std::to_string(loop.pid()) + "/stat").value_or("");
        const auto words = base::split(stat, ' ');
        return words.size() < 15 ? -1 : std::atoi(std::string(words[13]).c_str()) + std::atoi(std::string(words[14]).c_str());
    };
    rlimit few_fds{};
    REQUIRE(::prlimit(loop.pid(), RLIMIT_NOFILE, nullptr, &few_fds) == 0);
    few_fds.rlim_cur = 3;
    REQUIRE(::prlimit(loop.pid(), RLIMIT_NOFILE, &few_fds, nullptr) == 0);
    Stream waits = loop.connect();
    CHECK(loop.logs("reason=accept said="));
    const int before = ticks();
    CHECK_FALSE(must(waits.wait_readable(sys::Deadline::in(base::Millis{500}))));
    // A loop that tries again at once burns most of the 50 ticks of this half second.
    CHECK(before >= 0);
    CHECK(ticks() - before < 10);
    // SIGTERM is heard all the same; a sanitizer ends badly, having no descriptor for its report.
    loop.signal(SIGTERM);
    CHECK((must(loop.wait()).ok() || sanitized()));
}

TEST_CASE("loop: replies do not wait for one another (TCP_NODELAY)") {
    const Receiver r;
    if (!r.built()) SKIP("smtpd is not built");
    r.configure("/bin/true");
    const Listening door = must(listen_at("127.0.0.1"));
    Stream client = must(connect_to("127.0.0.1", door.port));
    // The session's descriptor is a copy of ours, and its options are the socket's.
    const sys::Fd ours(::accept4(door.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const auto no_delay = [&] {
        int on = 0;
        socklen_t size = sizeof on;
        return ::getsockopt(ours.get(), IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0 && on != 0;
    };
    CHECK_FALSE(no_delay());
    sys::Command command;
    command.path = r.smtpd;
    command.environment = {"GREYLAG_CONF=" + r.scratch.at("smtpd.conf")};
    command.in = command.out = ours.get();
    auto child = must(sys::Child::spawn(command));
    CHECK(client.reply().starts_with("220 "));
    CHECK(no_delay());
    CHECK(client.ask("QUIT").starts_with("221 "));
    CHECK(must(child.wait(soon())).ok());
}
