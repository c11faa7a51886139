#include "sys/child.hh"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/ascii.hh"
#include "sys/io.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;
using namespace std::chrono_literals;
using How = sys::Ending::How;

namespace {

sys::Command shell(std::string script) {
    sys::Command command;
    command.path = "/bin/sh";
    command.arguments = {"-c", std::move(script)};
    command.environment = {"PATH=/usr/bin:/bin"};
    return command;
}

bool lives(int pid) {
    // A zombie waiting for init is dead for us.
    const auto stat = read_whole("/proc/" + std::to_string(pid) + "/stat");
    return stat && stat->find(") Z") == std::string::npos;
}

int number(const std::string& text) { return static_cast<int>(base::parse_number<unsigned>(base::trim(text)).value_or(0)); }

}  // namespace

TEST_CASE("sys/child: every way to end") {
    for (const int status : {0, 1, 64, 67, 75, 127, 255}) {
        const auto said = must(sys::run(shell("exit " + std::to_string(status)), soon()));
        CHECK(said.ending.how == How::exited);
        CHECK(said.ending.status == status);
        CHECK(said.ending.ok() == (status == 0));
    }
    for (const int signal : {SIGKILL, SIGSEGV, SIGPIPE}) {
        const auto said = must(sys::run(shell("kill -" + std::to_string(signal) + " $$"), soon()));
        CHECK(said.ending.how == How::signalled);
        CHECK(said.ending.status == signal);
    }
}

TEST_CASE("sys/child: a program that cannot be started is an error, not an exit status") {
    const Scratch scratch;
    scratch.write("plain", "not a program\n", 0644);
    scratch.write("garbage",
                  "\x7f"
                  "ELF",
                  0755);
    struct Case {
        std::string path;
        bool search;
        int code;
    };
    for (const Case& c : {Case{"/no/such/program", false, ENOENT}, Case{scratch.at("plain"), false, EACCES},
                          Case{scratch.at("garbage"), false, ENOEXEC}, Case{scratch.path(), false, EACCES},
                          Case{"no-such-program-anywhere", true, ENOENT}, Case{scratch.at("plain/x"), false, ENOTDIR}}) {
        CAPTURE(c.path);
        sys::Command command;
        command.path = c.path;
        command.search = c.search;
        const std::size_t before = open_descriptors();
        const auto child = sys::Child::spawn(command);
        REQUIRE(!child);
        CHECK(child.error().code == c.code);
        CHECK(child.error().text.starts_with(c.path + ": "));
        CHECK(open_descriptors() == before);
    }
    sys::Command nowhere = shell("true");
    nowhere.directory = scratch.at("none");
    CHECK(!sys::run(nowhere, soon()));
}

TEST_CASE("sys/child: arguments, environment and directory are exactly what was given") {
    const Scratch scratch;
    sys::Command command = shell("printf '%s|' \"$0\" \"$@\"; pwd; env");
    command.arguments.insert(command.arguments.end(), {"zero", "", "two words", "*"});
    command.environment = {"PATH=/usr/bin:/bin", "SENDER=a b"};
    command.directory = scratch.path();
    const auto said = must(sys::run(command, soon()));
    CHECK(said.out.starts_with("zero||two words|*|" + scratch.path() + "\n"));
    CHECK(said.out.find("SENDER=a b\n") != std::string::npos);
    CHECK(said.out.find("HOME=") == std::string::npos);

    sys::Command found;
    found.path = "sh";
    found.search = true;
    found.arguments = {"-c", "exit 3"};
    CHECK(must(sys::run(found, soon())).ending.status == 3);
}

TEST_CASE("sys/child: descriptors go where they should and no others") {
    auto in = must(sys::make_pipe());
    auto out = must(sys::make_pipe());
    auto seventh = must(sys::make_pipe());
    const sys::Fd stray(::dup(out.write.get()));  // without close-on-exec, as a careless parent leaves them
    must(sys::write_all(in.write.get(), "input", soon()));
    must(sys::write_all(seventh.write.get(), "seventh", soon()));
    in.write.reset();
    seventh.write.reset();
    sys::Command command = shell("echo \"$(cat) $(cat <&7)\"; ls /proc/$$/fd");
    command.in = in.read.get();
    command.out = out.write.get();
    command.extra = {{seventh.read.get(), 7}};
    sys::Child child = must(sys::Child::spawn(command));
    CHECK(must(child.wait(soon())).ok());
    char text[200];
    const std::size_t count = must(sys::read_some(out.read.get(), text, soon()));
    CHECK(std::string(text, count) == "input seventh\n0\n1\n2\n7\n");
}

TEST_CASE("sys/child: descriptors may be swapped") {
    const int status = in_fork([] {
        // Low numbers on both sides: each source is another's target.
        auto a = sys::make_pipe();
        auto b = sys::make_pipe();
        if (!a || !b || !sys::write_all(a->write.get(), "word\n", soon())) return 1;
        if (::dup2(b->write.get(), 0) < 0 || ::dup2(a->read.get(), 1) < 0) return 2;
        sys::Command command = shell("read x; echo got $x");
        command.in = 1;
        command.out = 0;
        auto child = sys::Child::spawn(command);
        if (!child) return 3;
        auto ending = child->wait(soon());
        if (!ending || !ending->ok()) return 4;
        char text[20];
        auto count = sys::read_some(b->read.get(), text, soon());
        return count && std::string(text, *count) == "got word\n" ? 0 : 5;
    });
    CHECK(status == 0);
}

