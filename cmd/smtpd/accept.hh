// The accept loop: one process a connection, within limits.
#pragma once
#include <vector>

#include "cmd/smtpd/crypto.hh"
#include "cmd/smtpd/setup.hh"
#include "sys/fd.hh"

namespace greylag::smtpd {

struct Loop {
    std::vector<sys::Fd> listeners;
    // Started by inetd in wait mode: leave after a minute without a client and without a child, so that inetd takes over again.
    bool leave_when_idle = false;
    base::Millis idle{60'000};
};

struct Sockets {
    Loop loop;        // not empty: serve these
    sys::Fd session;  // one connected socket that systemd passed: it is the session; neither: fd 0 and 1 are
};
// -l, systemd's LISTEN_FDS, and fd 0 where it listens (inetd wait).
Result<Sockets> find_sockets(const Setup& setup);

// Runs until SIGTERM or SIGINT; then it takes no further clients, hands SIGTERM on to the sessions, and leaves behind the last
// of them, or at once at a second signal. SIGHUP makes the setup anew; a faulty one is logged and the old one stays. Returns
// the exit status.
int accept_loop(Setup setup, Loop loop, const base::CommandLine& given, Crypto* crypto);

}  // namespace greylag::smtpd
