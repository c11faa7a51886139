// Who is on the other end of the connection, and which of our addresses it came to.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "mail/ip.hh"

namespace greylag::sys {

struct End {
    mail::IpAddress address;
    std::uint16_t port = 0;
};

struct Ends {
    std::optional<End> remote;  // nothing: unknown, never trusted
    std::optional<End> local;
    bool socket = false;  // fd is a socket of any family: early talk can be seen
    bool gone = false;    // the peer has left before we looked
};

// From `netdir` when not empty (files remote and local, "address!port"; a missing or malformed file is an error), else
// getpeername(fd), and only when fd is no INET socket from the numeric TCPREMOTEIP, REMOTE_ADDR or REMOTE_HOST of the
// environment (TCPREMOTEPORT or REMOTE_PORT for the port, TCPLOCALIP and TCPLOCALPORT for our end).
Result<Ends> connection_ends(int fd, const std::string& netdir);

// What the kernel says of the socket alone; `socket` is false where fd is none.
Ends socket_ends(int fd);

// The last of these alone: `environment` is an array of "NAME=value" that ends in a null pointer. What is not numeric is not
// there.
Ends environment_ends(const char* const* environment);

// "192.0.2.1!25" and "2001:db8::1!25", blanks around it allowed: the Plan 9 form of -n.
std::optional<End> parse_end(std::string_view text);

// Points fd 2 at /dev/null when it is a socket: nothing of ours may reach the client by accident.
void detach_stderr_from_socket();

}  // namespace greylag::sys
