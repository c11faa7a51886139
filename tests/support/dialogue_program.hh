// The real smtpd as the peer of a dialogue: its world on disk, its connection a socketpair, its mailer one that writes down.
#pragma once
#include <memory>

#include "tests/support/dialogue_run.hh"
#include "tests/support/spawn.hh"

namespace greylag::test {

// `program` is smtpd's path. What `@mailer send` starts is looked for beside it.
Result<std::unique_ptr<Peer>> start_program(const std::string& program, const World& world, Wire wire = Wire::socketpair);

// `text` with the world's directory in every place of $WORLD.
std::string with_world(std::string text, const std::string& directory);

}  // namespace greylag::test
