// One server's part of send_message, and what its refusal means for the others. Not installed. Refuses to know where servers
// are: who calls says how they are reached.
#pragma once
#include <functional>
#include <optional>
#include <utility>

#include "client/smtp_client.hh"
#include "client/submission.hh"

namespace greylag::smtp_client {

// How much of TLS a visit insists on: each step down was consented to.
enum class Guard : std::uint8_t { full, unverified, none };

// Why a server did not take the message, and whether another one may be asked.
struct Setback {
    Setback(Failure why, bool is_final = false) : failure(std::move(why)), final(is_final) {}
    Failure failure;
    bool final;
    std::vector<Refusal> refused{};  // recipients, where that was why
    std::optional<Guard> again{};    // the same server, with less
};
template <class T>
using Step = std::expected<T, Setback>;

// What became of one envelope: each of its recipients stands in one of the two.
struct Taken {
    std::vector<std::string> accepted;
    std::vector<Refusal> refused;
    Reply reply;
};
// MAIL to the answer behind the dot (transaction.cc).
Step<Taken> transaction(Connection& connection, const Hello& hello, const Options& options, const Envelope& envelope,
                        bool some_are_enough);

using Opener = std::function<Result<Connection>(const Endpoint&, const DialOptions&)>;

// All servers in turn, while nothing is decided; each from the greeting to QUIT.
std::expected<Report, SendFailure> visit_in_turn(const Opener& open, const Options& options, const Submission& submission);

}  // namespace greylag::smtp_client
