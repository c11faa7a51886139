#include "cmd/send/deliver.hh"

#include <sysexits.h>

#include <algorithm>
#include <map>

#include "base/ascii.hh"
#include "cmd/send/notice.hh"
#include "mailbox/maildir.hh"
#include "sys/host.hh"
#include "sys/spool.hh"

namespace greylag::send {
namespace {

using State = Outcome::State;

Outcome of_lookup(const Error& error) {
    if (error.lasting == Lasting::temporary) return later(error.text);
    return never(EX_NOUSER, "550 5.1.1", error.text);
}

std::string address_of(const mailbox::Target& target) {
    const auto* remote = std::get_if<mail::Mailbox>(&target);
    return remote != nullptr ? remote->text() : std::get<mailbox::LocalBox>(target).delivered_to;
}

bool same(const mailbox::Target& a, const mailbox::Target& b) {
    if (a.index() != b.index() || address_of(a) != address_of(b)) return false;
    const auto* box = std::get_if<mailbox::LocalBox>(&a);
    return box == nullptr || box->maildir == std::get<mailbox::LocalBox>(b).maildir;
}

// Local copies that are safe on disk and not yet visible, by their place in the list of deliveries.
using Drafts = std::vector<std::pair<std::size_t, mailbox::Draft>>;

class Round {
public:
    Round(const Job& job, const Message& message) : job_(job), message_(message) {}
    std::vector<Delivery> run(std::span<const std::string_view> recipients);

private:
    void look_up(std::string_view recipient);
    void write_locals();
    void send_remotes();
    void tell_postmaster();
    void commit();
    bool waiting() const { return any(deliveries_, State::later); }

    const Job& job_;
    const Message& message_;
    std::vector<Delivery> deliveries_;
    Drafts drafts_;
    std::vector<mailbox::Draft> notices_;
};

void Round::look_up(std::string_view recipient) {
    const auto path = mail::Path::parse_argument(recipient);
    if (!path || path->is_null() || path->is_loopback()) {
        deliveries_.push_back({std::string(recipient), {}, never(EX_NOUSER, "553 5.1.3", "this is no address of a mailbox")});
        return;
    }
    auto targets = mailbox::resolve(job_.rules, path->mailbox());
    if (!targets) {
        deliveries_.push_back({path->text(), {}, of_lookup(targets.error())});
        return;
    }
    for (mailbox::Target& target : *targets) {
        const auto known = [&](const Delivery& d) { return d.target && same(*d.target, target); };
        if (std::any_of(deliveries_.begin(), deliveries_.end(), known)) continue;
        Delivery delivery{address_of(target), std::move(target), {}};
        if (job_.refuse_remote && std::holds_alternative<mail::Mailbox>(*delivery.target))
            delivery.outcome = never(EX_NOPERM, "550 5.7.1", "this host sends no mail to other hosts");
        deliveries_.push_back(std::move(delivery));
    }
}

std::string prefix(const mail::Path& sender, const std::string& delivered_to) {
    return "Return-Path: " + sender.bracketed() + "\nDelivered-To: " + delivered_to + "\n";
}

void Round::write_locals() {
    for (std::size_t i = 0; i < deliveries_.size() && !waiting(); ++i) {
        Delivery& delivery = deliveries_[i];
        const auto* box = delivery.target ? std::get_if<mailbox::LocalBox>(&*delivery.target) : nullptr;
        if (box == nullptr) continue;
        const auto& been = message_.delivered_to;
        if (std::find(been.begin(), been.end(), base::lower(box->delivered_to)) != been.end()) {
            delivery.outcome = never(EX_UNAVAILABLE, "554 5.4.6", "the message has been here before: mail loop");
            continue;
        }
        auto draft = mailbox::Draft::write(box->maildir, prefix(message_.sender, box->delivered_to), message_.fd, message_.start);
        if (draft)
            drafts_.emplace_back(i, *std::move(draft));
        else
            delivery.outcome = later(draft.error().text);
    }
}

void Round::send_remotes() {
    std::map<std::string, std::vector<std::size_t>> hosts;
    for (std::size_t i = 0; i < deliveries_.size(); ++i) {
        const auto& target = deliveries_[i].target;
        const auto* remote = target ? std::get_if<mail::Mailbox>(&*target) : nullptr;
        if (remote != nullptr && deliveries_[i].outcome.state == State::open)
            hosts[base::lower(mail::text(remote->host()))].push_back(i);
    }
    for (const auto& [name, places] : hosts) {
        std::vector<std::string> addresses;
        for (const std::size_t i : places) addresses.push_back(deliveries_[i].address);
        const auto& host = std::get<mail::Mailbox>(*deliveries_[places.front()].target).host();
        auto outcomes = send_remote(job_.courier, host, message_.sender, addresses, message_.fd, message_.start, job_.deadline);
        for (std::size_t k = 0; k < places.size(); ++k) deliveries_[places[k]].outcome = std::move(outcomes[k]);
    }
}

// Best effort: the refusals stand on standard error as well, and a notice must not hold up the mail it is about.
void Round::tell_postmaster() {
    const auto postmaster = mail::Mailbox::make("postmaster", {});
    if (!postmaster) return;
    const auto targets = mailbox::resolve(job_.rules, *postmaster);
    if (!targets) return;
    sys::Spool spool(job_.spool);
    if (!spool.append(notice(deliveries_, message_.sender, message_.header, job_.rules.domain, sys::make_id(), sys::wall_now())))
        return;
    const auto fd = spool.finish();
    if (!fd) return;
    for (const mailbox::Target& target : *targets) {
        if (const auto* box = std::get_if<mailbox::LocalBox>(&target)) {
            auto draft = mailbox::Draft::write(box->maildir, prefix(mail::Path::null(), box->delivered_to), fd->get(), 0);
            if (draft) notices_.push_back(*std::move(draft));
        } else if (!job_.refuse_remote) {
            const auto& remote = std::get<mail::Mailbox>(target);
            const std::string address = remote.text();
            send_remote(job_.courier, remote.host(), mail::Path::null(), {&address, 1}, fd->get(), 0, job_.deadline);
        }
    }
}

void Round::commit() {
    for (auto& [i, draft] : drafts_) {
        const auto name = draft.commit();
        deliveries_[i].outcome = name ? delivered() : later(name.error().text);
        if (!name) return;
    }
    for (mailbox::Draft& draft : notices_) static_cast<void>(draft.commit());
}

std::vector<Delivery> Round::run(std::span<const std::string_view> recipients) {
    for (const std::string_view recipient : recipients) look_up(recipient);
    if (!waiting()) write_locals();
    if (!waiting()) send_remotes();
    if (waiting()) return std::move(deliveries_);
    const bool good = !drafts_.empty() || any(deliveries_, State::delivered);
    if (good && any(deliveries_, State::never)) tell_postmaster();
    commit();
    return std::move(deliveries_);
}

}  // namespace

std::vector<Delivery> deliver(const Job& job, const Message& message, std::span<const std::string_view> recipients) {
    return Round(job, message).run(recipients);
}

}  // namespace greylag::send
