// The relay rule: a stranger may send to us and nobody else (RFC 5321 3.6, 7.1; upas smtpd -f).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/domain.hh"
#include "mail/ip.hh"
#include "mail/path.hh"
#include "mail/verdict.hh"

namespace greylag::policy {

// What is ours: names by list, and the literal of the address the client came to.
struct Ours {
    std::vector<mail::DomainPattern> domains;
    std::optional<mail::IpAddress> address;

    bool holds(const mail::Host& host) const;  // an unqualified name is not held
    // A host as it stands inside other text: a domain or a literal. What is neither is nobody's, least of all ours.
    bool holds_name(std::string_view text) const;
};

// Whether a client without the right to relay may send to `recipient`: its host must be ours, and so must every host that its
// local part names ("user%host", "host!user"), whatever is in front: those would be relayed to by a mailer that reads them.
// A source route is not looked at, since nobody follows it (RFC 5321 appendix C). The bare "postmaster" always passes, and
// so does user@[], which goes back to the client.
mail::Verdict relay_right(const mail::Path& recipient, const Ours& ours);

// Whom a recipient means that is written by its way and not by its name, or nothing when it means itself: user@[] (upas
// loop-back) is user@[peer], and a user at the literal of our own address is one of `domain`. user@[] of a peer that is not
// known stays as it is, and must be refused.
std::optional<mail::Path> meant(const mail::Path& recipient, const Ours& ours, const std::optional<mail::IpAddress>& peer,
                                std::string_view domain);

}  // namespace greylag::policy
