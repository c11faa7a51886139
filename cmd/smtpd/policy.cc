#include "cmd/smtpd/policy.hh"

#include "cmd/smtpd/front.hh"
#include "policy/helo.hh"
#include "policy/submission.hh"
#include "policy/tags.hh"
#include "sys/clock.hh"
#include "sys/file.hh"

namespace greylag::smtpd {

using mail::Verdict;
using mail::Why;

Policy::Policy(const Setup& setup, const sys::Ends& ends, Lookup& lookup, sys::Log& log, const smtp::ServerSession& session)
    : scene_{setup, ends.remote ? std::optional(ends.remote->address) : std::nullopt, lookup, log},
      trusted_(setup.is_trusted(scene_.peer)),
      session_(session),
      greylist_(setup, ends, log) {
    ours_.domains = setup.users.ours;
    if (ends.local) ours_.address = ends.local->address;
}

namespace {

// Not the sender's fault, and nobody's to judge before the list can be read.
Verdict unreadable() {
    auto verdict = Verdict::later(Why::sender_deferred);
    verdict.code = 451;
    verdict.enhanced = "4.3.0";
    return verdict;
}

bool looks_like_option(const mail::Path& path, const Mailer& mailer) { return written(mailer, path).starts_with('-'); }

Verdict by_space(const Setup& setup, const std::optional<std::uint64_t>& size) {
    if (!size) return Verdict::pass();
    // What cannot be asked is not refused: the spool itself will say when it is full.
    const auto space = sys::free_space(setup.settings.paths.state);
    return space && *size > *space ? Verdict::later(Why::no_space) : Verdict::pass();
}

// The mailer's own lookup, so that a stranger's mail for nobody is refused and never sent back.
Verdict by_users(const Setup& setup, const mail::Path& recipient) {
    if (!setup.mailer.is_send() || !mailbox::is_local(setup.users, recipient.mailbox().host())) return Verdict::pass();
    const auto targets = mailbox::resolve(setup.users, recipient.mailbox());
    if (targets) return Verdict::pass();
    if (targets.error().kind == Kind::not_found && targets.error().lasting == Lasting::permanent)
        return Verdict::never(Why::user_unknown);
    return Verdict::later(Why::user_lookup);
}

}  // namespace

Verdict Policy::listed(policy::Moment moment) const {
    auto verdict = policy::spoken(action_, moment);
    if (verdict.ok() || moment == policy::Moment::mail) return verdict;
    return all_opted_out(scene_, session_.envelope().recipients) ? Verdict::pass() : verdict;
}

Verdict Policy::on(const smtp::question::Helo& asked) {
    const bool norelay = scene_.setup.settings.smtpd.norelay;
    return is_stranger() ? policy::helo_claim(asked.name.host, scene_.peer, ours_, norelay) : Verdict::pass();
}

Verdict Policy::on(const smtp::question::Sender& asked) {
    const Setup& setup = scene_.setup;
    const auto found = is_stranger() ? smtpd::listed(scene_, asked.path) : std::nullopt;
    action_ = found.value_or(std::nullopt);
    if (!found) return unreadable();
    if (auto verdict = listed(policy::Moment::mail); !verdict.ok()) return verdict;
    if (!protects_sender(setup.mailer) && looks_like_option(asked.path, setup.mailer)) return Verdict::never(Why::sender_unsafe);
    scene_.lookup.ask_peer_name();
    if (setup.settings.smtpd.verifysenderdom && is_stranger() && !asked.path.is_null()) {
        if (auto verdict = scene_.lookup.sender(asked.path.mailbox().host()); !verdict.ok()) return verdict;
    }
    return by_space(setup, asked.size);
}

Verdict Policy::on(const smtp::question::Recipient& asked) {
    const Setup& setup = scene_.setup;
    if (!protects_recipients(setup.mailer) && looks_like_option(asked.path, setup.mailer))
        return Verdict::never(Why::recipient_unsafe);
    if (!may_relay()) {
        if (auto verdict = policy::relay_right(asked.path, ours_); !verdict.ok()) return verdict;
    }
    const mail::Path recipient = meant(asked.path).value_or(asked.path);
    if (recipient.is_loopback()) return Verdict::never(Why::relay_denied);
    if (auto verdict = recipient_by_files(scene_, recipient); !verdict.ok()) return verdict;
    if (auto verdict = by_users(setup, recipient); !verdict.ok()) return verdict;
    if (auto verdict = recipient_by_program(scene_, recipient, session_.envelope().helo.text); !verdict.ok()) return verdict;
    // Last, since who is refused for good is not asked to come again.
    return greylists() ? greylist_.recipient(session_.envelope(), recipient) : Verdict::pass();
}

Verdict Policy::on(const smtp::question::Data&) {
    if (auto verdict = listed(policy::Moment::data); !verdict.ok()) return verdict;
    if (!is_stranger()) return Verdict::pass();
    if (auto verdict = sender_by_program(scene_, session_.envelope()); !verdict.ok()) return verdict;
    return greylists() ? greylist_.data(session_.envelope()) : Verdict::pass();
}

Verdict Policy::on(const smtp::question::Deliver&) { return listed(policy::Moment::message); }

std::optional<mail::Path> Policy::meant(const mail::Path& recipient) const {
    return policy::meant(recipient, ours_, scene_.peer, scene_.setup.domain);
}

std::string Policy::tags(std::string_view header, const std::string& id) const {
    const auto& envelope = session_.envelope();
    if (!is_stranger())
        return policy::missing_fields(header, header.size() < Front::header_limit,
                                      {envelope.sender, scene_.setup.domain, id, sys::wall_now()});
    if (may_relay()) return {};
    return policy::forgery_tags(envelope.sender, envelope.helo.host, header, ours_);
}

}  // namespace greylag::smtpd
