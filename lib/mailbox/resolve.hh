// Who a recipient is on this host: the lookup that send delivers by and smtpd asks at RCPT (send(8)).
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "base/result.hh"
#include "mail/domain.hh"
#include "mail/mailbox.hh"

namespace greylag::mailbox {

struct Rules {
    std::string maildir;                    // template with %d and %u: "/var/lib/greylag/mail/%d/%u/Maildir"
    std::string alias_file;                 // may be absent
    std::string catchall;                   // an address or empty
    std::string postmaster;                 // an address or empty
    std::string domain;                     // qualifies what has no host
    std::vector<mail::DomainPattern> ours;  // besides `domain`
};

bool is_local(const Rules& rules, const mail::Host& host);

struct LocalBox {
    std::string maildir;       // exists or can be made: the folder above it does
    std::string delivered_to;  // the address for the Delivered-To field
};
using Target = std::variant<LocalBox, mail::Mailbox>;  // a Mailbox is remote

// Every place one recipient's mail goes to, without duplicates. Kind::not_found, permanent: no such user. A failing lookup
// (unreadable directory or alias file) is temporary. postmaster and abuse always exist for Kind::not_found's sake: when they
// would go nowhere the error is Kind::config, temporary.
Result<std::vector<Target>> resolve(const Rules& rules, const mail::Mailbox& recipient);

}  // namespace greylag::mailbox
