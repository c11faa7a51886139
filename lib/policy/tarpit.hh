// How long a client waits for the greeting (upas smtpd -D). Pure.
#pragma once
#include <optional>
#include <vector>

#include "base/time.hh"
#include "mail/ip.hh"

namespace greylag::policy {

struct Tarpit {
    bool on = false;
    base::Millis greeting_delay{0};  // without the tarpit, too; 0 with it is 15 seconds
    base::Millis long_delay{0};
    const std::vector<mail::Cidr>& long_nets;
};

// For somebody who is not trusted; the trusted never wait.
base::Millis greeting_wait(const Tarpit& tarpit, const std::optional<mail::IpAddress>& peer);

}  // namespace greylag::policy
