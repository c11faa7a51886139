// A mail server for clients that says exactly what its script says, in raw bytes, and keeps what it heard.
#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sys/fd.hh"
#include "tests/support/must.hh"

namespace greylag::test {

struct Turn {
    enum class Until : std::uint8_t { nothing, line, dot, octets };
    enum class Then : std::uint8_t { go_on, close, reset, stall };  // stall: says no more, until the client leaves

    Until until = Until::line;
    std::string expect;      // line: what it must begin with (ASCII case ignored)
    std::size_t octets = 0;  // octets: how many (BDAT)
    std::string reply;       // sent as it is
    bool piecewise = false;  // an octet a segment
    Then then = Then::go_on;
    std::string identity{};  // a handshake with this certificate and key (PEM); what follows travels under TLS

    static Turn say(std::string reply) { return {Until::nothing, {}, 0, std::move(reply), false, Then::go_on, {}}; }
    static Turn tls(std::string identity) { return {Until::nothing, {}, 0, {}, false, Then::go_on, std::move(identity)}; }
    static Turn on(std::string expect, std::string reply) {
        return {Until::line, std::move(expect), 0, std::move(reply), false, Then::go_on, {}};
    }
    static Turn body(std::string reply) { return {Until::dot, {}, 0, std::move(reply), false, Then::go_on, {}}; }
    static Turn take(std::size_t n, std::string reply) {
        return {Until::octets, {}, n, std::move(reply), false, Then::go_on, {}};
    }
    Turn& and_close() { return then = Then::close, *this; }
    Turn& and_reset() { return then = Then::reset, *this; }
    Turn& and_stall() { return then = Then::stall, *this; }
    Turn& slowly() { return piecewise = true, *this; }
};
using Script = std::vector<Turn>;  // behind its last turn the server closes when the client does

// What one client said, and how it went.
struct Heard {
    std::string bytes;                // all of it; where TLS begins stands "[TLS]"
    std::vector<std::string> bodies;  // of the `body` turns, as they came, with the final dot
    std::string fault;  // "expected MAIL, got \"RSET\"", or that the client left or was silent; empty: all turns were taken
    bool finished = false;
};

class FakeSmtp {
public:
    // The n-th client meets the n-th script, later ones the last. Port 0: the kernel chooses.
    explicit FakeSmtp(std::vector<Script> scripts, const std::string& address = "127.0.0.1", std::uint16_t port = 0);
    struct UnixSocket {
        std::string path;
    };
    FakeSmtp(std::vector<Script> scripts, UnixSocket where);
    ~FakeSmtp();
    FakeSmtp(const FakeSmtp&) = delete;
    FakeSmtp& operator=(const FakeSmtp&) = delete;

    std::uint16_t port() const { return port_; }
    // In the order they came; a conversation still going on is not finished.
    std::vector<Heard> heard() const;
    // The n-th (0 is the first) when it is over; an unfinished one with a fault when the deadline passes first.
    Heard wait_for(std::size_t n, sys::Deadline deadline = soon()) const;

    // Greeting, EHLO, MAIL, RCPT, DATA, dot, QUIT, all accepted; `keywords` are further lines of the EHLO answer.
    static Script accepting(const std::vector<std::string>& keywords = {});

private:
    void serve();
    void converse(sys::Fd client, std::size_t number);

    std::vector<Script> scripts_;
    std::uint16_t port_ = 0;
    sys::Fd door_;
    sys::Pipe stop_;
    mutable std::mutex lock_;
    std::vector<Heard> heard_;
    std::vector<std::thread> talks_;
    std::thread thread_;
};

}  // namespace greylag::test
