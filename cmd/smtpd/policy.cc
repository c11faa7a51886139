#include "cmd/smtpd/policy.hh"

#include "policy/helo.hh"
#include "sys/file.hh"

namespace greylag::smtpd {

using mail::Verdict;
using mail::Why;

Policy::Policy(const Setup& setup, const sys::Ends& ends, Lookup& lookup, sys::Log& log, const smtp::ServerSession& session)
    : setup_(setup),
      lookup_(lookup),
      peer_(ends.remote ? std::optional(ends.remote->address) : std::nullopt),
      trusted_(setup.is_trusted(peer_)),
      session_(session),
      greylist_(setup, ends, log) {
    ours_.domains = setup.users.ours;
    if (ends.local) ours_.address = ends.local->address;
}

Verdict Policy::on(const smtp::question::Helo& asked) const {
    return is_stranger() ? policy::helo_claim(asked.name.host, peer_, ours_, setup_.settings.smtpd.norelay) : Verdict::pass();
}

Verdict Policy::on(const smtp::question::Data&) {
    return greylists() ? greylist_.data(session_.envelope()) : Verdict::pass();
}

namespace {
bool looks_like_option(const mail::Path& path, const Mailer& mailer) {
    if (path.is_null()) return false;
    return (mailer.bang ? path.bang() : path.text()).starts_with('-');
}
}  // namespace

Verdict Policy::on(const smtp::question::Sender& asked) const {
    if (!protects_sender(setup_.mailer) && looks_like_option(asked.path, setup_.mailer)) return Verdict::never(Why::sender_unsafe);
    lookup_.ask_peer_name();
    if (setup_.settings.smtpd.verifysenderdom && is_stranger() && !asked.path.is_null()) {
        auto verdict = lookup_.sender(asked.path.mailbox().host());
        if (!verdict.ok()) return verdict;
    }
    if (asked.size) {
        // What cannot be asked is not refused: the spool itself will say when it is full.
        const auto space = sys::free_space(setup_.settings.paths.state);
        if (space && *asked.size > *space) return Verdict::later(Why::no_space);
    }
    return Verdict::pass();
}

// The greylist comes last: who is refused for good is not asked to come again.
Verdict Policy::on(const smtp::question::Recipient& asked) {
    auto verdict = user_of(asked);
    if (verdict.ok() && greylists()) verdict = greylist_.recipient(session_.envelope(), asked.path);
    return verdict;
}

Verdict Policy::user_of(const smtp::question::Recipient& asked) const {
    if (!protects_recipients(setup_.mailer) && looks_like_option(asked.path, setup_.mailer))
        return Verdict::never(Why::recipient_unsafe);
    if (!may_relay()) {
        auto verdict = policy::relay_right(asked.path, ours_);
        if (!verdict.ok()) return verdict;
    }
    if (!setup_.mailer.is_send() || !mailbox::is_local(setup_.users, asked.path.mailbox().host())) return Verdict::pass();
    const auto targets = mailbox::resolve(setup_.users, asked.path.mailbox());
    if (targets) return Verdict::pass();
    if (targets.error().kind == Kind::not_found && targets.error().lasting == Lasting::permanent)
        return Verdict::never(Why::user_unknown);
    return Verdict::later(Why::user_lookup);
}

}  // namespace greylag::smtpd
