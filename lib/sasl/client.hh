// The client's side of an exchange (RFC 4422): PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-1, SCRAM-SHA-256 and -PLUS, DIGEST-MD5 (RFC
// 2831), OTP (RFC 2444), EXTERNAL, ANONYMOUS (RFC 4505), OAUTHBEARER (RFC 7628) and XOAUTH2. The server is not believed either:
// with SCRAM and DIGEST-MD5 it must prove that it knows the password.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "base/wipe.hh"
#include "sasl/mechanism.hh"

namespace greylag::sasl {

// What a client of `mechanism` may say of its bindings. "I could have bound, you cannot" would be a lie to a server that offers
// to bind, and is taken for an attack (RFC 5802 6).
Bindings shown_bindings(Mechanism mechanism, std::span<const std::string> offered, const Bindings& bindings);

class Client {
public:
    struct Facts {
        Digests digests{};
        std::string nonce{};           // for SCRAM and DIGEST-MD5
        Bindings bindings{};           // of the TLS session; without -PLUS they only say that we could have
        std::string authorization{};   // whom to act for; empty: the user
        std::string realm{};           // DIGEST-MD5
        std::string service = "smtp";  // DIGEST-MD5: "smtp/host"
        std::string host{}, port{};    // the server's name as it was dialled: DIGEST-MD5, OAUTHBEARER
        // Asked where the password is no answer (OTP) and where there is a choice (realms); the prompt in, the answer out.
        // Without it OTP is computed from the password, and the first realm is taken.
        std::function<std::string(std::string_view prompt)> ask{};
    };
    // OAUTHBEARER and XOAUTH2: the password is the bearer token. ANONYMOUS: the user is what is left as a trace.
    Client(Mechanism mechanism, Facts facts, std::string user, std::string password)
        : mechanism_(mechanism), facts_(std::move(facts)), user_(std::move(user)), password_(std::move(password)) {}

    Mechanism mechanism() const { return mechanism_; }
    // What can be sent along with the command; nothing where the server speaks first.
    std::optional<std::string> initial();
    // The answer to a challenge. An error (Kind::protocol) ends the exchange: send "*".
    Result<std::string> respond(std::string_view challenge);
    // The server said that it has succeeded: may it?
    Result<void> succeeded() const;
    // What the server said about a token it did not take (RFC 7628 3.2.2): JSON of the server's, not escaped; or empty.
    const std::string& complaint() const { return complaint_; }

private:
    std::string begin_scram();
    std::string bearer() const;
    Result<std::string> login();
    Result<std::string> cram(std::string_view challenge) const;
    Result<std::string> scram(std::string_view challenge);
    Result<std::string> scram_final(std::string_view server_first);
    Result<std::string> digest(std::string_view challenge);
    Result<std::string> otp(std::string_view challenge);
    Result<std::string> token_refused(std::string_view challenge);
    std::string binding() const;
    std::string choose_realm(const std::vector<std::string>& realms) const;

    Mechanism mechanism_;
    Facts facts_;
    std::string user_;
    base::Secret password_;
    unsigned round_ = 0;
    std::string gs2_, client_first_, signature_;
    std::string complaint_;
    bool proven_ = false;
};

}  // namespace greylag::sasl
