// A complete message to the mailer, and its answer.
#pragma once
#include "cmd/smtpd/lmtp_mailer.hh"
#include "cmd/smtpd/setup.hh"
#include "smtp/server.hh"
#include "sys/log.hh"
#include "sys/peer.hh"
#include "sys/spool.hh"

namespace greylag::smtpd {

// `name` is what the peer is called in DNS, or empty.
// What is put in front of the client's octets: the From line (upas convention only) and Received.
std::string front_matter(const Setup& setup, const smtp::Envelope& envelope, const sys::Ends& ends, const std::string& name,
                         const std::string& id);

// Starts the mailer on the finished spool and waits for it, or hands the message to the LMTP server; logs deliver or
// deliver-failed.
mail::Verdict deliver(const Setup& setup, const smtp::Envelope& envelope, const sys::Ends& ends, const std::string& name,
                      const std::string& id, sys::Spool& spool, LmtpMailer& lmtp, sys::Log& log);

// In its place for a message that the lists keep out: logs it, and saves a copy where that is wanted.
void refuse_blocked(const Setup& setup, const smtp::Envelope& envelope, const sys::Ends& ends, const mail::Verdict& verdict,
                    sys::Spool& spool, sys::Log& log);

}  // namespace greylag::smtpd
