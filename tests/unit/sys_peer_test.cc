#include "sys/peer.hh"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/address.hh"
#include "sys/fd.hh"
#include "sys/listener.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

std::string show(const std::optional<sys::End>& end) {
    return end ? end->address.text() + " " + std::to_string(end->port) : "unknown";
}

struct Connection {
    sys::Fd client, server;
};

// A real connection to the address a listener has; `family` may be AF_INET6 to reach a v4 listener through a mapped address.
std::optional<Connection> connect_to(const std::string& where) {
    auto listening = sys::listen_on(must(sys::ListenAddress::parse(where)));
    if (!listening) return std::nullopt;
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(listening->front().get(), reinterpret_cast<sockaddr*>(&address), &length);
    Connection connection;
    connection.client.reset(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(connection.client.get(), reinterpret_cast<sockaddr*>(&address), length) < 0) return std::nullopt;
    connection.server.reset(::accept4(listening->front().get(), nullptr, nullptr, SOCK_CLOEXEC));
    return connection;
}

}  // namespace

TEST_CASE("sys/peer: the address!port form") {
    struct Case {
        const char* text;
        const char* end;
    };
    for (const Case& c :
         {Case{"192.0.2.1!25\n", "192.0.2.1 25"}, Case{"2001:db8::1!65535", "2001:db8::1 65535"},
          Case{" 192.0.2.1!0 \r\n", "192.0.2.1 0"}, Case{"::ffff:192.0.2.1!25", "192.0.2.1 25"},
          Case{"fe80::1%eth0!25", "fe80::1 25"}, Case{"192.0.2.1", "unknown"}, Case{"192.0.2.1!", "unknown"},
          Case{"192.0.2.1!smtp", "unknown"}, Case{"192.0.2.1!65536", "unknown"}, Case{"host!25", "unknown"},
          Case{"192.0.2.1!25!25", "unknown"}, Case{"", "unknown"}, Case{"192.0.2.1!25\n192.0.2.2!25", "unknown"}}) {
        CAPTURE(c.text);
        CHECK(show(sys::parse_end(c.text)) == c.end);
    }
}

TEST_CASE("sys/peer: what super-servers leave in the environment") {
    struct Case {
        std::vector<const char*> environment;
        const char* remote;
        const char* local;
    };
    for (const Case& c : {
             Case{{}, "unknown", "unknown"},
             Case{{"PROTO=TCP", "TCPREMOTEIP=192.0.2.1", "TCPREMOTEPORT=4000", "TCPLOCALIP=192.0.2.9", "TCPLOCALPORT=25"},
                  "192.0.2.1 4000",
                  "192.0.2.9 25"},
             Case{{"REMOTE_ADDR=2001:db8::1", "REMOTE_PORT=4000"}, "2001:db8::1 4000", "unknown"},
             Case{{"REMOTE_HOST=192.0.2.1"}, "192.0.2.1 0", "unknown"},
             Case{{"REMOTE_HOST=client.example"}, "unknown", "unknown"},
             Case{{"REMOTE_HOST=192.0.2.3", "REMOTE_ADDR=192.0.2.2", "TCPREMOTEIP=192.0.2.1"}, "192.0.2.1 0", "unknown"},
             Case{{"TCPREMOTEIP=unknown", "REMOTE_ADDR=192.0.2.2"}, "192.0.2.2 0", "unknown"},
             Case{{"TCPREMOTEIP=::ffff:192.0.2.1", "TCPREMOTEPORT=-1"}, "192.0.2.1 0", "unknown"},
             Case{{"TCPREMOTEIPX=192.0.2.1", "TCPREMOTEIP"}, "unknown", "unknown"},
         }) {
        std::vector<const char*> environment = c.environment;
        environment.push_back(nullptr);
        const auto ends = sys::environment_ends(environment.data());
        CAPTURE(c.environment.size());
        CHECK(show(ends.remote) == c.remote);
        CHECK(show(ends.local) == c.local);
    }
}

