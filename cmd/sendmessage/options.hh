// sendmessage's command line: one table that the parser, --help and the manual page's test share. The names, and what they
// mean, are those of ::smtp::sendmessage, with two dashes; behind them stands what it does not have.
#pragma once
#include "base/options.hh"

namespace greylag::submitter {

inline constexpr base::Option option_table[] = {
    {0, "servers", "host[:port],...", "mail servers, tried in turn (localhost)"},
    {0, "ports", "port,...", "their ports, in the same order (25)"},
    {0, "client", "name", "our name"},
    {0, "queue", "on|off", "ask the server to queue the message (off)"},
    {0, "atleastone", "on|off", "send when one recipient was accepted (off)"},
    {0, "originator", "address", "the sender instead of From; empty: the null sender"},
    {0, "recipients", "address,...", "the recipients instead of To, Cc, Dcc and Bcc"},
    {0, "header", "key: value", "a field of the header (repeatable)"},
    {0, "usetls", "on|off", "STARTTLS where it is offered (on)"},
    {0, "tlspolicy", "secure|insecure|command", "what to do when TLS fails (secure)"},
    {0, "tlsimport", "on|off", "TLS from the first byte (off)"},
    {0, "username", "user", "authenticate as this user"},
    {0, "password-file", "file", "its password, the first line; else the terminal is asked"},
    {0, "maxsecs", "seconds", "the wait for the answer to the message (120)"},
    {0, "debug", "on|off", "the dialogue on standard error (off)"},
    {'C', "", "conffile", "configuration file instead of GREYLAG_CONF or the installed one"},
    {0, "ca", "folder|file", "the authorities to believe"},
    {0, "json", "", "one JSON object a result line"},
    {0, "text", "", "standard input is the body alone"},
    {0, "timeout", "seconds", "the wait for each other step (60)"},
};
inline constexpr std::string_view operands = "";

}  // namespace greylag::submitter
