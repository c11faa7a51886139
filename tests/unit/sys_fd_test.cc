#include "sys/fd.hh"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "sys/clock.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;

TEST_CASE("sys/fd: one owner, closed once") {
    const std::size_t before = open_descriptors();
    {
        sys::Pipe pipe = must(sys::make_pipe());
        CHECK(open_descriptors() == before + 2);
        CHECK((::fcntl(pipe.read.get(), F_GETFD) & FD_CLOEXEC) != 0);
        sys::Fd taken = std::move(pipe.read);
        CHECK(taken);
        CHECK(pipe.read.get() == -1);
        pipe.write = std::move(taken);
        CHECK(open_descriptors() == before + 1);
        sys::Fd& same = pipe.write;
        pipe.write = std::move(same);
        CHECK(pipe.write);
        auto pair = must(sys::make_socketpair());
        const int released = pair.first.release();
        CHECK(!pair.first);
        CHECK(::close(released) == 0);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("sys/fd: errno becomes a sentence, a kind and a lasting") {
    struct Case {
        int code;
        Kind kind;
        Lasting lasting;
    };
    for (const Case& c : {Case{ENOENT, Kind::not_found, Lasting::permanent}, Case{EACCES, Kind::denied, Lasting::permanent},
                          Case{EPERM, Kind::denied, Lasting::permanent}, Case{ENOSPC, Kind::io, Lasting::temporary},
                          Case{EMFILE, Kind::io, Lasting::temporary}, Case{EDQUOT, Kind::io, Lasting::temporary},
                          Case{EFBIG, Kind::io, Lasting::temporary}, Case{ENOTDIR, Kind::io, Lasting::permanent}}) {
        const Error error = sys::os_error("/some/file", c.code);
        CAPTURE(error.text);
        CHECK(error.kind == c.kind);
        CHECK(error.lasting == c.lasting);
        CHECK(error.code == c.code);
    }
    CHECK(sys::os_error("/some/file", ENOENT).text == "/some/file: No such file or directory");
    CHECK(sys::os_reason(54321).find("54321") == std::string_view::npos);
}

TEST_CASE("sys/fd: a process made sane has 0, 1, 2 open, survives a broken pipe and sees its children end") {
    const int status = in_fork([] {
        ::signal(SIGPIPE, SIG_DFL);
        ::signal(SIGCHLD, SIG_IGN);
        ::close(0);
        ::close(2);
        sys::sane_process();
        for (int fd = 0; fd <= 2; ++fd) {
            if (::fcntl(fd, F_GETFD) != 0) return 1;  // open, and a program we start gets it
        }
        char octet = 0;
        if (::read(0, &octet, 1) != -1 || errno != EBADF) return 5;
        auto pipe = sys::make_pipe();
        if (!pipe || pipe->read.get() <= 2) return 2;
        pipe->read.reset();
        if (::write(pipe->write.get(), "x", 1) != -1 || errno != EPIPE) return 3;
        return in_fork([] { return 7; }) == 7 ? 0 : 4;
    });
    CHECK(status == 0);
}

TEST_CASE("sys/clock: deadlines") {
    using namespace std::chrono_literals;
    const auto never = sys::Deadline::never();
    CHECK(never.poll_timeout() == -1);
    CHECK(!never.passed());
    CHECK(never.left() > 24h * 365);
    const auto past = sys::Deadline::in(-5s);
    CHECK(past.passed());
    CHECK(past.left() == 0ms);
    CHECK(past.poll_timeout() == 0);
    const auto minute = sys::Deadline::in(60s);
    CHECK(!minute.passed());
    CHECK(minute.left() <= 60s);
    CHECK(minute.left() > 50s);
    CHECK(sys::Deadline::in(base::Millis::max()).poll_timeout() == -1);
    CHECK(sys::Deadline::in(24h * 365).poll_timeout() > 0);
    CHECK(sys::Deadline::earlier(never, past).passed());
    CHECK(!sys::Deadline::earlier(never, minute).passed());
    const auto start = sys::stopwatch();
    CHECK(sys::since(start) >= 0ms);
    CHECK(sys::wall_now().seconds > 1'600'000'000);
}
