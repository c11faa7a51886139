#include "config/values.hh"

#include <algorithm>
#include <limits>

#include "mail/mailbox.hh"

namespace greylag::config {
namespace {

template <class T>
std::optional<T> value_of(Result<T> result) {
    if (!result) return std::nullopt;
    return std::move(*result);
}

bool is_absolute(std::string_view text) { return text.starts_with('/'); }

constexpr unsigned shift_of(char unit) {
    switch (base::to_lower(unit)) {
        case 'k': return 10;
        case 'm': return 20;
        case 'g': return 30;
        default: return 0;
    }
}

}  // namespace

std::optional<std::uint64_t> Size::parse(std::string_view text) {
    const unsigned shift = text.empty() ? 0 : shift_of(text.back());
    if (shift != 0) text.remove_suffix(1);
    const auto number = base::parse_number<std::uint64_t>(text);
    if (!number || *number > (std::numeric_limits<std::uint64_t>::max() >> shift)) return std::nullopt;
    return *number << shift;
}

std::string Size::show(std::uint64_t value) {
    for (const char unit : {'G', 'M', 'k'}) {
        const std::uint64_t one = std::uint64_t{1} << shift_of(unit);
        if (value != 0 && value % one == 0) return std::to_string(value / one) + unit;
    }
    return std::to_string(value);
}

std::optional<std::string> CommandLineText::parse(std::string_view text) {
    if (text.empty()) return std::nullopt;
    return std::string(text);
}

std::optional<std::string> FileName::parse(std::string_view text) {
    if (!text.empty() && !is_absolute(text)) return std::nullopt;
    return std::string(text);
}

std::optional<std::string> Directory::parse(std::string_view text) {
    if (!is_absolute(text)) return std::nullopt;
    return std::string(text);
}

std::optional<std::string> MaildirTemplate::parse(std::string_view text) {
    if (!is_absolute(text)) return std::nullopt;
    bool user = false;
    for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 2)) {
        const std::string_view what = text.substr(at, 2);
        if (what != "%u" && what != "%d") return std::nullopt;
        user = user || what == "%u";
    }
    // Without the user every address would exist and share one box.
    if (!user) return std::nullopt;
    return std::string(text);
}

std::optional<std::string> DomainName::parse(std::string_view text) {
    if (text.empty()) return std::string();
    const auto domain = mail::Domain::parse(text);
    if (!domain) return std::nullopt;
    return domain->text();
}

std::optional<std::string> UserName::parse(std::string_view text) {
    const auto in_name = [](char c) { return base::is_alnum(c) || c == '_' || c == '-' || c == '.'; };
    if (!std::ranges::all_of(text, in_name) || text.starts_with('-')) return std::nullopt;
    return std::string(text);
}

std::optional<std::string> Address::parse(std::string_view text) {
    if (text.empty()) return std::string();
    const auto mailbox = mail::Mailbox::parse(text, mail::Domain::Allow::utf8, mail::Mailbox::Unqualified::allowed);
    if (!mailbox) return std::nullopt;
    return mailbox->text();
}

std::optional<std::string> TlsVersion::parse(std::string_view text) {
    if (text != "1.2" && text != "1.3") return std::nullopt;
    return std::string(text);
}

std::optional<std::string> Fingerprint::parse(std::string_view text) {
    const auto parts = base::cut(text, ':');
    if (!parts || (parts->first != "sha256" && parts->first != "spki-sha256")) return std::nullopt;
    constexpr std::size_t octets = 32;
    const std::string_view hex = parts->second;
    const bool colons = hex.size() == octets * 3 - 1;
    if (!colons && hex.size() != octets * 2) return std::nullopt;
    std::string plain;
    for (std::size_t i = 0; i < hex.size(); ++i) {
        if (colons && i % 3 == 2) {
            if (hex[i] != ':') return std::nullopt;
        } else if (base::is_xdigit(hex[i])) {
            plain += base::to_lower(hex[i]);
        } else {
            return std::nullopt;
        }
    }
    return std::string(parts->first) + ":" + plain;
}

std::optional<std::string> Mechanism::parse(std::string_view text) {
    for (const std::string_view name : {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"}) {
        if (base::iequals(name, text)) return std::string(name);
    }
    return std::nullopt;
}

std::optional<mail::Cidr> Network::parse(std::string_view text) { return value_of(mail::Cidr::parse(text)); }

std::optional<mail::DomainPattern> DomainOrBelow::parse(std::string_view text) {
    return value_of(mail::DomainPattern::parse(text));
}

std::optional<NameServer> Server::parse(std::string_view text) {
    std::string_view host = text, port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
        has_port = !port.empty();
        if (has_port && port.front() != ':') return std::nullopt;
        if (has_port) port.remove_prefix(1);
    } else if (std::ranges::count(text, ':') == 1) {
        const auto parts = base::cut(text, ':');
        host = parts->first;
        port = parts->second;
        has_port = true;
    }
    const auto address = mail::IpAddress::parse(host);
    if (!address) return std::nullopt;
    NameServer server{*address, 53};
    if (!has_port) return server;
    const auto number = base::parse_number<std::uint16_t>(port);
    if (!number || *number == 0) return std::nullopt;
    server.port = *number;
    return server;
}

std::string Server::show(const NameServer& value) {
    const std::string address = value.address.text();
    return (value.address.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(value.port);
}

}  // namespace greylag::config
