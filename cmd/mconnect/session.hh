// One connection between a terminal, or two pipes, and a mail server: one loop, both directions (mconnect(1)).
#pragma once
#include <optional>
#include <string>

#include "client/smtp_client.hh"

namespace greylag::mconnect {

struct Order {
    smtp_client::Endpoint to;
    smtp_client::DialOptions dial;
    bool raw = false;
    bool tls = false;
    std::string transcript;  // a file; empty: none
};

// The exit status.
int run(const Order& order);

}  // namespace greylag::mconnect
