// Standard input, converted, where it can be read again for a second host; or on standard output (-f).
#pragma once
#include "client/exchange.hh"
#include "client/message.hh"
#include "sys/fd.hh"

namespace greylag::sender {

struct Message {
    std::string text;  // a small one
    sys::Fd fd;        // else all of it
    smtp::ClientFacts::Message traits;
    client::Content content() const { return {text, fd ? fd.get() : -1}; }
};

// `directory` is where a large message goes; where this user may not write there, a directory for temporary files.
Result<Message> spool_message(int fd, client::Conversion how, std::string directory);

// As it would stand on the wire: CRLF lines, dots stuffed, no final dot.
Result<void> filter_message(int from, client::Conversion how, int to);

// The name of `account` in the text of /etc/passwd; empty when it has none.
std::string full_name(std::string_view account, std::string_view passwd);

}  // namespace greylag::sender
