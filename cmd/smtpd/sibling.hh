// From smtpd to smtpd-tls: in place at the start, or for one session that asked for TLS. The sibling is given what the server
// counted and nothing the client said.
#pragma once
#include <optional>
#include <string>

#include "cmd/smtpd/crypto.hh"
#include "cmd/smtpd/setup.hh"
#include "smtp/server.hh"
#include "sys/child.hh"
#include "sys/fd.hh"

namespace greylag::smtpd {

// What goes over, a line each, on one descriptor.
// A session that another process has begun.
struct Begun {
    std::string id;
    unsigned messages = 0;    // ids of messages already given out
    base::Millis elapsed{0};  // of the session
    smtp::Counts counts;
    sys::Fd debug;   // -d: the file that was begun; empty: none
    sys::Fd answer;  // where the sibling says whether it can; kept open, so that its end is seen

    // The sibling's: TLS can begin, or why not.
    void ready() const;
    void cannot(const std::string& why) const;
};
std::string show(const Begun& begun);
std::optional<Begun> parse_begun(std::string_view text);

// The sibling's side: nothing when it was started by somebody else.
std::optional<Begun> take_begun();

struct Heir {
    sys::Child child;
    sys::Fd link;  // at its end when the sibling has ended
};
// Starts the sibling on the connection and waits until it can take over; then it speaks and nobody else. An error: it cannot,
// and the session goes on here.
Result<Heir> hand_over(const Setup& setup, int in, int out, const Begun& begun);

// Whether the program must be smtpd-tls from its start: -t, a loop with a certificate, a mechanism that only OpenSSL has.
bool needs_sibling(const Setup& setup, bool listens);
// Becomes it: comes back only with an error.
Error become_sibling(const Setup& setup);

}  // namespace greylag::smtpd
