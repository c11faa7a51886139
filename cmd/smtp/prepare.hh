// From the command line and the configuration to what the client's room wants to know.
#pragma once
#include <string>

#include "client/deliver.hh"
#include "client/message.hh"
#include "cmd/smtp/order.hh"
#include "config/settings.hh"
#include "tls/client.hh"

namespace greylag::sender {

client::Conversion conversion(const Order& order);

// Without message, trace, security and login.
client::Delivery delivery(const Order& order, const config::Settings& settings, const std::string& host_name);

bool wants_tls(const Order& order, const config::Settings& settings);
tls::ClientPolicy tls_policy(const Order& order, const config::Settings& settings);

}  // namespace greylag::sender
