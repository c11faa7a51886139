// smtp-sink's command line: one table that the parser, --help and the manual page's test share. The letters are Postfix's.
#pragma once
#include "base/options.hh"

namespace greylag::sink {

inline constexpr base::Option option_table[] = {
    {'4', "", "", "listen with IPv4 only"},
    {'6', "", "", "listen with IPv6 only"},
    {'8', "", "", "do not offer 8BITMIME and SMTPUTF8"},
    {'a', "", "", "do not offer AUTH"},
    {'A', "", "seconds", "after DATA wait so long, say 550 and leave"},
    {'b', "", "reply", "what -r says (450 4.3.0 Error: command failed)"},
    {'B', "", "reply", "what -f says (500 5.3.0 Error: command failed)"},
    {'c', "", "", "running counts on standard output"},
    {'C', "", "", "do not offer XCLIENT"},
    {'d', "", "template", "write each message to a file of its own"},
    {'D', "", "template", "append messages to this file"},
    {'e', "", "", "do not know EHLO"},
    {'E', "", "", "do not offer ENHANCEDSTATUSCODES"},
    {'f', "", "commands", "refuse these for ever (5yz); implies -p"},
    {'F', "", "", "do not offer XFORWARD"},
    {'h', "", "hostname", "our name (smtp-sink)"},
    {'H', "", "seconds", "read nothing for so long after DATA"},
    {'L', "", "", "speak LMTP"},
    {'m', "", "count", "connections at a time (10000)"},
    {'M', "", "count", "end after so many messages"},
    {'n', "", "count", "end after so many sessions"},
    {'N', "", "", "do not offer DSN"},
    {'p', "", "", "do not offer PIPELINING"},
    {'P', "", "", "greet like a Cisco PIX; implies -e"},
    {'q', "", "commands", "leave without a word at these"},
    {'Q', "", "commands", "say 421 and leave at these"},
    {'r', "", "commands", "refuse these for now (4yz); implies -p"},
    {'R', "", "directory", "change the root directory; needs root"},
    {'s', "", "commands", "name these on standard error as they come"},
    {'S', "", "text", "what each dumped message begins with"},
    {'t', "", "seconds", "silence that ends a session (100)"},
    {'T', "", "window", "octets of the sockets' buffers"},
    {'u', "", "user", "become this user once listening"},
    {'v', "", "", "show the sessions on standard error"},
    {'w', "", "seconds", "wait before the answer to DATA"},
    {'W', "", "command:seconds[:odds]", "wait before the answer to a command"},
    {0, "cert", "file", "certificate chain and key: offer STARTTLS"},
    {0, "garbage", "commands", "answer these with what is no reply"},
    {0, "half", "commands", "send half a reply to these and leave"},
    {0, "json", "", "the counts at the end as one JSON object"},
    {0, "key", "file", "the key, where --cert has none"},
    {0, "reset", "commands", "break the connection off at these"},
    {0, "smtps", "", "TLS from the first octet; needs --cert"},
    {0, "stall", "commands", "never answer these"},
    {0, "threads", "count", "threads (one a core)"},
    {0, "user", "name:password", "who may authenticate (repeatable; else anybody)"},
};
inline constexpr std::string_view operands = "[inet:][host]:port | unix:path [backlog]";

}  // namespace greylag::sink
