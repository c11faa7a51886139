// From a host's name to an authenticated dialogue: connect, PROXY, TLS, greeting, EHLO, STARTTLS, AUTH. TLS that was asked for
// and is not to be had ends it before any password.
#pragma once
#include <optional>

#include "client/smtp_client.hh"
#include "cmd/smtptest/order.hh"
#include "cmd/smtptest/report.hh"

namespace greylag::smtptest {

class Round {
public:
    Round(const Order& order, Report& report) : order_(order), report_(report) {}

    // Everything up to the point where somebody else speaks. False: it is over, and the report knows why.
    bool prepare();
    bool connect();  // with PROXY and implicit TLS, before the greeting
    bool tls();      // the handshake, told
    // With the mechanism named, or all that are offered. False: not authenticated, the dialogue goes on. An error: it is over.
    smtp_client::Result<smtp_client::Reply> authenticate(const smtp_client::Credentials& credentials);
    smtp_client::Result<smtp_client::Reply> authenticate_by(const std::vector<std::string>& words);
    bool learn() { return hello(); }  // what the server offers now
    // After authentication failed: the server only said no.
    static bool goes_on(const smtp_client::Failure& failure);
    void offer(std::vector<std::string> mechanisms) { hello_.mechanisms = std::move(mechanisms); }
    smtp_client::Credentials credentials();  // asks for a password where none is known
    void quit();

    smtp_client::Connection& server() { return *server_; }
    bool lmtp() const { return order_.lmtp; }
    enum class Shown : std::uint8_t { all, theirs, none };
    void show(Shown what) { shown_ = what; }  // lines of the dialogue as they pass

private:
    bool greet();
    bool hello();
    bool upgrade();
    bool log_in();
    std::string name() const;
    std::string ask(std::string_view prompt, bool hidden) const;
    bool give_up(const smtp_client::Failure& failure);

    const Order& order_;
    Report& report_;
    std::optional<smtp_client::Connection> server_;
    smtp_client::Hello hello_;
    int bits_ = 0;
    bool certificate_ = false;
    Shown shown_ = Shown::all;
    std::optional<std::string> password_;
};

}  // namespace greylag::smtptest
