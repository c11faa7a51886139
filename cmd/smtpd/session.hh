// One connection from greeting to close: the shell around smtp::Conversation.
#pragma once
#include "cmd/smtpd/setup.hh"
#include "cmd/smtpd/sibling.hh"
#include "sys/log.hh"
#include "sys/peer.hh"
#include "sys/signals.hh"

namespace greylag::smtpd {

// What every session of a process has.
struct Place {
    const Setup& setup;
    sys::Log& log;
    sys::Signals& signals;
};

// And what is its own.
struct Connection {
    int in, out;
    const sys::Ends& ends;  // who is there
    base::Millis greeting_wait;
    sys::Fd waiting_place = {};  // given up when that wait is over
};

struct Security {
    Crypto* crypto = nullptr;  // nullptr: the sibling is started for what needs it
    Begun* taken = nullptr;    // this is the sibling: the session was begun elsewhere and asks for TLS
};

// Speaks until either side ends it. Every wait inside has a deadline. The log gets the session's id. SIGTERM ends it with 421 as
// soon as no message is in hand; one that is coming in, or with the mailer, is finished and answered first.
void run_session(const Place& place, Connection connection, Security security);

// The reply to a client that cannot be served, before any session: one write that is not waited for.
void turn_away(int out, const smtp::Reply& reply);

}  // namespace greylag::smtpd
