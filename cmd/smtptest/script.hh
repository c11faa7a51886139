// --script: the dialogues of a file (smtp/dialogue.hh) against a real server.
#pragma once
#include "cmd/smtptest/order.hh"
#include "cmd/smtptest/report.hh"

namespace greylag::smtptest {

// Each dialogue of the file on a connection of its own, up to the first mismatch. The exit status: 0, 1 for a mismatch
// ("FILE:LINE: expected 250, got ..." on standard error), 64 for a file that is no script, else what a failed connection says.
int run_script(const Order& order, Report& report);

}  // namespace greylag::smtptest
