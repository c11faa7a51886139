// One connection from greeting to close: the shell around smtp::Conversation.
#pragma once
#include "cmd/smtpd/setup.hh"
#include "cmd/smtpd/sibling.hh"
#include "sys/log.hh"
#include "sys/peer.hh"
#include "sys/signals.hh"

namespace greylag::smtpd {

// Speaks on `in` and `out` until either side ends it. `ends` says who is there. Every wait inside has a deadline. The log
// gets the session's id. SIGTERM ends it with 421 as soon as no message is in hand; one that is coming in, or with the mailer,
// is finished and answered first. `place` is given up when the wait before the greeting is over.
struct Security {
    Crypto* crypto = nullptr;  // nullptr: the sibling is started for what needs it
    Begun* taken = nullptr;    // this is the sibling: the session was begun elsewhere and asks for TLS
};
void run_session(const Setup& setup, int in, int out, const sys::Ends& ends, sys::Log& log, sys::Signals& signals,
                 base::Millis greeting_wait, Security security, sys::Fd place = {});

// The reply to a client that cannot be served, before any session: one write that is not waited for.
void turn_away(int out, const smtp::Reply& reply);

sys::Log::Settings log_settings(const Setup& setup);

}  // namespace greylag::smtpd
