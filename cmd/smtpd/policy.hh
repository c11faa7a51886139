// The answers to a session's questions: a chain of voices, each of which says nothing or a verdict; the first refusal wins.
#pragma once
#include "cmd/smtpd/voices.hh"

namespace greylag::smtpd {

class Policy {
public:
    // All must outlive the Policy.
    Policy(const Setup& setup, const sys::Ends& ends, sys::Log& log);

    // `session` is the one that asks: its envelope is as complete as the question allows.
    mail::Verdict on(const smtp::question::Helo& asked, const smtp::ServerSession& session);
    mail::Verdict on(const smtp::question::Sender& asked, const smtp::ServerSession& session);
    mail::Verdict on(const smtp::question::Recipient& asked, const smtp::ServerSession& session);
    mail::Verdict on(const smtp::question::Data& asked, const smtp::ServerSession& session);
    // Whether the complete message may go to the mailer.
    mail::Verdict on(const smtp::question::Deliver& asked, const smtp::ServerSession& session);

    // Whom a recipient stands for, when that is somebody else.
    std::optional<mail::Path> meant(const mail::Path& recipient) const;
    // The warnings that belong in front of a message with this header.
    std::string tags(const smtp::ServerSession& session, std::string_view header) const;

private:
    // Trusted by address or by password: no list, no tag, no relay rule.
    bool known(const smtp::ServerSession& session) const { return trusted_ || !session.user().empty(); }
    mail::Verdict listed(policy::Moment moment, const smtp::ServerSession& session) const;

    Scene scene_;
    bool trusted_;
    policy::Ours ours_;
    std::optional<policy::Action> action_;  // what lies on the transaction in hand
};

}  // namespace greylag::smtpd
