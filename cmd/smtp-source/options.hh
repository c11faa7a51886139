// smtp-source's command line: one table that the parser, --help and the manual page's test share.
#pragma once
#include "base/options.hh"

namespace greylag::source {

inline constexpr base::Option option_table[] = {
    {'4', "", "", "connect with IPv4 only"},
    {'6', "", "", "connect with IPv6 only"},
    {'A', "", "", "go on when the server refuses something"},
    {'c', "", "", "a running count of messages on standard output"},
    {'C', "", "count", "attempts for each connection (1)"},
    {'d', "", "", "keep the connection for the next message"},
    {'f', "", "from", "sender (foo@myhostname); empty: the null sender"},
    {'F', "", "file", "send this message, header and body"},
    {'l', "", "length", "octets of generated text as the body"},
    {'L', "", "", "speak LMTP"},
    {'m', "", "count", "messages in all (1; without end under --duration)"},
    {'M', "", "myhostname", "our name, or [address], for HELO and addresses"},
    {'N', "", "", "a number of its own for each recipient address"},
    {'o', "", "", "old mode: neither HELO nor message header"},
    {'r', "", "count", "recipients of each message (1)"},
    {'R', "", "seconds", "pause between messages, random up to this"},
    {'s', "", "sessions", "sessions in parallel (1)"},
    {'S', "", "subject", "a Subject field"},
    {'t', "", "to", "recipient (foo@myhostname)"},
    {'T', "", "window", "octets of the socket's buffers"},
    {'v', "", "", "show commands and replies on standard error"},
    {'w', "", "seconds", "pause between messages"},
    {0, "auth", "user", "authenticate; needs --password-file"},
    {0, "bdat", "", "send messages by BDAT; implies --ehlo"},
    {0, "ca", "path", "verify the server's certificate against this file or directory"},
    {0, "connections-per", "count", "a new connection after so many messages"},
    {0, "csv", "file", "write the figures of every phase to this file"},
    {0, "duration", "time", "begin no message after this time (30s, 5m)"},
    {0, "ehlo", "", "say EHLO instead of HELO"},
    {0, "json", "", "the summary as one JSON object"},
    {0, "numbering", "form", "prefix (1foo@x, as ever) or suffix (foo0@x, newer Postfix)"},
    {0, "password-file", "file", "its first line is the password"},
    {0, "password-in-clear", "", "under --auth, PLAIN and LOGIN without TLS, too"},
    {0, "pipelining", "", "one write a group of commands; implies --ehlo"},
    {0, "rate", "number", "messages begun a second, in all (100, 2.5/s)"},
    {0, "size", "model", "of bodies: 10k, 1k-100k, exp:10k, normal:10k,2k, list:1k*9,1M*1"},
    {0, "source", "addresses", "connect from these addresses of ours in turn"},
    {0, "template", "file", "message whose %{words} are filled in for each"},
    {0, "threads", "count", "at most so many threads (one a core)"},
    {0, "timeout", "time", "silence after which a connection is lost (5m)"},
    {0, "tls", "how", "starttls, or smtps from the first octet"},
};
inline constexpr std::string_view operands = "[inet:]host[:port] | unix:path";

}  // namespace greylag::source
