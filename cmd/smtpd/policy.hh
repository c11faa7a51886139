// The answers to a session's questions: a chain of voices, each of which says nothing or a verdict; the first refusal wins.
#pragma once
#include "cmd/smtpd/greylist.hh"
#include "cmd/smtpd/voices.hh"

namespace greylag::smtpd {

class Policy {
public:
    // All must outlive the Policy. `session` is the one that asks: its envelope is as complete as the question allows.
    Policy(const Setup& setup, const sys::Ends& ends, Lookup& lookup, sys::Log& log, const smtp::ServerSession& session);

    mail::Verdict on(const smtp::question::Helo& asked) const;
    mail::Verdict on(const smtp::question::Sender& asked);
    mail::Verdict on(const smtp::question::Recipient& asked);
    mail::Verdict on(const smtp::question::Data& asked);
    mail::Verdict on(const smtp::question::Deliver& asked) const;  // may the mailer be started?

    // Whom a recipient stands for, when that is somebody else.
    std::optional<mail::Path> meant(const mail::Path& recipient) const;
    // The warnings that belong in front of a message with this header.
    std::string tags(std::string_view header) const;

private:
    bool is_stranger() const { return !trusted_ && session_.user().empty(); }
    bool may_relay() const { return !is_stranger() || !scene_.setup.settings.smtpd.norelay; }
    // Who is blocked is not asked to come again: his second call would make him known.
    bool greylists() const {
        return scene_.setup.settings.smtpd.greylist && is_stranger() && action_.value_or(policy::Action::allow) == policy::Action::allow;
    }
    mail::Verdict listed(policy::Moment moment) const;
    mail::Verdict user_of(const smtp::question::Recipient& asked, const mail::Path& recipient) const;

    Scene scene_;
    const smtp::ServerSession& session_;
    bool trusted_;
    policy::Ours ours_;
    Greylist greylist_;
    std::optional<policy::Action> action_;  // what lies on the transaction in hand
};

}  // namespace greylag::smtpd
