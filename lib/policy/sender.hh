// Whether a sender's domain could take an answer (upas smtpd -r; RFC 5321 5.1, RFC 7505). Pure: who asks DNS is not known here.
#pragma once
#include <cstdint>

#include "mail/verdict.hh"

namespace greylag::policy {

// What DNS said to one question.
enum class Records : std::uint8_t {
    some,
    null_mx,  // RFC 7505; of MX only
    none,     // the name exists, without such a record
    no_name,  // NXDOMAIN
    unknown,  // no answer now
};

// `address` is A and AAAA together; it need not be known as long as MX alone decides.
bool needs_address(Records mx);
// pass, never sender_no_domain, never sender_null_mx, or later sender_dns.
mail::Verdict sender_domain(Records mx, Records address);

}  // namespace greylag::policy
