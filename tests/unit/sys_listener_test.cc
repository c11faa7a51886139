#include "sys/listener.hh"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/dial.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;

TEST_CASE("sys/listener: addresses as people write them") {
    struct Case {
        const char* text;
        const char* shown;  // nothing: refused
    };
    for (const Case& c : {Case{"192.0.2.1:25", "192.0.2.1:25"}, Case{"[2001:DB8::1]:25", "[2001:db8::1]:25"}, Case{":25", ":25"},
                          Case{":0", ":0"}, Case{"[192.0.2.1]:25", "192.0.2.1:25"}, Case{"2001:db8::1:25", nullptr},
                          Case{"25", nullptr}, Case{"", nullptr}, Case{"192.0.2.1", nullptr}, Case{"192.0.2.1:", nullptr},
                          Case{"192.0.2.1:65536", nullptr}, Case{"192.0.2.1:smtp", nullptr}, Case{"[]:25", nullptr},
                          Case{"[::1:25", nullptr}, Case{"::1]:25", nullptr}, Case{"host:25", nullptr}, Case{"::25", nullptr}}) {
        CAPTURE(c.text);
        const auto parsed = sys::ListenAddress::parse(c.text);
        CHECK(parsed.has_value() == (c.shown != nullptr));
        if (parsed && c.shown != nullptr) CHECK(parsed->text() == c.shown);
    }
}

TEST_CASE("sys/listener: both families on one port, v6 only v6") {
    const auto sockets = must(sys::listen_on({std::nullopt, 0}));
    REQUIRE(!sockets.empty());
    std::string port;
    for (const sys::Fd& fd : sockets) {
        CHECK(sys::is_listening(fd.get()));
        CHECK((::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0);
        CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
        const std::string address = sys::bound_address(fd.get());
        const std::string own = address.substr(address.rfind(':'));
        CHECK(own != ":0");
        if (port.empty()) port = own;
        CHECK(own == port);
        if (!address.starts_with('[')) continue;
        int only = 0;
        socklen_t length = sizeof only;
        CHECK(::getsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, &length) == 0);
        CHECK(only == 1);
    }
    if (sockets.size() == 1) SKIP("no IPv6 here");
    CHECK(sockets.size() == 2);
}

TEST_CASE("sys/listener: a taken port is an error that names it") {
    const auto first = must(sys::listen_on(must(sys::ListenAddress::parse("127.0.0.1:0"))));
    const std::string address = sys::bound_address(first.front().get());
    const auto second = sys::listen_on(must(sys::ListenAddress::parse(address)));
    REQUIRE(!second);
    CHECK(second.error().text == "listening on " + address + ": Address already in use");
    CHECK(second.error().lasting == Lasting::temporary);
    const auto foreign = sys::listen_on(must(sys::ListenAddress::parse("192.0.2.77:0")));
    REQUIRE(!foreign);
    CHECK(foreign.error().text.starts_with("listening on 192.0.2.77:0: "));
}

TEST_CASE("sys/listener: what listens and what does not") {
    auto pair = must(sys::make_socketpair());
    CHECK(!sys::is_listening(pair.first.get()));
    CHECK(!sys::is_listening(must(sys::make_pipe()).read.get()));
    CHECK(sys::bound_address(pair.first.get()).empty());
}

TEST_CASE("sys/listener: LISTEN_FDS only when LISTEN_PID is ours; the variables go") {
    const auto sockets = must(sys::listen_on(must(sys::ListenAddress::parse("127.0.0.1:0"))));
    auto pair = must(sys::make_socketpair());
    struct Case {
        const char* fds;
        int pid;  // added to ours; 1000000: not set
        std::size_t expected;
    };
    for (const Case& c : {Case{"2", 0, 2}, Case{"1", 0, 1}, Case{"0", 0, 0}, Case{"2", 1, 0}, Case{"-1", 0, 0}, Case{"x", 0, 0},
                          Case{"2", 1000000, 0}}) {
        CAPTURE(c.fds);
        CAPTURE(c.pid);
        const int status = in_fork([&] {
            const sys::Fd high(::fcntl(pair.first.get(), F_DUPFD, 50));
            ::fcntl(sockets.front().get(), F_SETFL, 0);
            if (::dup2(sockets.front().get(), 3) != 3 || ::dup2(high.get(), 4) != 4) return 1;
            if (c.pid == 1000000) {
                ::unsetenv("LISTEN_PID");
            } else {
                ::setenv("LISTEN_PID", std::to_string(::getpid() + c.pid).c_str(), 1);
            }
            ::setenv("LISTEN_FDS", c.fds, 1);
            const auto found = sys::inherited_sockets();
            if (found.size() != c.expected) return 2;
            if (::getenv("LISTEN_PID") != nullptr || ::getenv("LISTEN_FDS") != nullptr) return 3;
            if (found.empty()) return 0;
            if (found[0].get() != 3 || !sys::is_listening(3)) return 4;
            if ((::fcntl(3, F_GETFD) & FD_CLOEXEC) == 0 || (::fcntl(3, F_GETFL) & O_NONBLOCK) == 0) return 5;
            if (found.size() == 2 && sys::is_listening(found[1].get())) return 6;
            return 0;
        });
        CHECK(status == 0);
    }
}

TEST_CASE("sys/listener: a socket of the file system, and who stands there already") {
    Scratch dir;
    const std::string path = dir.at("socket");
    auto first = must(sys::listen_on_path(path));
    CHECK_FALSE(must(sys::accept_now(first.get())).has_value());
    const auto client = must(sys::dial_unix(path, soon()));
    CHECK(must(sys::accept_now(first.get())).has_value());
    must(sys::set_backlog(first.get(), 5));
    CHECK_FALSE(sys::listen_on_path(path).has_value());  // somebody listens
    first.reset();
    const auto second = sys::listen_on_path(path);  // nobody does any more
    CHECK(second.has_value());
    dir.write("file", "kept");
    CHECK_FALSE(sys::listen_on_path(dir.at("file")).has_value());
    CHECK(dir.read("file") == "kept");
    CHECK_FALSE(sys::listen_on_path(std::string(200, 'x')).has_value());
}
