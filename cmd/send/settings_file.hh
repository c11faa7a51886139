// The configuration file in force for a program: -C, else GREYLAG_CONF, else the installed one (smtpd.conf(5)).
#pragma once
#include <string>
#include <string_view>

#include "base/result.hh"
#include "config/settings.hh"

namespace greylag::cmd {

// The name of the file in force, whether it is there or not: what a child gets as GREYLAG_CONF.
std::string settings_path(std::string_view option_C);

// The settings with all their faults (the caller prints them and ends with EX_CONFIG). An error (Kind::config) when the file
// cannot be read, is no regular file, or may be written by others. The installed file alone may be missing: built-in
// defaults, and `installed_missing` says so. "/dev/null" is the built-in defaults on purpose.
Result<config::Loaded> load_settings(std::string_view option_C, bool& installed_missing);

}  // namespace greylag::cmd
