// One mechanism from AUTH to its verdict, as lines of SMTP (RFC 4954). Pure: the sasl::Client knows what to say, this knows how
// it is written down.
#pragma once
#include <string>
#include <string_view>

#include "base/wipe.hh"
#include "sasl/client.hh"
#include "smtp/reply.hh"

namespace greylag::client {

// A line of AUTH as it may be shown, escaped: of the command the mechanism's name, of any other line nothing.
std::string shown_auth(std::string_view line, std::string_view mask = "***");

class AuthExchange {
public:
    explicit AuthExchange(sasl::Client client, bool initial_response = true)
        : client_(std::move(client)), initial_response_(initial_response) {}

    sasl::Mechanism mechanism() const { return client_.mechanism(); }

    // "AUTH MECHANISM", with the initial response where there is one and the line can hold it. The caller wipes it.
    std::string begin();
    // The line that answers a challenge; the caller wipes it. An error says why there is none: send "*", and trust the server
    // no more.
    Result<std::string> answer(const smtp::Reply& challenge);
    // The server says that it has succeeded: may it?
    Result<void> succeeded() const { return client_.succeeded(); }

private:
    sasl::Client client_;
    bool initial_response_;
    base::Secret held_;  // an initial response that was too long for the command
    bool holds_ = false;
    unsigned rounds_ = 0;
};

}  // namespace greylag::client
