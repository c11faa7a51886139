// The settings as the mailbox room wants them: send delivers by these rules and smtpd asks by the same ones.
#pragma once
#include "config/settings.hh"
#include "mailbox/resolve.hh"

namespace greylag::cmd {

// An empty [smtpd] domain is the host's name; the host's name is ours in any case.
mailbox::Rules rules_from(const config::Settings& settings);

}  // namespace greylag::cmd
