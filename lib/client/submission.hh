// What send_message is asked for, as a message and its envelope: who sends, who receives, which fields are supplied, replaced
// or taken out (RFC 5322 3.6, 3.6.6; RFC 6409 8). Not installed. Pure: time, names and chance come in as values.
//
// The fields of Options::headers go before those of the message. One of the names that may stand only once (From, To, Subject
// ...) replaces the message's own; any other joins. Several values of one address field are one list.
//
// Any Resent- field, in Options::headers or in front of the message's first Received, makes it a resent message: From, Sender,
// To, Cc, Bcc, Dcc, Date and Message-ID are then their Resent- kin everywhere below, and the old ones stay as they are.
//
// The sender is the originator, else From (with several mailboxes: Sender), else the login name. The recipients are those
// asked for, and the header is not looked at; else To, Cc and Dcc, and blindly Bcc. Neither Bcc nor Dcc ever leaves. Who is
// in Bcc alone gets a message of its own with the first one inside; where nobody else is there, the message itself.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hh"
#include "client/smtp_client.hh"
#include "mail/path.hh"
#include "smtp/client.hh"

namespace greylag::smtp_client {

struct Identity {
    std::string host;   // qualifies addresses; the right side of Message-ID
    std::string login;  // a local part
    base::WallTime now;
    std::string unique;  // nobody can guess it: Message-ID and boundary
};

struct Envelope {
    mail::Path sender = mail::Path::null();
    std::vector<mail::Path> recipients;
    std::string message;  // CRLF lines, no dot stuffed
    smtp::ClientFacts::Message traits;
    bool needs_utf8() const;  // an address of it does
};

struct Submission {
    Envelope open;
    std::optional<Envelope> blind;
};

// Failures are of kind usage: the sentence names the option or the field.
Result<Submission> prepare(const Options& options, std::string_view message, const Identity& who);

}  // namespace greylag::smtp_client
