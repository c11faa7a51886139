// smtp's command line: one table that the parser, --help and the manual page's test share.
#pragma once
#include "base/options.hh"

namespace greylag::sender {

inline constexpr base::Option option_table[] = {
    {'a', "", "", "authenticate where the server can; implies -s"},
    {'A', "", "", "do not wait for the greeting: send NOOP first"},
    {'b', "", "busted-mx", "leave this mail server out (repeatable)"},
    {'C', "", "conffile", "configuration file instead of GREYLAG_CONF or the installed one"},
    {'d', "", "", "show the dialogue on standard error"},
    {'f', "", "", "filter: the converted message on standard output, nothing sent"},
    {'g', "", "gateway", "used when the destination has neither mail server nor address"},
    {'h', "", "host", "the local name instead of the host's"},
    {'i', "", "", "under -a, authenticate without TLS, too"},
    {'o', "", "", "take any certificate"},
    {'p', "", "", "ping: verify the recipients, send nothing"},
    {'R', "", "fd", "a line for each recipient on this descriptor"},
    {'s', "", "", "STARTTLS where it is offered, with a certificate that is believed"},
    {'t', "", "", "TLS from the first byte"},
    {'u', "", "user", "authenticate as this user instead of the login name"},
};
inline constexpr std::string_view operands = "[.domain] destaddr sender rcpt...";

}  // namespace greylag::sender
