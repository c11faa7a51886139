#include "client/destination.hh"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/punycode.hh"
#include "mail/domain.hh"

namespace greylag::client {

namespace {

constexpr std::uint16_t lmtp_port = 24;  // IANA; RFC 2033 forbids 25
constexpr std::array<std::pair<std::string_view, std::uint16_t>, 5> services{
    {{"smtp", 25}, {"submission", 587}, {"smtps", 465}, {"submissions", 465}, {"lmtp", lmtp_port}}};

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
    return base::fail(Kind::usage, "destination " + base::quoted(text, 200) + ": " + std::string(why));
}

std::optional<mail::IpAddress> address_of(std::string_view text) {
    if (base::istarts_with(text, "ipv6:")) text.remove_prefix(5);
    const auto address = mail::IpAddress::parse(text);
    return address ? std::optional(*address) : std::nullopt;
}

// "[192.0.2.1]", "[IPv6:::1]", "[mx.example]", "192.0.2.1", "::1", "example.org".
Result<void> read_host(std::string_view host, std::string_view whole, Destination& out) {
    const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (const auto address = address_of(host)) {
        out.how = Destination::How::address;
        out.address = *address;
        return {};
    }
    if (host.starts_with('$')) return bad(whole, "there is no network database here");
    const auto ascii = base::ascii_name(host);
    if (!ascii) return bad(whole, "this name has no ASCII form");
    const auto domain = mail::Domain::parse(*ascii);
    if (!domain) return bad(whole, "this is no host");
    out.host = domain->text();
    out.how = bracketed || out.lmtp ? Destination::How::name : Destination::How::exchange;
    return {};
}

// What stands behind the host: ":port". An IPv6 address without brackets has no port.
Result<std::string_view> take_port(std::string_view text, std::string_view whole, Destination& out) {
    const std::size_t bracket = text.rfind(']');
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) return text;
    if (bracket == std::string_view::npos && text.find(':') != colon) return text;
    const auto port = service_port(text.substr(colon + 1));
    if (!port) return bad(whole, "this is no port");
    out.port = *port;
    return text.substr(0, colon);
}

}  // namespace

std::optional<std::uint16_t> service_port(std::string_view service) {
    for (const auto& [name, port] : services)
        if (base::iequals(service, name)) return port;
    const auto number = base::parse_number<std::uint16_t>(service);
    return number && *number != 0 ? number : std::nullopt;
}

std::optional<std::uint16_t> find_service(std::string_view service, std::string_view table) {
    for (const auto line : base::split(table, '\n')) {
        auto words = base::words(line.substr(0, line.find('#')), "\r");
        if (words.size() < 2 || !words[1].ends_with("/tcp")) continue;
        const auto port = base::parse_number<std::uint16_t>(words[1].substr(0, words[1].size() - 4));
        words.erase(words.begin() + 1);
        if (port && std::find(words.begin(), words.end(), service) != words.end()) return port;
    }
    return std::nullopt;
}

std::string Destination::text() const {
    switch (how) {
        case How::exchange: return host;
        case How::name: return "[" + host + "]:" + std::to_string(port);
        case How::address: return "[" + address.text() + "]:" + std::to_string(port);
        case How::local: return path;
    }
    return {};
}

std::string Destination::domain() const {
    switch (how) {
        case How::exchange:
        case How::name: return host;
        case How::address: return address.literal();
        case How::local: break;
    }
    return {};
}

Result<Destination> parse_destination(std::string_view text, std::uint16_t default_port) {
    Destination out;
    out.port = default_port;
    auto parts = base::split(text, '!');
    if (parts.size() == 1) {
        const std::string_view host = TRY(take_port(text, text, out));
        TRY(read_host(host, text, out));
        return out;
    }
    std::string_view net = parts[0];
    if (net.starts_with("/net")) net = net.substr(net.rfind('/') + 1);
    out.lmtp = net == "lmtp";
    if (out.lmtp) out.port = lmtp_port;
    const bool local = net == "unix" || (out.lmtp && parts[1].starts_with('/'));
    if (local) {
        out.path = text.substr(parts[0].size() + 1);
        if (!out.path.starts_with('/')) return bad(text, "a socket has an absolute name");
        out.how = Destination::How::local;
        return out;
    }
    constexpr std::array<std::string_view, 4> nets{"net", "tcp", "smtp", "lmtp"};
    if (std::find(nets.begin(), nets.end(), net) == nets.end()) return bad(text, "no network of this name");
    if (parts.size() > 3) return bad(text, "more than net, host and service");
    if (parts.size() == 3) {
        const auto port = service_port(parts[2]);
        if (!port) return bad(text, "this is no service");
        out.port = *port;
    }
    TRY(read_host(parts[1], text, out));
    return out;
}

}  // namespace greylag::client
