// How long a session that somebody else accepted (inetd, tcpserver, systemd) holds its client off. The accept loop counts those
// who wait; processes that know nothing of each other count by places they share.
#pragma once
#include <optional>

#include "cmd/smtpd/setup.hh"
#include "sys/fd.hh"
#include "sys/log.hh"

namespace greylag::smtpd {

struct Hold {
    base::Millis wait{0};
    sys::Fd place;  // to be given up when the wait is over
};
// Where every place is taken, or the places cannot be had, the client is greeted at once: a tarpit that fills the house would
// keep everybody else out.
Hold hold_off(const Setup& setup, const std::optional<mail::IpAddress>& peer, sys::Log& log);

}  // namespace greylag::smtpd
