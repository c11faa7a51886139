// Listening sockets: our own, inetd's (wait), systemd's.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "mail/ip.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace greylag::sys {

// "192.0.2.1:25", "[2001:db8::1]:25", ":25" (both families, IPV6_V6ONLY always set; a machine without IPv6 gives one socket).
struct ListenAddress {
    std::optional<mail::IpAddress> address;  // nothing: any, both families
    std::uint16_t port = 0;                  // 0: the kernel chooses (for tests; the address is logged)
    static Result<ListenAddress> parse(std::string_view text);
    std::string text() const;
};

// Backlog 1024, SO_REUSEADDR, close-on-exec, non-blocking.
Result<std::vector<Fd>> listen_on(const ListenAddress& where);

// A socket of the file system; one that stands there and that nobody listens on any more is replaced.
Result<Fd> listen_on_path(const std::string& path);
Result<void> set_backlog(int listener, unsigned backlog);
// The next client, not blocking and close-on-exec; nothing when none waits.
Result<std::optional<Fd>> accept_now(int listener);

// "192.0.2.1:2525" of a bound socket.
std::string bound_address(int fd);

bool is_listening(int fd);  // a socket in state LISTEN

// The descriptors of systemd's LISTEN_FDS when LISTEN_PID is ours, and both variables removed; else nothing.
std::vector<Fd> inherited_sockets();

}  // namespace greylag::sys
