// The answers to a session's questions: a chain of voices, each of which says nothing or a verdict; the first refusal wins.
#pragma once
#include "cmd/smtpd/setup.hh"
#include "smtp/server.hh"
#include "sys/peer.hh"

namespace greylag::smtpd {

class Policy {
public:
    // Both must outlive the Policy.
    Policy(const Setup& setup, const sys::Ends& ends);

    mail::Verdict on(const smtp::question::Helo& asked) const;
    mail::Verdict on(const smtp::question::Sender& asked) const;
    mail::Verdict on(const smtp::question::Recipient& asked) const;
    mail::Verdict on(const smtp::question::Data& asked) const;

private:
    bool may_relay() const { return trusted_ || !setup_.settings.smtpd.norelay; }
    const Setup& setup_;
    bool trusted_;
    policy::Ours ours_;
};

}  // namespace greylag::smtpd
