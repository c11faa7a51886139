// The server's side of an exchange (RFC 4422): octets in, steps out. PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login),
// CRAM-MD5 (RFC 2195), SCRAM-SHA-256 and -PLUS (RFC 5802, 7677, 9266). No user is known here and no password checked: that is
// asked for. Every response has an answer; nothing of it is believed before it was looked at.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/wipe.hh"
#include "sasl/mechanism.hh"
#include "sasl/users.hh"

namespace greylag::sasl {

// Why a login fails: only `password` is a guess.
enum class Why : std::uint8_t { password, malformed, binding, nonce, authzid };
std::string_view word(Why why);  // for the log

namespace step {
struct Challenge {  // send it, then respond()
    std::string text;
};
struct Check {  // is this the user's password? then checked()
    std::string user;
    base::Secret password;
};
struct Find {  // who is this? then found()
    std::string user;
};
struct Success {
    std::string user;
};
struct Failure {
    std::string user;  // as far as it was said
    Why why = Why::malformed;
    bool unreadable = false;  // not what the mechanism's grammar allows: 501, else 535
};
}  // namespace step
using Step = std::variant<step::Challenge, step::Check, step::Find, step::Success, step::Failure>;

class Server {
public:
    struct Facts {
        Digests digests;
        std::string nonce;      // for SCRAM: fresh, printable, no comma
        std::string challenge;  // for CRAM-MD5: fresh, in the form of a message identifier
        Bindings bindings;
        bool plus_offered = false;
    };
    Server(Mechanism mechanism, Facts facts) : mechanism_(mechanism), facts_(std::move(facts)) {}
    ~Server() { base::wipe(secret_); }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    Step begin(std::optional<std::string_view> initial);
    Step respond(std::string_view response);
    Step checked(bool is_the_password);
    // `known` false: `user` only stands for one that is not there; the exchange goes on as with any other and fails at its end.
    Step found(const User& user, bool known);

private:
    enum class Expect : std::uint8_t { begin, user, password, plain, cram, first, final, nothing, checked, found, over };

    Step challenge(std::string text, Expect next);
    Step fail(Why why, bool unreadable = false);
    Step succeed();
    Step plain(std::string_view message);
    Step login_user(std::string_view user);
    Step login_password(std::string_view password);
    Step cram(std::string_view message);
    Step cram_found(const User& user);
    Step scram_first(std::string_view message);
    bool scram_binding_fits(std::string_view flag);
    Step scram_found(const User& user);
    Step scram_final(std::string_view message);

    Mechanism mechanism_;
    Facts facts_;
    Expect expect_ = Expect::begin;
    std::string user_;
    bool known_ = false;
    std::string secret_;         // CRAM-MD5: the digest the client sent
    std::string gs2_, binding_;  // SCRAM: the header as sent, what it is to be bound to
    std::string client_first_, server_first_, nonce_;
    ScramVerifier verifier_;
};

}  // namespace greylag::sasl
