// Where a message is to go, as smtp's first operand writes it (smtp(8)): a name that is routed through MX, a name or an address
// that is dialled as it is, or a socket of this machine; SMTP or LMTP (RFC 2033).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "mail/ip.hh"

namespace greylag::client {

struct Destination {
    enum class How : std::uint8_t { exchange, name, address, local };
    How how = How::exchange;
    bool lmtp = false;
    std::string host;         // exchange, name; U-labels in their ASCII form: DNS and certificates know no other
    mail::IpAddress address;  // address
    std::uint16_t port = 25;
    std::string path;  // local

    std::string text() const;    // for people: "example.org", "[192.0.2.1]:2525", "/run/lmtp"
    std::string domain() const;  // what qualifies a recipient without a host; empty for a socket
};

// "25", "smtp", "submission", "smtps", "submissions", "lmtp"; nothing for 0 and for any other word.
std::optional<std::uint16_t> service_port(std::string_view service);

// The TCP port of a service in the text of /etc/services.
std::optional<std::uint16_t> find_service(std::string_view service, std::string_view table);

// "host", "host:port", "[address]:port", "[host]:port", an address alone, "net!host!service", "tcp!host", "/net/tcp!host",
// "unix!/path", "lmtp!host!port", "lmtp!/path". A service is a number or one of smtp submission smtps submissions lmtp;
// without one it is
// `default_port`.
Result<Destination> parse_destination(std::string_view text, std::uint16_t default_port = 25);

}  // namespace greylag::client
