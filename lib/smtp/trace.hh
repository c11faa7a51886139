// The lines a receiver puts in front of a message (RFC 5321 4.4, RFC 3848, upas).
#pragma once
#include <optional>
#include <string>

#include "base/time.hh"
#include "mail/ip.hh"
#include "mail/path.hh"

namespace greylag::smtp {

struct Trace {
    std::string helo;                     // what the client called itself; never empty
    std::string peer_name;                // its confirmed name in DNS, or empty
    std::optional<mail::IpAddress> peer;  // nothing: unknown
    std::string by;                       // our name
    std::string id;
    bool extended = false, tls = false, authenticated = false, utf8 = false;
    std::string tls_description;               // "TLSv1.3 with cipher ..." or empty
    std::optional<mail::Path> only_recipient;  // FOR is written for a single recipient only
    base::WallTime when;
};

std::string with_protocol(const Trace& trace);   // SMTP ESMTP ESMTPS ESMTPA ESMTPSA UTF8SMTP ...
std::string received_field(const Trace& trace);  // "Received: from ...\n", folded, LF line ends
// "From SENDER DATE remote from \n": SENDER in bang or at form, /dev/null for the null path.
std::string from_line(const mail::Path& sender, bool bang, base::WallTime when);

}  // namespace greylag::smtp
