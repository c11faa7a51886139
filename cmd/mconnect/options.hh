// mconnect's command line: one table that the parser, --help and the manual page's test share.
#pragma once
#include "base/options.hh"
#include "cmd/program.hh"

namespace greylag::mconnect {

inline constexpr base::Option option_table[] = {
    {'4', "", "", "IPv4 only"},
    {'6', "", "", "IPv6 only"},
    {'b', "", "address", "connect from this address of ours"},
    {'h', "", "", "accepted and ignored"},
    {'p', "", "port", "number or name of the port (25)"},
    {'r', "", "", "raw mode: line ends and keys as they are typed"},
    {'t', "", "", "TLS from the first octet"},
    {'x', "", "file", "write both sides of the dialogue to this new file"},
    {0, "timeout", "duration", "for connecting, a handshake, and a reply that must be waited for (60s)"},
};
inline constexpr std::string_view operands = "[host | unix:path]";
inline constexpr cmd::Program program{"mconnect", option_table, operands};

}  // namespace greylag::mconnect
