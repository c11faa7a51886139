// Two files of upas about recipients, as values: names.blocked and senders. A recipient is named as user@domain or
// domain!user; case does not count. Opens no file, asks no DNS.
#pragma once
#include <string_view>
#include <vector>

#include "mail/domain.hh"
#include "mail/ip.hh"
#include "mail/path.hh"
#include "policy/lines.hh"

namespace greylag::policy {

// names.blocked: the first word of a line names a recipient that does not exist for strangers.
bool is_name_blocked(std::string_view bytes, const mail::Path& recipient);

// senders: "recipient host", the host an address, a network or a name. A recipient that has a line here may be written to from
// the hosts of its lines alone, and so may its tagged forms, user+tag, that have none; every other one from everywhere.
struct Closed {
    bool listed = false;
    std::vector<mail::Cidr> networks;
    std::vector<mail::Domain> names;  // their addresses are meant

    bool holds(const mail::IpAddress& peer) const;  // in one of the networks
};
Closed closed_to(std::string_view bytes, const mail::Path& recipient);
std::vector<LineFault> faults_of_senders(std::string_view bytes);

}  // namespace greylag::policy
