// The configuration file in force, for every program: -C, else GREYLAG_CONF, else the installed one.
#pragma once
#include <string>
#include <string_view>

#include "base/result.hh"
#include "config/settings.hh"
#include "mailbox/resolve.hh"

namespace greylag::cmd {

struct SettingsFile {
    config::Loaded loaded;
    std::string file;     // absolute name of what was read; empty: none
    std::string missing;  // the installed file, when that was wanted and is not there: the defaults hold
};

// `option_C` is empty when -C was not given. A file that was asked for by name and cannot be read is an error (Kind::config);
// faults inside it are in loaded.faults.
Result<SettingsFile> load_settings(std::string_view option_C);

// Every fault on standard error, a line each.
void print_faults(const std::vector<config::Fault>& faults);

// Whose mail stays here, as [smtpd], [paths] and [mailer] say. An empty domain is the host's name, which is ours in any case.
mailbox::Rules user_rules(const config::Settings& settings);

}  // namespace greylag::cmd