TEST_CASE("sys/peer: the -n directory wins, and must be whole") {
    const Scratch scratch;
    auto pair = must(sys::make_socketpair());
    CHECK(!sys::connection_ends(0, scratch.path()));
    scratch.write("remote", "192.0.2.1!4000\n");
    CHECK(!sys::connection_ends(0, scratch.path()));
    scratch.write("local", "nonsense");
    const auto bad = sys::connection_ends(0, scratch.path());
    REQUIRE(!bad);
    CHECK(bad.error().text == scratch.at("local") + ": not of the form address!port");
    scratch.write("local", "2001:db8::25!25\n");
    const auto ends = must(sys::connection_ends(pair.first.get(), scratch.path()));
    CHECK(show(ends.remote) == "192.0.2.1 4000");
    CHECK(show(ends.local) == "2001:db8::25 25");
    CHECK(ends.socket);
    CHECK(!ends.gone);
}

TEST_CASE("sys/peer: TCP connections name both ends; the environment has no say") {
    for (const char* where : {"127.0.0.1:0", "[::1]:0"}) {
        CAPTURE(where);
        const auto connection = connect_to(where);
        if (!connection) SKIP("no loopback of this family");
        const int status = in_fork([&] {
            ::setenv("TCPREMOTEIP", "192.0.2.66", 1);
            const auto ends = sys::connection_ends(connection->server.get(), "");
            return ends && ends->remote && ends->remote->address.is_loopback() && ends->local && ends->socket && !ends->gone ? 0
                                                                                                                             : 1;
        });
        CHECK(status == 0);
        const auto server = must(sys::connection_ends(connection->server.get(), ""));
        const auto client = must(sys::connection_ends(connection->client.get(), ""));
        CHECK(show(server.remote) == show(client.local));
        CHECK(show(server.local) == show(client.remote));
        CHECK(server.remote->port != 0);
    }
}

TEST_CASE("sys/peer: v4 through a v6 socket is v4") {
    const sys::Fd listening(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!listening) SKIP("no IPv6");
    sockaddr_storage any{};
    socklen_t length = sys::socket_address({mail::IpAddress::v6({}), 0}, any);
    const int off = 0;
    ::setsockopt(listening.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (::bind(listening.get(), reinterpret_cast<sockaddr*>(&any), length) < 0) SKIP("no IPv6");
    REQUIRE(::listen(listening.get(), 1) == 0);
    length = sizeof any;
    ::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&any), &length);
    const sys::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage target{};
    length = sys::socket_address({mail::IpAddress::v4({127, 0, 0, 1}), sys::end_of(any)->port}, target);
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&target), length) == 0);
    const sys::Fd server(::accept(listening.get(), nullptr, nullptr));
    const auto ends = must(sys::connection_ends(server.get(), ""));
    REQUIRE(ends.remote);
    CHECK(ends.remote->address.text() == "127.0.0.1");
    CHECK(ends.remote->address.is_v4());
}

TEST_CASE("sys/peer: a peer that is gone already") {
    auto connection = connect_to("127.0.0.1:0");
    REQUIRE(connection);
    const linger hard{1, 0};
    ::setsockopt(connection->client.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    connection->client.reset();
    CHECK(eventually([&] { return must(sys::connection_ends(connection->server.get(), "")).gone; }));
    CHECK(!must(sys::connection_ends(connection->server.get(), "")).remote);
}

TEST_CASE("sys/peer: pipes and local sockets are asked for in the environment") {
    auto pipe = must(sys::make_pipe());
    auto pair = must(sys::make_socketpair());
    const int status = in_fork([&] {
        ::setenv("TCPREMOTEIP", "192.0.2.66", 1);
        const auto a = sys::connection_ends(pipe.read.get(), "");
        const auto b = sys::connection_ends(pair.first.get(), "");
        return a && b && show(a->remote) == "192.0.2.66 0" && show(b->remote) == "192.0.2.66 0" && !a->socket && b->socket ? 0
                                                                                                                           : 1;
    });
    CHECK(status == 0);
}

TEST_CASE("sys/peer: standard error leaves a socket and stays elsewhere") {
    auto pair = must(sys::make_socketpair());
    auto pipe = must(sys::make_pipe());
    const int status = in_fork([&] {
        struct stat info {};
        ::dup2(pair.first.get(), 2);
        sys::detach_stderr_from_socket();
        if (::fstat(2, &info) < 0 || !S_ISCHR(info.st_mode)) return 1;
        ::dup2(pipe.write.get(), 2);
        sys::detach_stderr_from_socket();
        return ::fstat(2, &info) == 0 && S_ISFIFO(info.st_mode) ? 0 : 2;
    });
    CHECK(status == 0);
}
