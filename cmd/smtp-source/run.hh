// A whole run: its threads, its display, its end.
#pragma once
#include "cmd/smtp-source/loop.hh"

namespace greylag::source {

// The addresses that the order names. Kind::not_found: there is no such host.
Result<Place> find_place(const Order& order);

// Until the last session is over or a signal stops it. `terminal`: the running display goes to standard error.
Result<Run> run(const Plan& plan, const Place& place, bool terminal);

}  // namespace greylag::source