TEST_CASE("sys/child: signals are as a fresh program expects them") {
    const int status = in_fork([] {
        sys::sane_process();
        ::signal(SIGTERM, SIG_IGN);
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, SIGUSR1);
        ::sigprocmask(SIG_BLOCK, &set, nullptr);
        sys::Command command;
        command.path = "grep";
        command.search = true;
        command.arguments = {"-E", "^Sig(Blk|Ign):", "/proc/self/status"};
        auto said = sys::run(command, soon());
        if (!said) return 1;
        // glibc leaves its own two, 32 and 33, ignored; nobody else can name them.
        const std::string blocked = "SigBlk:\t0000000000000000\n", ignored = "SigIgn:\t0000000";
        return said->out == blocked + ignored + "000000000\n" || said->out == blocked + ignored + "180000000\n" ? 0 : 2;
    });
    CHECK(status == 0);
}

TEST_CASE("sys/child: its own process group") {
    const auto said = must(sys::run(shell("awk '{ print $5 == PROCINFO[\"x\"] + '$$' }' /proc/$$/stat"), soon()));
    CHECK(said.out == "1\n");
}

TEST_CASE("sys/child: time-out kills the whole group, also the stubborn") {
    struct Case {
        const char* name;
        const char* script;
    };
    for (const Case& c : {Case{"asleep", "sleep 60 & echo $!; echo $$; wait"},
                          Case{"ignores SIGTERM", "trap '' TERM; (trap '' TERM; sleep 60) & echo $!; echo $$; wait; sleep 60"},
                          Case{"stopped", "sleep 60 & echo $!; echo $$; kill -STOP $$"},
                          Case{"ends on SIGTERM, its child does not", "(trap '' TERM; sleep 60) & echo $!; echo $$; wait"}}) {
        CAPTURE(c.name);
        const std::size_t before = open_descriptors();
        const auto start = sys::stopwatch();
        const auto said = must(sys::run(shell(c.script), sys::Deadline::in(150ms)));
        CHECK(said.ending.how == How::timed_out);
        CHECK(!said.ending.ok());
        CHECK(sys::since(start) < 10s);
        const auto lines = base::split(said.out, '\n');
        REQUIRE(lines.size() == 3);
        CHECK(eventually([&] { return !lives(number(std::string(lines[0]))); }));
        CHECK(!lives(number(std::string(lines[1]))));
        CHECK(open_descriptors() == before);
    }
}

TEST_CASE("sys/child: a grandchild that holds the pipes is not waited for, and lives on") {
    const auto start = sys::stopwatch();
    const auto said = must(sys::run(shell("sleep 60 & echo $!; exit 67"), soon()));
    CHECK(said.ending.how == How::exited);
    CHECK(said.ending.status == 67);
    CHECK(sys::since(start) < 15s);
    const int grandchild = number(said.out);
    REQUIRE(grandchild > 1);
    CHECK(lives(grandchild));
    ::kill(grandchild, SIGKILL);
}

TEST_CASE("sys/child: a grandchild that never stops talking is cut") {
    const auto said = must(sys::run(shell("while :; do echo noise; done & echo $! >&2; exit 0"), soon(), 100, 100));
    CHECK(said.ending.ok());
    CHECK(said.out.size() <= 100);
    const int grandchild = number(said.err);
    REQUIRE(grandchild > 1);
    ::kill(grandchild, SIGKILL);
}

TEST_CASE("sys/child: 10 MB on both channels block nobody; the first bytes are kept") {
    const std::size_t before = open_descriptors();
    sys::Command command = shell("head -c 10000000 /dev/zero | tr '\\0' e >&2; head -c 10000000 /dev/zero | tr '\\0' o; exit 5");
    const auto said = must(sys::run(command, soon(), 1000, 10));
    CHECK(said.ending.status == 5);
    CHECK(said.out == std::string(1000, 'o'));
    CHECK(said.err == std::string(10, 'e'));
    CHECK(open_descriptors() == before);
}

TEST_CASE("sys/child: last words are heard") {
    for (int i = 0; i < 20; ++i) {
        const auto said = must(sys::run(shell("echo out; echo err >&2"), soon()));
        CHECK(said.out == "out\n");
        CHECK(said.err == "err\n");
    }
}

TEST_CASE("sys/child: a child that closes its channels early is still waited for") {
    const auto said = must(sys::run(shell("echo x; exec >&- 2>&-; sleep 0.1; exit 9"), soon()));
    CHECK(said.ending.status == 9);
    CHECK(said.out == "x\n");
}

TEST_CASE("sys/child: the destructor kills and reaps") {
    int pid = 0;
    {
        sys::Child child = must(sys::Child::spawn(shell("trap '' TERM; sleep 60; sleep 60")));
        pid = child.pid();
        CHECK(lives(pid));
        sys::Child moved = std::move(child);
        CHECK(child.pid() == -1);
        CHECK(moved.pid() == pid);
    }
    CHECK(::kill(pid, 0) < 0);
    sys::Child first = must(sys::Child::spawn(shell("sleep 60")));
    pid = first.pid();
    first = must(sys::Child::spawn(shell("exit 4")));
    CHECK(::kill(pid, 0) < 0);
    CHECK(must(first.wait(soon())).status == 4);
    CHECK(!first.wait(soon()));
}

TEST_CASE("sys/child: kill reaches the group") {
    sys::Child child = must(sys::Child::spawn(shell("sleep 60; exit 1")));
    child.kill(SIGTERM);
    const auto ending = must(child.wait(soon()));
    CHECK(ending.how == How::signalled);
    CHECK(ending.status == SIGTERM);
}
