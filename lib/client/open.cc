// From a name to a connection: /etc/hosts, then DNS, then the addresses raced (RFC 8305) or one UNIX socket.
#include <algorithm>
#include <optional>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/punycode.hh"
#include "client/connection_state.hh"
#include "client/destination.hh"
#include "client/host.hh"
#include "sys/dial.hh"
#include "sys/file.hh"
#include "sys/peer.hh"
#include "sys/race.hh"

namespace greylag::smtp_client {

namespace {

using Addresses = std::vector<mail::IpAddress>;

std::unexpected<Failure> usage(std::string text) { return std::unexpected(failure_of(Failure::Kind::usage, std::move(text))); }

std::optional<std::uint16_t> port_of(std::string_view service) {
    if (const auto port = client::service_port(service)) return port;
    const auto table = sys::read_file("/etc/services", 4 << 20);
    return table ? client::find_service(service, *table) : std::nullopt;
}

Result<dns::Settings> resolver_settings(const DialOptions& options) {
    dns::Settings settings;
    for (const auto& server : options.nameservers) {
        const std::size_t colon = server.rfind(':');
        std::string_view host = std::string_view(server).substr(0, colon);
        if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
        const auto address = mail::IpAddress::parse(host);
        const auto port =
            base::parse_number<std::uint16_t>(colon == std::string::npos ? "" : std::string_view(server).substr(colon + 1));
        if (!address || !port) return usage("the name server " + base::quoted(server, 80) + " is not address:port");
        settings.nameservers.push_back({*address, *port});
    }
    settings.timeout = std::min(settings.timeout, base::Millis(std::max<std::uint32_t>(options.timeout_ms, 1)));
    return settings;
}

Result<Addresses> addresses_of(const std::string& host, const DialOptions& options,
                               const std::optional<mail::IpAddress>& source) {
    std::string_view name = host;
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    if (base::istarts_with(name, "ipv6:")) name.remove_prefix(5);
    if (name.empty()) return usage("no host");
    auto settings = resolver_settings(options);
    if (!settings) return std::unexpected(std::move(settings).error());
    const client::Families families{options.family != Family::v6 && (!source || source->is_v4()),
                                    options.family != Family::v4 && (!source || !source->is_v4())};
    const bool all = families.v4 && families.v6;
    const std::string shown = base::printable(name, 255);
    dns::Resolver resolver(*std::move(settings));
    auto found = client::find_host(name, families, resolver);
    if (!found) return std::unexpected(failure_of(Failure::Kind::later, "the address of " + shown + ": " + found.error().text));
    if (found->empty())
        return std::unexpected(failure_of(Failure::Kind::no_host,
                                          "the host " + shown + " has no address" + (all ? "" : " of the family asked for")));
    return *std::move(found);
}

Result<sys::Dialled> dial(const Addresses& addresses, const std::string& host, std::uint16_t port, const DialOptions& options,
                          const std::optional<mail::IpAddress>& source) {
    constexpr base::Millis patience{250};
    std::vector<sys::End> ends;
    for (const auto& address : addresses) ends.push_back({address, port});
    sys::DialWish wish;
    wish.source = source;
    if (options.trying)
        wish.watch = [&](const sys::End& end, std::string_view reason) { options.trying(host, sys::text(end), reason); };
    std::vector<bool> failed;
    const auto deadline = sys::Deadline::in(base::Millis(std::max<std::uint32_t>(options.timeout_ms, 1)));
    auto dialled = sys::dial_first(ends, patience, deadline, failed, wish);
    if (!dialled)
        return std::unexpected(
            failure_of(Failure::Kind::later, "connecting to " + base::printable(host, 255) + ": " + dialled.error().text));
    return *std::move(dialled);
}

Result<sys::Fd> dial_path(const std::string& path, const DialOptions& options) {
    if (options.trying) options.trying(path, path, {});
    auto fd = sys::dial_unix(path, sys::Deadline::in(base::Millis(std::max<std::uint32_t>(options.timeout_ms, 1))));
    if (fd) return *std::move(fd);
    if (options.trying) options.trying(path, path, fd.error().text);
    return std::unexpected(
        failure_of(fd.error().kind == Kind::syntax ? Failure::Kind::usage : Failure::Kind::later, fd.error().text));
}

}  // namespace

Result<Connection> Connection::over(int descriptor, const Endpoint& to, const DialOptions& options) {
    auto state = std::make_unique<State>();
    state->fd.reset(descriptor);
    const sys::Ends ends = sys::socket_ends(descriptor);
    if (!ends.socket) return usage("the descriptor is no socket");
    state->endpoint = to;
    state->peer = ends.remote ? sys::text(*ends.remote) : to.path.empty() ? base::printable(to.host, 255) : to.path;
    state->timeout_ms = options.timeout_ms;
    state->trace = options.trace;
    state->wire = std::make_unique<client::PlainWire>(descriptor);
    return Connection(std::move(state));
}

Result<Connection> Connection::open(const Endpoint& given, const DialOptions& options) {
    if (!given.path.empty()) {
        auto fd = dial_path(given.path, options);
        return fd ? over(fd->release(), given, options) : std::unexpected(std::move(fd).error());
    }
    // DNS and certificates know the ASCII form alone (RFC 5890 2.3.2.1).
    const Endpoint to{base::ascii_name(given.host).value_or(given.host), given.service, {}};
    const auto port = port_of(to.service);
    if (!port) return usage("there is no service " + base::quoted(to.service, 80));
    std::optional<mail::IpAddress> source;
    if (!options.source.empty()) {
        const auto address = mail::IpAddress::parse(options.source);
        if (!address) return usage("the source address: " + address.error().text);
        source = *address;
    }
    const auto addresses = addresses_of(to.host, options, source);
    if (!addresses) return std::unexpected(addresses.error());
    auto dialled = dial(*addresses, to.host, *port, options, source);
    return dialled ? over(dialled->fd.release(), to, options) : std::unexpected(std::move(dialled).error());
}

}  // namespace greylag::smtp_client
