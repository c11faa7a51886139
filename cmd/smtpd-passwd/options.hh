// smtpd-passwd's command line: one table that the parser, --help and the manual page's test share.
#pragma once
#include "base/options.hh"

namespace greylag::passwd {

inline constexpr base::Option option_table[] = {
    {'C', "", "conffile", "configuration file instead of GREYLAG_CONF or the installed one"},
    {'d', "", "", "delete the user"},
    {'f', "", "file", "the users file instead of the one the configuration names"},
    {'m', "", "mechanisms", "for which mechanisms: plain, login, scram-sha-256, cram-md5, separated by commas"},
};

}  // namespace greylag::passwd
