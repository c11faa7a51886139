// -x and -X: the authenticated session served on a UNIX socket to one program after the other, which says what a person would.
#pragma once
#include <string>

#include "cmd/smtptest/report.hh"
#include "cmd/smtptest/round.hh"
#include "sys/unix_door.hh"

namespace greylag::smtptest {

// Until nobody has come for ten minutes, the server leaves, or a client breaks off in the middle of a line or a message: what the
// server has heard by then is nobody's, and the session ends. QUIT of a client ends that client alone: the server hears RSET.
void serve(const sys::UnixDoor& door, Round& round, Report& report);

}  // namespace greylag::smtptest
