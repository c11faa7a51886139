// smtptest's command line: one table that the parser, --help and the manual page's test share. The letters are those of Cyrus
// imtest.
#pragma once
#include "base/options.hh"

namespace greylag::smtptest {

inline constexpr base::Option option_table[] = {
    {'p', "port", "port", "number or name of the port (25; 465 with -s; 24 for LMTP)"},
    {'m', "mechanism", "mech", "authenticate by this mechanism, whatever the server offers"},
    {'a', "authname", "name", "the name to authenticate with; your login name"},
    {'u', "username", "name", "the name to act for, where it is another"},
    {'w', "password", "password", "else it is asked for; others can see it in a list of processes"},
    {0, "password-file", "file", "the password is the first line of this file"},
    {'k', "minssf", "bits", "no authentication under a weaker protection than this (0)"},
    {'l', "maxssf", "bits", "the strongest layer a mechanism may bring (128); none here brings any"},
    {'r', "realm", "realm", "the realm of DIGEST-MD5"},
    {'t', "keyfile", "file", "STARTTLS, with the certificate and key of this PEM file; \"\" for none"},
    {'s', "require-tls", "", "TLS from the first octet"},
    {'f', "input-filename", "file", "send this dialogue after authentication, then QUIT"},
    {'n', "reauth-attempts", "number", "whole rounds of connecting and authenticating (1)"},
    {'c', "do-challenge", "", "challenges are shown and the answers typed"},
    {'i', "no-initial-response", "", "no response together with AUTH"},
    {'o', "sasl-option", "option=value", "client_mech_list=\"NAME ...\": the mechanisms to choose from"},
    {'v', "verbose", "", "more about TLS and about what is done"},
    {'I', "pidfile", "file", "write the process id to this file"},
    {'x', "output-socket", "path", "after authentication serve the session on this UNIX socket"},
    {'X', "background-socket", "path", "the same in the background"},
    {'q', "require-compression", "", "accepted and said to be without effect"},
    {'z', "run-stress-test", "", "refused: smtp-source makes load"},
    {'P', "protocol", "name", "smtp or lmtp; else the program's name decides"},
    {'H', "haproxy-clientip", "address", "send a PROXY header first: an address, \"unknown\" or \"local\""},
    {'h', "", "", "show this text"},
    {0, "lmtp", "", "LMTP: LHLO, and a reply for each recipient"},
    {0, "connect-unix", "path", "connect to this UNIX socket"},
    {0, "hello", "name", "the name for EHLO and LHLO"},
    {0, "no-auth", "", "do not authenticate"},
    {0, "ca", "path", "certificate authorities: a hashed directory or a PEM file"},
    {0, "verify", "", "a certificate that does not verify ends it"},
    {0, "fingerprint", "digest", "sha256:HEX or spki-sha256:HEX of the certificate to believe (repeatable)"},
    {0, "server-name", "name", "the name the certificate must bear, and of SNI"},
    {0, "script", "file", "run the dialogues of this file and compare; status 1 at the first mismatch"},
    {0, "time", "", "say how long each step took"},
    {0, "json", "", "a JSON object for each step on standard output, and nothing else"},
    {0, "timeout", "duration", "for each step (60s)"},
};
inline constexpr std::string_view operands = "[host]";

}  // namespace greylag::smtptest
