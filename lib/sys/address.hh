// Between the kernel's socket addresses and ours. Included by sys and by who dials.
#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include "mail/ip.hh"
#include "sys/peer.hh"

namespace greylag::sys {

// An AF_INET or AF_INET6 address (v4-mapped ones unmapped); nothing for any other family.
std::optional<End> end_of(const sockaddr_storage& address);

// Fills `address` and returns its length.
socklen_t socket_address(const End& end, sockaddr_storage& address);

}  // namespace greylag::sys
