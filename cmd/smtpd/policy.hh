// The answers to a session's questions: a chain of voices, each of which says nothing or a verdict; the first refusal wins.
#pragma once
#include "cmd/smtpd/voices.hh"

namespace greylag::smtpd {

class Policy {
public:
    // All must outlive the Policy.
    Policy(const Setup& setup, const sys::Ends& ends, Lookup& lookup, sys::Log& log);

    // From now on the peer is no stranger.
    void authenticated() { authenticated_ = true; }

    // The envelope is as complete as the question allows.
    mail::Verdict on(const smtp::question::Helo& asked, const smtp::Envelope& envelope);
    mail::Verdict on(const smtp::question::Sender& asked, const smtp::Envelope& envelope);
    mail::Verdict on(const smtp::question::Recipient& asked, const smtp::Envelope& envelope);
    mail::Verdict on(const smtp::question::Data& asked, const smtp::Envelope& envelope);
    mail::Verdict on(const smtp::question::Deliver& asked, const smtp::Envelope& envelope);  // may the mailer be started?

    // Whom a recipient stands for, when that is somebody else.
    std::optional<mail::Path> meant(const mail::Path& recipient) const;
    // The warnings that belong in front of a message with this header.
    std::string tags(const smtp::Envelope& envelope, std::string_view header) const;

private:
    bool is_stranger() const { return !trusted_ && !authenticated_; }
    bool may_relay() const { return !is_stranger() || !scene_.setup.settings.smtpd.norelay; }
    mail::Verdict listed(policy::Moment moment, const smtp::Envelope& envelope) const;

    Scene scene_;
    bool trusted_, authenticated_ = false;
    policy::Ours ours_;
    std::optional<policy::Action> action_;  // what lies on the transaction in hand
};

}  // namespace greylag::smtpd
