#include "sys/io.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "sys/fd.hh"
#include "sys/file.hh"
#include "sys/send_file.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;
using namespace std::chrono_literals;

namespace {

std::string read_to_end(int fd) {
    std::string text;
    char block[5000];
    while (const std::size_t count = must(sys::read_some(fd, block, soon()))) text.append(block, count);
    return text;
}

struct Way {
    const char* name;
    sys::Fd from, to;
};

std::vector<Way> ways() {
    std::vector<Way> result;
    auto pipe = must(sys::make_pipe());
    result.push_back({"pipe", std::move(pipe.read), std::move(pipe.write)});
    auto pair = must(sys::make_socketpair());
    result.push_back({"socketpair", std::move(pair.first), std::move(pair.second)});
    auto nonblocking = must(sys::make_pipe());
    ::fcntl(nonblocking.read.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(nonblocking.write.get(), F_SETFL, O_NONBLOCK);
    result.push_back({"pipe, not blocking", std::move(nonblocking.read), std::move(nonblocking.write)});
    return result;
}

}  // namespace

TEST_CASE("sys/io: what is written is what is read, then the end") {
    const std::string bytes = pattern(3'000'000);
    for (Way& way : ways()) {
        CAPTURE(way.name);
        Error wrong{};
        std::thread writer([&] {
            auto result = sys::write_all(way.to.get(), bytes, soon());
            if (!result) wrong = result.error();
            way.to.reset();
        });
        const bool same = read_to_end(way.from.get()) == bytes;
        writer.join();
        CHECK(same);
        CHECK(wrong.text.empty());
    }
}

TEST_CASE("sys/io: a peer that does not write ends in timeout, blocking descriptor or not") {
    for (Way& way : ways()) {
        CAPTURE(way.name);
        char room[10];
        const auto result = sys::read_some(way.from.get(), room, sys::Deadline::in(20ms));
        REQUIRE(!result);
        CHECK(result.error().kind == Kind::timeout);
        CHECK(must(sys::readable(way.from.get(), sys::Deadline::in(1ms))) == false);
    }
}

TEST_CASE("sys/io: a peer that does not read ends in timeout") {
    const std::string bytes(8'000'000, 'x');
    for (Way& way : ways()) {
        CAPTURE(way.name);
        const auto result = sys::write_all(way.to.get(), bytes, sys::Deadline::in(30ms));
        REQUIRE(!result);
        CHECK(result.error().kind == Kind::timeout);
    }
}

TEST_CASE("sys/io: a peer that sends without pause does not outlive its deadline") {
    auto pair = must(sys::make_socketpair());
    must(sys::write_all(pair.first.get(), "always there", soon()));
    char room[1];
    const auto result = sys::read_some(pair.second.get(), room, sys::Deadline::in(0ms));
    REQUIRE(!result);
    CHECK(result.error().kind == Kind::timeout);
}

TEST_CASE("sys/io: a peer that went away is closed") {
    ::signal(SIGPIPE, SIG_IGN);  // as sane_process leaves it
    for (Way& way : ways()) {
        CAPTURE(way.name);
        way.from.reset();
        const auto result = sys::write_all(way.to.get(), "x", soon());
        REQUIRE(!result);
        CHECK(result.error().kind == Kind::closed);
    }
}

TEST_CASE("sys/io: a reset is closed") {
    auto pair = must(sys::make_socketpair());
    must(sys::write_all(pair.second.get(), "never read", soon()));
    pair.first.reset();
    char room[10];
    const auto result = sys::read_some(pair.second.get(), room, soon());
    REQUIRE(!result);
    CHECK(result.error().kind == Kind::closed);
}

TEST_CASE("sys/io: no descriptor, no hang") {
    char room[10];
    const int unused = must(sys::make_pipe()).read.get();
    CHECK(!sys::read_some(unused, room, soon()));
    CHECK(!sys::write_all(unused, "x", soon()));
    CHECK(!sys::readable(unused, soon()));
}

TEST_CASE("sys/io: a large write to a file") {
    const Scratch scratch;
    const std::string bytes = pattern(300'000);
    {
        const sys::Fd file = must(sys::create_file(scratch.at("f"), 0600));
        must(sys::write_all(file.get(), bytes, sys::Deadline::in(20s)));
    }
    CHECK(scratch.read("f") == bytes);
}

TEST_CASE("sys/send_file: octets of a file as they are, and 0 where another way has to be found") {
    ::signal(SIGPIPE, SIG_IGN);
    const Scratch scratch;
    const std::string bytes = pattern(3'000'000);
    scratch.write("f", bytes);
    const sys::Fd file = must(sys::open_read(scratch.at("f")));
    auto pair = must(sys::make_socketpair());
    CHECK(sys::send_file(pair.second.get(), file.get(), 0, bytes.size(), soon()) == 0);  // it would block
    ::fcntl(pair.second.get(), F_SETFL, O_NONBLOCK);
#if defined(__linux__)
    std::uint64_t sent = 0, behind = 1;
    std::thread writer([&] {
        sent = sys::send_file(pair.second.get(), file.get(), 1000, bytes.size(), soon());
        behind = sys::send_file(pair.second.get(), file.get(), bytes.size(), 1, soon());
        sys::half_close(pair.second.get());
    });
    const bool same = read_to_end(pair.first.get()) == bytes.substr(1000);
    writer.join();
    CHECK(same);
    CHECK(sent == bytes.size() - 1000);  // a file that is shorter than was said
    CHECK(behind == 0);
    auto deaf = must(sys::make_socketpair());
    ::fcntl(deaf.second.get(), F_SETFL, O_NONBLOCK);
    const auto some = sys::send_file(deaf.second.get(), file.get(), 0, bytes.size(), sys::Deadline::in(20ms));
    CHECK((some > 0 && some < bytes.size()));
    CHECK(sys::send_file(deaf.second.get(), file.get(), 0, bytes.size(), sys::Deadline::in(0ms)) == 0);
    deaf.first.reset();
    CHECK(sys::send_file(deaf.second.get(), file.get(), 0, bytes.size(), soon()) == 0);
#endif
}

TEST_CASE("sys/io: a sleep wakes early for talk and for the end, and only then") {
    auto pair = must(sys::make_socketpair());
    CHECK(!sys::sleep_watching(pair.first.get(), 15ms));
    const auto start = sys::stopwatch();
    must(sys::write_all(pair.second.get(), "x", soon()));
    CHECK(sys::sleep_watching(pair.first.get(), 20s));
    auto left = must(sys::make_socketpair());
    left.second.reset();
    CHECK(sys::sleep_watching(left.first.get(), 20s));
    CHECK(sys::since(start) < 15s);
    CHECK(!sys::sleep_watching(-1, 5ms));
}
