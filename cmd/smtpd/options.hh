// smtpd's command line: one table that the parser, --help, the manual page's test and --check share.
#pragma once
#include <span>

#include "base/options.hh"

namespace greylag::smtpd {

inline constexpr base::Option option_table[] = {
    {'a', "", "", "refuse MAIL before a successful AUTH"},
    {'c', "", "certfile", "the PEM file of our certificate chain and key: STARTTLS is offered"},
    {'C', "", "conffile", "configuration file instead of GREYLAG_CONF or the installed one"},
    {'d', "", "", "write each connection's dialogue to a file of its own under STATE/log/smtpdb"},
    {'D', "", "", "tarpit: strangers wait for the greeting"},
    {'f', "", "", "refuse to relay for strangers (the default)"},
    {'g', "", "", "greylist: ask unknown networks to come again"},
    {'h', "", "mydom", "the receiving domain"},
    {'k', "", "evilipaddr", "drop connections from this address or network, silently (repeatable)"},
    {'l', "", "address:port", "listen there and start a session for each connection (repeatable)"},
    {'m', "", "mailer", "hand messages to this program instead of send"},
    {'n', "", "netdir", "take the peer's and our own address from the files remote and local there"},
    {'p', "", "", "let passwords be sent in clear without TLS"},
    {'r', "", "", "the sender's domain must exist: a mail exchanger or an address"},
    {'s', "", "", "save blocked messages under STATE/queue.dump"},
    {'t', "", "", "TLS from the first octet"},
    {0, "check", "", "read everything, print each setting with its source, exit 0, or 78 with every fault"},
};

}  // namespace greylag::smtpd
