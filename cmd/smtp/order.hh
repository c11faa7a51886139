// What the command line asks for, every name in it made whole.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.hh"
#include "client/destination.hh"
#include "mail/path.hh"
#include "smtp/client.hh"

namespace greylag::sender {

struct Recipient {
    std::string name;                // as it is reported
    std::optional<mail::Path> path;  // nothing: refused is set
    smtp::Outcome refused;
};

struct Order {
    client::Destination destination;
    std::optional<client::Destination> gateway;
    std::vector<std::string> busted;
    std::string host;     // qualifies; with a dot where one could be had
    std::string suffix;   // ".domain"; or empty
    std::string account;  // the sender's name on this host, where it was given without one
    mail::Path sender = mail::Path::null();
    std::vector<Recipient> recipients;
    std::optional<int> report;
    std::string user;  // -u; empty: the login name
    bool noop_first = false, debug = false, filter = false, ping = false;
    bool authenticate = false, without_tls = false;  // -a, -i
    bool starttls = false, tls_first = false, any_certificate = false;
};

// `host_name` is this host's. The error (Kind::usage) names the fault.
Result<Order> make_order(const base::CommandLine& line, const std::string& host_name);

}  // namespace greylag::sender
