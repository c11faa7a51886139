// -a: as whom to authenticate, and the file of the passwords.
#pragma once
#include "client/deliver.hh"
#include "cmd/smtp/order.hh"
#include "config/settings.hh"

namespace greylag::sender {

// The error (Kind::config) names the file and what is missing or wrong in it, never what it says.
Result<client::Login> read_login(const Order& order, const config::Settings& settings);

}  // namespace greylag::sender
