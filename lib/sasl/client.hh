// The client's side of an exchange. The server is not believed either: with SCRAM it must prove that it knows the password.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "base/wipe.hh"
#include "sasl/mechanism.hh"

namespace greylag::sasl {

class Client {
public:
    struct Facts {
        Digests digests;
        std::string nonce;  // for SCRAM
        Bindings bindings;  // of the TLS session; without -PLUS they only say that we could have
    };
    Client(Mechanism mechanism, Facts facts, std::string user, std::string password)
        : mechanism_(mechanism), facts_(std::move(facts)), user_(std::move(user)), password_(std::move(password)) {}

    Mechanism mechanism() const { return mechanism_; }
    // What can be sent along with the command; nothing where the server speaks first.
    std::optional<std::string> initial();
    // The answer to a challenge. An error (Kind::protocol) ends the exchange: send "*".
    Result<std::string> respond(std::string_view challenge);
    // The server said that it has succeeded: may it?
    Result<void> succeeded() const;

private:
    Result<std::string> login();
    Result<std::string> cram(std::string_view challenge) const;
    Result<std::string> scram(std::string_view challenge);
    Result<std::string> scram_final(std::string_view server_first);
    std::string binding() const;

    Mechanism mechanism_;
    Facts facts_;
    std::string user_;
    base::Secret password_;
    unsigned round_ = 0;
    std::string gs2_, client_first_, signature_;
    bool proven_ = false;
};

}  // namespace greylag::sasl
