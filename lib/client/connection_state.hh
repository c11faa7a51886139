// What a Connection is made of. Not installed.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "client/smtp_client.hh"
#include "client/tls_memory.hh"
#include "client/wire.hh"
#include "smtp/dot.hh"
#include "smtp/reply_parser.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace greylag::smtp_client {

// An error of the house in the words of the library.
Failure failure_of(const Error& error);
Failure failure_of(Failure::Kind kind, std::string text);
// The server said no. Anything that is neither 4yz nor 5yz is an answer to another question.
Failure refusal(const Reply& reply);

// A line of a command as it may be shown: what follows the mechanism of AUTH is nobody's business.
std::string shown_command(std::string_view line);

struct Connection::State {
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
    Result<TlsReport> handshake(const TlsOptions& options);
    bool secure() const { return wire && wire->bits() > 0; }
    std::unexpected<Failure> tls_failed(const std::string& why);
    Result<void> send(std::string_view octets);
    Result<void> flush();
    Result<void> put_line(std::string_view line, std::string_view shown);
    Result<Reply> reply();
    Failure silence(const Error* error) const;  // nullptr: the end of the stream
    void show(const smtp::Reply& reply) const;
};

}  // namespace greylag::smtp_client
