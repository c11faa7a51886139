#include "sys/dial.hh"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "sys/io.hh"
#include "sys/peer.hh"
#include "tests/support/scratch.hh"
#include "tests/support/stream.hh"
#include "tests/support/test.hh"

using namespace greylag;
using sys::Deadline;

namespace {

sys::Fd unix_listener(const std::string& path) {
    sys::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    std::memcpy(place.sun_path, path.data(), path.size());
    const void* address = &place;
    REQUIRE(::bind(fd.get(), static_cast<const sockaddr*>(address), sizeof place) == 0);
    REQUIRE(::listen(fd.get(), 1) == 0);
    return fd;
}

void talk_across(const sys::Fd& ours, const sys::Fd& theirs) {
    REQUIRE(sys::write_all(ours.get(), "hello", test::soon()));
    char room[16];
    const auto got = sys::read_some(theirs.get(), room, test::soon());
    REQUIRE(got);
    CHECK(std::string_view(room, *got) == "hello");
}

}  // namespace

TEST_CASE("sys: dial reaches who listens") {
    for (const char* address : {"127.0.0.1", "::1"}) {
        const auto door = test::listen_at(address);
        if (!door) continue;  // a machine without IPv6
        const auto ours = sys::dial({*mail::IpAddress::parse(address), door->port}, test::soon());
        REQUIRE(ours);
        talk_across(*ours, sys::Fd(::accept(door->fd.get(), nullptr, nullptr)));
    }
    const test::Scratch scratch;
    const sys::Fd door = unix_listener(scratch.at("door"));
    const auto ours = sys::dial_unix(scratch.at("door"), test::soon());
    REQUIRE(ours);
    talk_across(*ours, sys::Fd(::accept(door.get(), nullptr, nullptr)));
}

TEST_CASE("sys: where nobody listens the error names the place and may pass") {
    std::uint16_t port = 0;
    { port = test::must(test::listen_at("127.0.0.1")).port; }
    const auto refused = sys::dial({*mail::IpAddress::parse("127.0.0.1"), port}, test::soon());
    REQUIRE(!refused);
    CHECK(refused.error().text == "connecting to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
    CHECK(refused.error().lasting == Lasting::temporary);

    const test::Scratch scratch;
    const auto absent = sys::dial_unix(scratch.at("door"), test::soon());
    REQUIRE(!absent);
    CHECK(absent.error().text == "connecting to " + scratch.at("door") + ": No such file or directory");
    CHECK(absent.error().lasting == Lasting::temporary);
    CHECK(!sys::dial_unix(std::string(200, 'x'), test::soon()));
    CHECK(!sys::dial_unix("", test::soon()));
}

TEST_CASE("sys: a door that is never opened ends at the deadline") {
    // A full queue: Linux then drops the SYN.
    const auto listening = test::must(test::listen_at("127.0.0.1"));
    REQUIRE(::listen(listening.fd.get(), 0) == 0);
    const sys::End end{*mail::IpAddress::parse("127.0.0.1"), listening.port};
    std::vector<sys::Fd> queue;
    for (int i = 0; i < 8; ++i) {
        auto fd = sys::dial(end, Deadline::in(base::Millis{100}));
        if (!fd) {
            CHECK(fd.error().kind == Kind::timeout);
            return;
        }
        queue.push_back(std::move(*fd));
    }
    SKIP("this kernel's queue does not fill");
}

TEST_CASE("sys: a connection begun, and asked about later") {
    auto door = test::must(test::listen_at("127.0.0.1"));
    const sys::End to{*mail::IpAddress::parse("127.0.0.1"), door.port};
    sys::DialHow how;
    how.source = *mail::IpAddress::parse("127.0.0.9");
    how.window = 65536;
    how.abort = true;
    const auto ours = test::must(sys::begin_dial(to, how));
    CHECK(test::eventually([&] { return test::must(sys::dialled(ours.get(), to)); }));
    CHECK(test::must(sys::connection_ends(ours.get(), {})).local->address.text() == "127.0.0.9");
    sys::Fd theirs(::accept(door.fd.get(), nullptr, nullptr));
    talk_across(ours, theirs);

    door.fd.reset();
    const auto late = sys::begin_dial(to, {});
    const auto there = late ? [&] {
        Result<bool> answer = false;
        test::eventually([&] { return !(answer = sys::dialled(late->get(), to)) || *answer; });
        return answer;
    }() : std::unexpected(late.error());
    REQUIRE_FALSE(there.has_value());
    CHECK(there.error().lasting == Lasting::temporary);
    CHECK(there.error().text == "connecting to 127.0.0.1:" + std::to_string(door.port) + ": Connection refused");

    how.source = *mail::IpAddress::parse("192.0.2.1");
    const auto foreign = sys::begin_dial(to, how);
    REQUIRE_FALSE(foreign.has_value());
    CHECK(foreign.error().text.find(" from 192.0.2.1: ") != std::string::npos);
}

TEST_CASE("sys: one descriptor for connection after connection, each reset and from a port of its own") {
    const auto door = test::must(test::listen_at("127.0.0.1"));
    const sys::End to{*mail::IpAddress::parse("127.0.0.1"), door.port};
    sys::DialHow how;
    how.abort = true;
    sys::Fd ours = test::must(sys::begin_dial(to, how));
    const int first = ours.get();
    std::uint16_t port = 0;
    for (int i = 0; i < 3; ++i) {
        REQUIRE(test::eventually([&] { return test::must(sys::dialled(ours.get(), to)); }));
        const std::uint16_t from = test::must(sys::connection_ends(ours.get(), {})).local->port;
        CHECK(from != port);
        port = from;
        const sys::Fd theirs(::accept(door.fd.get(), nullptr, nullptr));
        talk_across(theirs, ours);
        // What nobody has read goes with the connection.
        REQUIRE(sys::write_all(theirs.get(), "left behind", test::soon()));
        if (!sys::disconnect(ours.get())) SKIP("this system keeps no descriptor");
        char room[16];
        const auto end = sys::read_some(theirs.get(), room, test::soon());
        REQUIRE_FALSE(end.has_value());
        CHECK(end.error().kind == Kind::closed);
        ours = test::must(sys::begin_dial(to, how, std::move(ours)));
        CHECK(ours.get() == first);
    }
}
