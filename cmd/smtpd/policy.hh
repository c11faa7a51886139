// The answers to a session's questions: a chain of voices, each of which says nothing or a verdict; the first refusal wins.
#pragma once
#include "cmd/smtpd/lookup.hh"
#include "cmd/smtpd/setup.hh"
#include "smtp/server.hh"
#include "sys/peer.hh"

namespace greylag::smtpd {

class Policy {
public:
    // All must outlive the Policy.
    Policy(const Setup& setup, const sys::Ends& ends, Lookup& lookup);

    // From now on the peer is no stranger.
    void authenticated() { authenticated_ = true; }

    mail::Verdict on(const smtp::question::Helo& asked) const;
    mail::Verdict on(const smtp::question::Sender& asked) const;
    mail::Verdict on(const smtp::question::Recipient& asked) const;
    mail::Verdict on(const smtp::question::Data& asked) const;

private:
    bool is_stranger() const { return !trusted_ && !authenticated_; }
    bool may_relay() const { return !is_stranger() || !setup_.settings.smtpd.norelay; }
    const Setup& setup_;
    Lookup& lookup_;
    std::optional<mail::IpAddress> peer_;
    bool trusted_, authenticated_ = false;
    policy::Ours ours_;
};

}  // namespace greylag::smtpd
