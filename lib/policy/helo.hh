// What a stranger may call itself. A host that mails us knows its name: who gives ours, or one that no mail host can have, is
// no mail host. Nothing is looked up: RFC 5321 4.1.4 does not let a name be refused because DNS knows it otherwise.
#pragma once
#include <optional>

#include "mail/ip.hh"
#include "mail/mailbox.hh"
#include "mail/verdict.hh"
#include "policy/relay.hh"

namespace greylag::policy {

// The verdict on a name given with HELO or EHLO by an untrusted peer, to be kept until MAIL.
//   never helo_is_ours   with `norelay`: one of our names, or the literal of our address, and the peer is not ourselves
//   never helo_bogus     a literal that is not the peer's address; a name without a dot; under a reserved top-level domain
//                        (RFC 2606, 6761); under example.com, .net or .org; without any letter, an address in truth
mail::Verdict helo_claim(const mail::Host& name, const std::optional<mail::IpAddress>& peer, const Ours& ours, bool norelay);

}  // namespace greylag::policy
