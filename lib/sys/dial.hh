// Connections that we open, each by a deadline.
#pragma once
#include <string>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"
#include "sys/peer.hh"

namespace greylag::sys {

// A TCP connection (TCP_NODELAY, not blocking, close-on-exec). Temporary errors all: a host may come back.
Result<Fd> dial(const End& to, Deadline deadline);
// A stream socket of the file system.
Result<Fd> dial_unix(const std::string& path, Deadline deadline);

}  // namespace greylag::sys
