#include "mail/path.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::mail {
namespace {

using base::fail;
constexpr std::size_t longest_path = 256;
constexpr std::string_view null_name = "/dev/null";
constexpr std::string_view loopback_host = "[]";

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
    return fail(Kind::syntax, "bad path " + base::quoted(text, 100) + ": " + std::string{why});
}

// "@x,@y" as it stands before the colon.
Result<std::vector<Domain>> parse_route(std::string_view text, Domain::Allow allow) {
    std::vector<Domain> route;
    for (const std::string_view hop : base::split(text, ',')) {
        if (!hop.starts_with('@')) return bad(text, "a hop of the route without '@'");
        route.push_back(TRY(Domain::parse(hop.substr(1), allow)));
    }
    return route;
}

bool has_at_sign(std::string_view text) {
    bool in_quotes = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '@' && !in_quotes) return true;
        if (text[i] == '"') in_quotes = !in_quotes;
        if (text[i] == '\\') ++i;
    }
    return false;
}

// A component that names a machine: a literal, or dotted elsewhere than at its end, which a Domain does not keep.
bool is_host(std::string_view component) {
    if (component.starts_with('"')) return false;
    const std::size_t dot = component.find('.');
    return component.starts_with('[') || (dot != std::string_view::npos && dot + 1 < component.size());
}

// The leading hosts of a bang path, taken off its front. The last component is always the user.
std::vector<std::string_view> take_hosts(std::string_view& text) {
    std::vector<std::string_view> hosts;
    while (const auto parts = base::cut(text, '!')) {
        if (!is_host(parts->first)) break;
        hosts.push_back(parts->first);
        text = parts->second;
    }
    return hosts;
}

}  // namespace

Result<Path> Path::parse(std::string_view text, Domain::Allow allow) {
    if (text.empty()) return null();
    if (text.size() > longest_path) return bad(text, "longer than 256 octets");
    std::vector<Domain> route;
    std::string_view address = text;
    if (text.starts_with('@')) {
        const auto parts = base::cut(text, ':');
        if (!parts) return bad(text, "a route without its ':'");
        route = TRY(parse_route(parts->first, allow));
        address = parts->second;
    }
    if (address.ends_with("@[]")) {
        const std::string_view local = address.substr(0, address.size() - 1 - loopback_host.size());
        auto mailbox = TRY(Mailbox::parse(local, allow, Mailbox::Unqualified::allowed));
        if (mailbox.is_qualified()) return bad(text, "two hosts");
        Path path(std::move(route), std::move(mailbox));
        path.loopback_ = true;
        return path;
    }
    auto mailbox = TRY(Mailbox::parse(address, allow, Mailbox::Unqualified::allowed));
    if (!mailbox.is_qualified() && (!mailbox.is_postmaster() || !route.empty())) return bad(text, "no domain");
    return Path(std::move(route), std::move(mailbox));
}

Result<Path> Path::parse_argument(std::string_view text) {
    constexpr auto allow = Domain::Allow::utf8;
    if (text.starts_with('<') && text.ends_with('>')) text = text.substr(1, text.size() - 2);
    if (text.empty() || text == null_name) return null();
    if (text.size() > longest_path) return bad(text, "longer than 256 octets");
    if (has_at_sign(text)) return parse(text, allow);

    std::string_view local = text;
    auto hosts = take_hosts(local);
    auto mailbox = TRY(Mailbox::parse(local, allow, Mailbox::Unqualified::allowed));
    if (hosts.empty()) return Path({}, std::move(mailbox));
    const std::string_view last = hosts.back();
    hosts.pop_back();
    std::vector<Domain> route;
    for (const std::string_view hop : hosts) route.push_back(TRY(Domain::parse(hop, allow)));
    if (last == loopback_host) {
        Path path(std::move(route), std::move(mailbox));
        path.loopback_ = true;
        return path;
    }
    Host host;
    if (last.starts_with('[')) {
        host = TRY(IpAddress::parse_literal(last));
    } else {
        host = TRY(Domain::parse(last, allow));
    }
    return Path(std::move(route), TRY(Mailbox::make(mailbox.local(), std::move(host))));
}

std::string Path::text() const {
    if (is_null()) return {};
    return loopback_ ? mailbox_->text() + "@[]" : mailbox_->text();
}

std::string Path::bracketed() const { return "<" + text() + ">"; }

std::string Path::bang() const {
    if (is_null()) return std::string{null_name};
    std::string out;
    for (const Domain& hop : route_) out.append(hop.text()).append("!");
    if (loopback_) out.append(loopback_host).append("!");
    if (mailbox_->is_qualified()) out.append(mail::text(mailbox_->host())).append("!");
    return out.append(mailbox_->local_text());
}

}  // namespace greylag::mail
