// Connections that we open, each by a deadline.
#pragma once
#include <optional>
#include <string>

#include "base/result.hh"
#include "mail/ip.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"
#include "sys/peer.hh"

namespace greylag::sys {

// A TCP connection (TCP_NODELAY, not blocking, close-on-exec). Temporary errors all: a host may come back.
Result<Fd> dial(const End& to, Deadline deadline);
// A stream socket of the file system.
Result<Fd> dial_unix(const std::string& path, Deadline deadline);

// The same in two steps, for loops that wait for many: the connection is begun, and later asked about.
struct DialHow {
    std::optional<mail::IpAddress> source;  // from this address of ours
    int window = 0;                         // octets of SO_SNDBUF and SO_RCVBUF; 0: the system's
    bool abort = false;                     // closing resets: no TIME_WAIT is left behind
};
// `again`: a descriptor that disconnect() has left, of the same family and prepared in the same way.
Result<Fd> begin_dial(const End& to, const DialHow& how, Fd again = {});
Result<Fd> begin_dial_unix(const std::string& path);
// True: it is there; false: not yet; an error: it never will be. Asked when `fd` can be written to, or at any time before.
Result<bool> dialled(int fd, const End& to);
// Ends a TCP connection with a reset and keeps its descriptor, which who dials thousands of times a second need not make anew
// each time. False where the system cannot: it is closed instead.
bool disconnect(int fd);

}  // namespace greylag::sys
