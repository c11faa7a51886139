// A number of places that all processes of this host share: what costs much memory is not done by everybody at once.
#pragma once
#include <string>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace greylag::sys {

// One of `count` places, files NAME.0 to NAME.N-1 that are made when they are not there; held until the descriptor is closed,
// by whatever means. Kind::timeout, temporary, when all are taken until the deadline.
Result<Fd> take_slot(const std::string& name, unsigned count, Deadline deadline);

}  // namespace greylag::sys
