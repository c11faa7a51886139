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

bool Ours::holds_name(std::string_view text) const {
    if (const auto literal = mail::IpAddress::parse_literal(text)) return holds(*literal);
    const auto name = mail::Domain::parse(text);
    return name && holds(*name);
}

namespace {

// Every host a local part names: before each '!', behind each '%'.
bool local_part_stays_here(std::string_view local, const Ours& ours) {
    const auto hops = base::split(local, '!');
    for (std::size_t i = 0; i + 1 < hops.size(); ++i)
        if (!ours.holds_name(hops[i])) return false;
    const auto hosts = base::split(hops.back(), '%');
    for (std::size_t i = 1; i < hosts.size(); ++i)
        if (!ours.holds_name(hosts[i])) return false;
    return true;
}

}  // namespace

mail::Verdict relay_right(const mail::Path& recipient, const Ours& ours) {
    if (recipient.is_null()) return mail::Verdict::never(mail::Why::relay_denied);
    const mail::Mailbox& mailbox = recipient.mailbox();
    if (recipient.is_loopback())
        return local_part_stays_here(mailbox.local(), ours) ? mail::Verdict::pass()
                                                            : mail::Verdict::never(mail::Why::relay_denied);
    if (!mailbox.is_qualified())
        return mailbox.is_postmaster() ? mail::Verdict::pass() : mail::Verdict::never(mail::Why::relay_denied);
    if (!ours.holds(mailbox.host()) || !local_part_stays_here(mailbox.local(), ours))
        return mail::Verdict::never(mail::Why::relay_denied);
    return mail::Verdict::pass();
}

std::optional<mail::Path> meant(const mail::Path& recipient, const Ours& ours, const std::optional<mail::IpAddress>& peer,
                                std::string_view domain) {
    if (recipient.is_null() || (recipient.is_loopback() && !peer)) return std::nullopt;
    const auto* literal = std::get_if<mail::IpAddress>(&recipient.mailbox().host());
    if (recipient.is_loopback()) literal = &*peer;
    if (literal == nullptr) return std::nullopt;
    mail::Host host = *literal;
    if (ours.holds(host)) {
        auto name = mail::Domain::parse(domain);
        if (!name) return std::nullopt;
        host = *std::move(name);
    } else if (!recipient.is_loopback()) {
        return std::nullopt;
    }
    auto mailbox = mail::Mailbox::make(recipient.mailbox().local(), std::move(host));
    if (!mailbox) return std::nullopt;
    return mail::Path::of(*std::move(mailbox));
}

}  // namespace greylag::policy
