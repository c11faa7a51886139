// The pure session as the peer of a dialogue: no process, no file, no wait. Its world is the script's users, relay rule, limits
// and mailer.
#pragma once
#include <memory>

#include "tests/support/dialogue_run.hh"

namespace greylag::test {

// Of @option only -h is known here; a script that needs more says @only program.
Result<std::unique_ptr<Peer>> start_memory(const World& world);

}  // namespace greylag::test
