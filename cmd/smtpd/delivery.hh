// A complete message to the mailer, and its answer.
#pragma once
#include "cmd/smtpd/lmtp_mailer.hh"
#include "cmd/smtpd/setup.hh"
#include "smtp/server.hh"
#include "sys/log.hh"
#include "sys/peer.hh"
#include "sys/spool.hh"

namespace greylag::smtpd {

// A message, whose it is and where it came from.
struct Parcel {
    const Setup& setup;
    const sys::Ends& ends;
    const smtp::Envelope& envelope;
    const std::string& name;  // what the peer is called in DNS, or empty
    const std::string& id;
};

// What is put in front of the client's octets: the From line (upas convention only) and Received.
std::string front_matter(const Parcel& parcel);

// Starts the mailer on the finished spool and waits for it, or hands the message to the LMTP server; logs deliver or
// deliver-failed.
mail::Verdict deliver(const Parcel& parcel, sys::Spool& spool, LmtpMailer& lmtp, sys::Log& log);

// In its place for a message that the lists keep out: logs it, and saves a copy where that is wanted.
void refuse_blocked(const Parcel& parcel, const mail::Verdict& verdict, sys::Spool& spool, sys::Log& log);

}  // namespace greylag::smtpd
