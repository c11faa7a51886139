// The answers to a session's questions: a chain of voices, each of which says nothing or a verdict; the first refusal wins.
#pragma once
#include "cmd/smtpd/greylist.hh"
#include "cmd/smtpd/voices.hh"

namespace greylag::smtpd {

class Policy {
public:
    // All must outlive the Policy.
    Policy(const Setup& setup, const sys::Ends& ends, Lookup& lookup, sys::Log& log, const smtp::ServerSession& session);

    mail::Verdict on(const smtp::question::Helo& asked);
    mail::Verdict on(const smtp::question::Sender& asked);
    mail::Verdict on(const smtp::question::Recipient& asked);
    mail::Verdict on(const smtp::question::Data& asked);
    mail::Verdict on(const smtp::question::Deliver& asked);  // may the mailer be started?

    // Whom a recipient stands for, when that is somebody else.
    std::optional<mail::Path> meant(const mail::Path& recipient) const;
    // What belongs in front of a message with this header: warnings about a stranger's, what our own people's lacks.
    std::string tags(std::string_view header, const std::string& id) const;

private:
    bool is_stranger() const { return !trusted_ && session_.user().empty(); }
    bool may_relay() const { return !is_stranger() || !scene_.setup.settings.smtpd.norelay; }
    // Who is blocked is not asked to come again: his second call would make him known.
    bool greylists() const {
        const bool welcome = !action_ || *action_ == policy::Action::allow;
        return scene_.setup.settings.smtpd.greylist && is_stranger() && welcome;
    }
    mail::Verdict listed(policy::Moment moment) const;

    Scene scene_;
    bool trusted_;
    const smtp::ServerSession& session_;
    Greylist greylist_;
    policy::Ours ours_;
    std::optional<policy::Action> action_;  // what lies on the transaction in hand
};

}  // namespace greylag::smtpd
