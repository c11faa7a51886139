#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/io.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

Start shell(const std::string& script, Wire wire = Wire::socketpair) {
    Start start;
    start.program = "/bin/sh";
    start.arguments = {"-c", script};
    start.environment = {"PATH=/usr/bin:/bin"};
    start.wire = wire;
    return start;
}

// Two ends of a socket: what one end is fed, the stream reads.
struct Fed {
    sys::Fd far;
    Stream stream;
    explicit Fed(std::string_view bytes) {
        auto pair = must(sys::make_socketpair());
        far = std::move(pair.first);
        stream = Stream(std::move(pair.second));
        must(sys::write_all(far.get(), bytes, soon()));
    }
};

}  // namespace

TEST_CASE("support: a scratch directory keeps, lists and goes away") {
    std::string path;
    {
        const Scratch scratch;
        path = scratch.path();
        scratch.write("a/b/c", std::string_view("x\0y", 3), 0640);
        scratch.write("d", "");
        scratch.make_directory("e");
        CHECK(scratch.read("a/b/c") == std::string("x\0y", 3));
        CHECK(!scratch.read("none"));
        CHECK(scratch.list() == std::vector<std::string>{"a", "d", "e"});
        CHECK(scratch.files() == std::vector<std::string>{"a/b/c", "d"});
        CHECK(scratch.files("a") == std::vector<std::string>{"b/c"});
        CHECK(scratch.list("none").empty());
        CHECK(::chmod(scratch.at("a/b").c_str(), 0) == 0);  // a test may forget to give it back
    }
    CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("support: a reply is read whole, and only a reply") {
    struct {
        std::string_view bytes;
        std::string_view reply;
    } const cases[] = {
        {"250 ok\r\n", "250 ok\r\n"},
        {"250\r\n", "250\r\n"},
        {"250-a\r\n250-b\r\n250 c\r\n221 x\r\n", "250-a\r\n250-b\r\n250 c\r\n"},
        {"hello\r\n", "<no reply: \"hello\r\n\">"},
        {"250-a\r\n251 b\r\n", "<no reply: \"250-a\r\n251 b\r\n\">"},
        {"250-a\r\n", "<the stream ended inside the reply \"250-a\r\n\">"},
        {"250 a", "<the stream ended inside the line \"250 a\">"},
        {"", "<the stream ended>"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.bytes);
        Fed fed(c.bytes);
        fed.far.reset();
        CHECK(fed.stream.reply() == c.reply);
    }
}

TEST_CASE("support: silence ends at the deadline") {
    Fed fed("");
    const auto line = fed.stream.read_line(sys::Deadline::in(base::Millis(20)));
    REQUIRE(!line);
    CHECK(line.error().kind == Kind::timeout);
    CHECK(must(fed.stream.wait_readable(sys::Deadline::in(base::Millis(5)))) == false);
}

TEST_CASE("support: flushed waits until the other end has read") {
    Fed fed("");
    must(fed.stream.send("abc"));
    CHECK(!fed.stream.flushed(sys::Deadline::in(base::Millis(30))));
    char room[8];
    CHECK(must(sys::read_some(fed.far.get(), room, soon())) == 3);
    CHECK(fed.stream.flushed());
}

TEST_CASE("support: a program talks over a socketpair, pipes and TCP") {
    for (const Wire wire : {Wire::socketpair, Wire::pipes, Wire::tcp}) {
        CAPTURE(static_cast<int>(wire));
        auto session = must(Session::start(shell("echo 220 here; cat; echo noise >&2; exit 3", wire)));
        CHECK(session.wire.reply() == "220 here\n");
        must(session.wire.send("250-x\r\n250 y\r\nrest"));
        CHECK(session.wire.reply() == "250-x\r\n250 y\r\n");
        session.wire.half_close();
        CHECK(must(session.wire.read_to_end()) == "rest");
        CHECK(must(session.wait()).status == 3);
        CHECK(session.err() == "noise\n");
    }
}

TEST_CASE("support: environment and descriptors are exact") {
    Start start = shell("");
    start.program = find_program("env");
    start.arguments = {};
    start.environment = {"A=1", "B=x y"};
    auto session = must(Session::start(start));
    CHECK(must(session.wire.read_to_end()) == "A=1\nB=x y\n");
}

TEST_CASE("support: fd 2 can be the connection, as under inetd") {
    Start start = shell("echo oops >&2");
    start.err_is_wire = true;
    auto session = must(Session::start(start));
    CHECK(must(session.wire.read_to_end()) == "oops\n");
    CHECK(session.err() == "");
}

TEST_CASE("support: a session that ends takes its program with it") {
    int pid = 0;
    {
        auto session = must(Session::start(shell("echo $$; exec sleep 1000")));
        must(session.wire.read_line());
        pid = session.pid();
        CHECK(::kill(pid, 0) == 0);
    }
    CHECK(::kill(pid, 0) != 0);
}

TEST_CASE("support: a reset is an end") {
    auto session = must(Session::start(shell("echo up; cat", Wire::tcp)));
    must(session.wire.read_line());
    session.wire.reset();
    CHECK(must(session.wait()).how == sys::Ending::How::exited);
}

TEST_CASE("support: a program that is not there is an error") {
    Start start;
    start.program = "/nonexistent/program";
    CHECK(!Session::start(start));
    CHECK(program_path("no-such-program").empty());
    CHECK(find_program("no-such-program").empty());
    CHECK(!find_program("sh").empty());
}
