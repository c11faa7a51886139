// A message in the spool to its recipients at one destination: routed, dialled, handed over, and an outcome for each.
//
// The next host is tried after a bad greeting or EHLO, or while the answer is "later" and nothing was accepted. What was lost
// behind the final dot is "later": a duplicate beats a loss.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/destination.hh"
#include "client/exchange.hh"
#include "client/route.hh"
#include "dns/resolver.hh"
#include "smtp/client.hh"

namespace greylag::client {

// -a: as whom, and where the password stands.
struct Login {
    std::string user;
    base::Secret secrets;      // lines of client/credentials.hh
    bool without_tls = false;  // a password may cross an open wire
};

struct Delivery {
    Destination destination;
    std::optional<Destination> gateway;  // where the destination has neither MX nor address
    std::vector<std::string> busted;     // exchangers left out
    smtp::ClientFacts facts;             // envelope, message, name
    Content message;                     // see exchange()
    dns::Settings dns;
    std::vector<std::string> own_names;
    std::uint64_t seed = 0;                            // order of equal exchangers
    base::Millis patience{250};                        // before the next address joins the race
    base::Millis dial{30'000};                         // for all addresses of one host
    sys::Deadline new_hosts = sys::Deadline::never();  // behind it no host is begun
    Timing timing;
    Trace trace;
    const Security* security = nullptr;  // nullptr: TLS cannot be had
    const Login* login = nullptr;        // where the facts say that the session is to authenticate
};

// One outcome a recipient of the facts, none of them open.
std::vector<smtp::Outcome> deliver(const Delivery& delivery);

}  // namespace greylag::client
