// What a Connection is made of. Not installed.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "client/smtp_client.hh"
#include "client/wire.hh"
#include "smtp/dot.hh"
#include "smtp/reply_parser.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"
#include "tls/client.hh"

namespace greylag::smtp_client {

// An error of the house in the words of the library.
Failure failure_of(const Error& error);
Failure failure_of(Failure::Kind kind, std::string text);
// The server said no. Anything that is neither 4yz nor 5yz is an answer to another question.
Failure refusal(const Reply& reply);

// A line of a command as it may be shown: what follows the mechanism of AUTH is nobody's business.
std::string shown_command(std::string_view line);

struct TlsMemory {
    std::unique_ptr<tls::ClientContext> context;
};

struct Connection::State {
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    virtual ~State() = default;
    // Over fd. Whoever has no network has a handshake of its own.
    virtual Result<TlsReport> handshake(const TlsOptions& options);

    Endpoint endpoint;
    std::string peer;  // as it was dialled, for sentences
    std::uint32_t timeout_ms = 0;
    std::function<void(bool ours, std::string_view line)> trace;

    sys::Fd fd;
    std::shared_ptr<TlsMemory> memory;   // outlives the wire
    std::unique_ptr<client::Wire> wire;  // over fd; none when the connection is closed
    bool identified = false;             // we showed a certificate
    smtp::ReplyParser parser;
    std::string input;  // read, not yet asked for
    std::string output;
    smtp::DotEncoder dots;
    std::size_t body = 0;         // octets of the message, as the caller gave them
    std::string doing;            // what the next reply answers
    bool broken = false;          // a write failed: only what was said already counts
    std::array<char, 8192> room;  // for what comes

    sys::Deadline deadline() const;
    bool secure() const { return wire && wire->bits() > 0; }
    std::unexpected<Failure> tls_failed(const std::string& why);
    Result<void> send(std::string_view octets);
    Result<void> flush();
    Result<void> put_line(std::string_view line, std::string_view shown);
    Result<Reply> reply();
    Failure silence(const Error* error) const;  // nullptr: the end of the stream
    void show(const smtp::Reply& reply) const;
};

// A Connection that was not dialled here.
struct Internals {
    using State = Connection::State;
    static Connection over(std::unique_ptr<State> state) { return Connection(std::move(state)); }
};

}  // namespace greylag::smtp_client
