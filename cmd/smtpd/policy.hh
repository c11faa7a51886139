// The answers to a session's questions: a chain of voices, each of which says nothing or a verdict; the first refusal wins.
#pragma once
#include "cmd/smtpd/greylist.hh"
#include "cmd/smtpd/lookup.hh"
#include "cmd/smtpd/setup.hh"
#include "smtp/server.hh"
#include "sys/peer.hh"

namespace greylag::smtpd {

class Policy {
public:
    // All must outlive the Policy.
    Policy(const Setup& setup, const sys::Ends& ends, Lookup& lookup, sys::Log& log, const smtp::ServerSession& session);

    mail::Verdict on(const smtp::question::Helo& asked) const;
    mail::Verdict on(const smtp::question::Sender& asked) const;
    mail::Verdict on(const smtp::question::Recipient& asked);
    mail::Verdict on(const smtp::question::Data& asked);

private:
    bool is_stranger() const { return !trusted_ && session_.user().empty(); }
    bool may_relay() const { return !is_stranger() || !setup_.settings.smtpd.norelay; }
    bool greylists() const { return setup_.settings.smtpd.greylist && is_stranger(); }
    mail::Verdict user_of(const smtp::question::Recipient& asked) const;
    const Setup& setup_;
    Lookup& lookup_;
    std::optional<mail::IpAddress> peer_;
    bool trusted_;
    policy::Ours ours_;
    const smtp::ServerSession& session_;
    Greylist greylist_;
};

}  // namespace greylag::smtpd
