#include "policy/relay.hh"

#include "base/ascii.hh"

namespace greylag::policy {

bool Ours::holds(const mail::Host& host) const {
    if (const auto* literal = std::get_if<mail::IpAddress>(&host)) return address && *literal == *address;
    const auto* domain = std::get_if<mail::Domain>(&host);
    if (domain == nullptr) return false;
    for (const auto& pattern : domains)
        if (pattern.matches(*domain)) return true;
    return false;
}

namespace {

// A host as it may stand inside a local part. What is not even a name is nobody's, least of all ours.
bool ours_by_text(std::string_view text, const Ours& ours) {
    if (const auto literal = mail::IpAddress::parse_literal(text)) return ours.holds(*literal);
    const auto domain = mail::Domain::parse(text);
    return domain && ours.holds(*domain);
}

// Every host a local part names: before each '!', behind each '%'.
bool local_part_stays_here(std::string_view local, const Ours& ours) {
    const auto hops = base::split(local, '!');
    for (std::size_t i = 0; i + 1 < hops.size(); ++i)
        if (!ours_by_text(hops[i], ours)) return false;
    const auto hosts = base::split(hops.back(), '%');
    for (std::size_t i = 1; i < hosts.size(); ++i)
        if (!ours_by_text(hosts[i], ours)) return false;
    return true;
}

}  // namespace

mail::Verdict relay_right(const mail::Path& recipient, const Ours& ours) {
    if (recipient.is_null() || recipient.is_loopback()) return mail::Verdict::never(mail::Why::relay_denied);
    const mail::Mailbox& mailbox = recipient.mailbox();
    if (!mailbox.is_qualified()) return mailbox.is_postmaster() ? mail::Verdict::pass() : mail::Verdict::never(mail::Why::relay_denied);
    if (!ours.holds(mailbox.host()) || !local_part_stays_here(mailbox.local(), ours))
        return mail::Verdict::never(mail::Why::relay_denied);
    return mail::Verdict::pass();
}

}  // namespace greylag::policy
