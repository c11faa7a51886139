// A host that is dialled by its own name and not as anybody's mail server: an address as text, else /etc/hosts, else DNS.
#pragma once
#include <string_view>
#include <vector>

#include "dns/resolver.hh"
#include "mail/ip.hh"

namespace greylag::client {

struct Families {
    bool v4 = true, v6 = true;
};

// The families take turns, IPv6 first (RFC 8305 4). Empty: there is no such host, or it has no address of these families. The
// error is DNS's, and temporary. "localhost" is never asked of DNS (RFC 6761 6.3).
Result<std::vector<mail::IpAddress>> find_host(std::string_view name, Families families, dns::Resolver& resolver);

}  // namespace greylag::client
