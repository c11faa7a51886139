// What one session asks DNS: whether a sender's domain exists (-r), and what the peer is called. Nothing is asked before the
// first MAIL, and nothing that no public DNS can know.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cmd/smtpd/setup.hh"
#include "dns/resolver.hh"
#include "mail/mailbox.hh"
#include "sys/peer.hh"

namespace greylag::smtpd {

dns::Settings dns_settings(const config::Settings& settings);

// Whether public DNS can have a name for the address: neither loopback nor private nor otherwise special (RFC 6303, 6890).
bool has_public_name(const mail::IpAddress& address);

class Lookup {
public:
    Lookup(const Setup& setup, const sys::Ends& ends);

    // Asks for the peer's name, once in a session, and returns at once.
    void ask_peer_name();
    // The name whose address is the peer's (RFC 8601 2.7.3), or nothing: waits a second at most after it was asked.
    const std::string& peer_name();

    // MX, and where there is none an address. A literal and an unqualified name pass unasked.
    mail::Verdict sender(const mail::Host& host);

    // Whether `peer` is an address of the name. Temporary errors only.
    Result<bool> is_address_of(const mail::IpAddress& peer, const mail::Domain& name);

private:
    dns::Resolver resolver_;
    std::optional<mail::IpAddress> peer_;  // nothing: not to be asked for
    std::optional<dns::Query<dns::Name>> asked_;
    sys::Deadline until_ = sys::Deadline::never();
    std::string name_;
};

}  // namespace greylag::smtpd
