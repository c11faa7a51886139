// AUTH of a sending session: which mechanism, what to say next, and what the end of it means (RFC 4954). Pure: digests, nonces
// and channel bindings come in. The strongest mechanism that both sides have is used, and a weaker one only where the server
// says that it does not do that one: a password that was refused once is not shown again in the clear.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/wipe.hh"
#include "client/auth_exchange.hh"
#include "smtp/client.hh"

namespace greylag::client {

class Authenticator {
public:
    struct Facts {
        sasl::Digests digests;
        sasl::Bindings bindings;           // of the TLS session
        std::string (*nonce)() = nullptr;  // another one each time
        std::string user;
        std::function<std::optional<base::Secret>()> password;  // asked when it is needed; nothing: there is none
        bool without_tls = false;                               // a password may cross an open wire
    };
    explicit Authenticator(Facts facts) : facts_(std::move(facts)) {}

    smtp::client::Auth on(const smtp::client::AskAuth& ask);

    // Why the session goes on unauthenticated; empty where it does not.
    const std::string& note() const { return note_; }

private:
    smtp::client::Auth begin(const smtp::client::AskAuth& ask);
    smtp::client::Auth challenge(const smtp::Reply& reply);
    smtp::client::Auth go_on(std::string why);

    Facts facts_;
    std::vector<std::string> unknown_;  // mechanisms the server offered and then did not know
    std::optional<AuthExchange> exchange_;
    std::string aborted_;  // why
    std::string note_;
};

}  // namespace greylag::client
