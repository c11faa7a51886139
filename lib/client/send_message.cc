// One message through known servers, in turn. Built on Connection as anybody could.
#include <optional>

#include "client/connection_state.hh"
#include "client/visit.hh"
#include "mail/domain.hh"
#include "secret/random.hh"
#include "sys/host.hh"
#include "sys/rights.hh"

namespace greylag::smtp_client {

namespace {

// What stands on the right of our addresses: a name without a dot is one only where there is no better one.
std::string own_host(const Options& options) {
    std::string host = sys::host_name();
    const bool dotted = host.find('.') != std::string::npos;
    const bool better = !dotted && options.client.find('.') != std::string::npos && mail::Domain::parse(options.client);
    return better ? options.client : host;
}

std::optional<Failure> fault_of(const Options& options) {
    if (options.servers.empty()) return failure_of(Failure::Kind::usage, "no server");
    if (options.client.empty() || mail::Domain::parse(options.client) || mail::IpAddress::parse_literal(options.client))
        return {};
    return failure_of(Failure::Kind::usage, "the client's name is neither a domain nor an address in brackets");
}

}  // namespace

std::expected<Report, SendFailure> send_message(const Options& options, std::string_view message) {
    if (auto fault = fault_of(options)) return std::unexpected(SendFailure{*std::move(fault), {}, {}});
    const Identity who{own_host(options), sys::login_name(), sys::wall_now(), secret::random_text(22)};
    const auto submission = prepare(options, message, who);
    if (!submission) return std::unexpected(SendFailure{submission.error(), {}, {}});
    return visit_in_turn(Connection::open, options, *submission);
}

}  // namespace greylag::smtp_client
