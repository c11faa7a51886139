#include "policy/tags.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "mail/header.hh"

namespace greylag::policy {

namespace {

// Where the grammar gives up a reader does not: he sees what stands behind the '@'.
bool claims_us_unread(std::string_view text, const mail::Host& helo, const Ours& ours) {
    if (const auto open = text.rfind('<'); open != std::string_view::npos)
        text = text.substr(open + 1, text.find('>', open) - open - 1);
    text = base::trim(text);
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        std::string_view host = text.substr(at + 1);
        host = host.substr(0, host.find_first_of(" \t,;>)\"("));
        return ours.holds_name(host);
    }
    if (const auto hop = base::cut(text, '!')) return ours.holds_name(hop->first);
    return ours.holds(helo);
}

bool claims_us(const mail::HeaderField& field, const mail::Host& helo, const Ours& ours) {
    const auto all = mail::addresses(field.value);
    if (all.empty()) return claims_us_unread(mail::unfold(field.value), helo, ours);
    return std::any_of(all.begin(), all.end(), [&](const std::string& address) {
        return ours.holds_name(std::string_view(address).substr(address.rfind('@') + 1));
    });
}

}  // namespace

std::string forgery_tags(const mail::Path& sender, const mail::Host& helo, std::string_view header, const Ours& ours) {
    std::string tags;
    if (!sender.is_null() && ours.holds(sender.mailbox().host())) tags += "X-warning: suspect envelope domain\n";
    const auto fields = mail::parse_header(header).fields;
    for (const auto& field : fields) {
        if (!base::iequals(field.name, "Sender")) continue;
        if (!claims_us(field, helo, ours)) return tags;
        tags += "X-warning: suspect Sender: domain\n";
    }
    for (const auto& field : fields) {
        if (base::iequals(field.name, "From") && claims_us(field, helo, ours)) tags += "X-warning: suspect From: domain\n";
    }
    return tags;
}

}  // namespace greylag::policy
