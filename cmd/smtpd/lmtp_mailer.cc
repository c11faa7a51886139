#include "cmd/smtpd/lmtp_mailer.hh"

#include <algorithm>

#include "cmd/send/notice.hh"
#include "smtp/dot.hh"
#include "smtp/voice.hh"
#include "sys/dial.hh"
#include "sys/durable.hh"
#include "sys/host.hh"
#include "sys/io.hh"

namespace greylag::smtpd {

namespace {

using base::Millis;
using mail::Verdict;
using mail::Why;
using sys::Deadline;

constexpr std::size_t piece = 64 << 10;
constexpr std::size_t shown_header = 16 << 10;
// Between the last answer of the server and our 250 a crash means a message twice; little may happen there.
constexpr Millis notice_wait{10'000};

// Only "postmaster" comes without a domain, and not every LMTP server knows whose.
mail::Path qualified(const mail::Path& path, const std::string& domain) {
    if (path.is_null() || path.mailbox().is_qualified()) return path;
    const auto host = mail::Domain::parse(domain, mail::Domain::Allow::utf8);
    const auto mailbox = host ? mail::Mailbox::make(path.mailbox().local(), *host) : path.mailbox();
    return mailbox ? mail::Path::of(*mailbox) : path;
}

// "550 5.1.1" and the words, as we would say it.
send::Outcome outcome(const Verdict& verdict) {
    const smtp::Reply reply = smtp::say(verdict);
    return send::never(0, std::to_string(reply.code) + " " + reply.enhanced, reply.lines.front());
}

}  // namespace

Result<sys::Fd> connect(const LmtpPlace& place, Deadline deadline) {
    if (!place.path.empty()) return sys::dial_unix(place.path, deadline);
    Result<sys::Fd> fd = base::fail_later(Kind::not_found, place.host + ": not in /etc/hosts, and no address");
    for (const auto& address : sys::host_addresses(place.host)) {
        fd = sys::dial({address, place.port}, deadline);
        if (fd) break;
    }
    return fd;
}

void LmtpMailer::forget() {
    if (session_ && fd_) {
        session_->quit();
        (void)sys::write_all(fd_.get(), session_->output(), Deadline::in(Millis{0}));
    }
    session_.reset();
    fd_.reset();
    places_.clear();
}

void LmtpMailer::open(const smtp::Envelope& envelope) {
    forget();
    session_.emplace(setup_.domain, envelope.sender, envelope.utf8);
    const auto deadline = patience();
    auto fd = connect(*setup_.mailer.lmtp, deadline);
    if (!fd) return session_->lost(fd.error().text);
    fd_ = std::move(*fd);
    exchange(deadline);
}

// Says what there is to say and waits for the answer.
void LmtpMailer::exchange(Deadline deadline) {
    char room[4096];
    for (;;) {
        const std::string out = session_->output();
        if (!out.empty())
            if (const auto sent = sys::write_all(fd_.get(), out, deadline); !sent) return session_->lost(sent.error().text);
        if (!session_->waiting()) return;
        const auto got = sys::read_some(fd_.get(), room, deadline);
        if (!got) return session_->lost(got.error().text);
        if (*got == 0) return session_->lost("the LMTP server closed the connection");
        session_->feed({room, *got});
    }
}

Verdict LmtpMailer::recipient(const smtp::Envelope& envelope, const mail::Path& path) {
    if (!session_) open(envelope);
    const std::size_t place = session_->verdicts().size();
    session_->recipient(qualified(path, setup_.domain));
    exchange(patience());
    Verdict verdict = session_->verdicts()[place];
    if (verdict.ok()) places_.push_back(place);
    if (session_->broken())
        log_.write(
            base::Event{}.with("reason", "mailer").with("mailer", setup_.mailer.program).with_peer("said", verdict.detail));
    return verdict;
}

// True: the body may go. A server that grew tired of the client's pauses is asked once more from the beginning: nothing of the
// message is there yet.
bool LmtpMailer::say_data(const smtp::Envelope& envelope, Deadline deadline) {
    for (int tries = 0; tries < 2; ++tries) {
        if (tries > 0 || !session_ || session_->over() || places_.size() != envelope.recipients.size()) {
            open(envelope);
            for (const auto& path : envelope.recipients) {
                places_.push_back(session_->verdicts().size());
                session_->recipient(qualified(path, setup_.domain));
                exchange(deadline);
            }
        }
        const auto& all = session_->verdicts();
        if (std::none_of(all.begin(), all.end(), [](const Verdict& v) { return v.ok(); })) {
            if (session_->broken()) continue;
            return false;
        }
        session_->data();
        exchange(deadline);
        if (session_->takes_body()) return true;
        if (!session_->broken()) return false;
    }
    return false;
}

void LmtpMailer::send_body(int message, Deadline deadline) {
    smtp::DotEncoder encoder;
    std::string wire;
    for (std::uint64_t at = 0;;) {
        const auto bytes = sys::read_at(message, at, piece);
        if (!bytes) return session_->lost(bytes.error().text);
        wire.clear();
        encoder.feed(*bytes, wire);
        if (bytes->empty()) encoder.finish(wire);
        if (const auto sent = sys::write_all(fd_.get(), wire, deadline); !sent) return session_->lost(sent.error().text);
        if (bytes->empty()) break;
        at += bytes->size();
    }
    finish_body(deadline);
}

void LmtpMailer::finish_body(Deadline deadline) {
    session_->body_sent();
    exchange(deadline);
}

std::vector<Verdict> LmtpMailer::taken() const {
    std::vector<Verdict> out;
    for (const std::size_t place : places_) out.push_back(session_->verdicts()[place]);
    return out;
}

Verdict LmtpMailer::deliver(const smtp::Envelope& envelope, const std::string& id, int message, base::Event event) {
    const auto start = sys::stopwatch();
    const auto deadline = patience();
    if (say_data(envelope, deadline)) send_body(message, deadline);
    const auto verdicts = taken();
    Verdict all = smtp::joined(verdicts);
    event.with("ms", std::to_string(sys::since(start).count()));
    if (all.ok()) {
        event.word = base::Word::deliver;
    } else {
        event.with("code", std::to_string(smtp::say(all).code)).with_peer("said", all.detail);
    }
    log_.write(event);
    const bool refused = std::any_of(verdicts.begin(), verdicts.end(), [](const Verdict& v) { return !v.ok(); });
    if (refused && verdicts.size() > 1) note_refusals(envelope, verdicts);
    if (refused && all.ok()) tell_postmaster(envelope, verdicts, id, message);
    return all;
}

void LmtpMailer::note_refusals(const smtp::Envelope& envelope, const std::vector<Verdict>& verdicts) const {
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (verdicts[i].ok()) continue;
        base::Event event{base::Word::deliver_failed, {}};
        event.with("code", std::to_string(smtp::say(verdicts[i]).code)).with("mailer", setup_.mailer.program);
        event.with_peer("from", envelope.sender.text()).with_peer("to", envelope.recipients[i].text());
        log_.write(event.with_peer("said", verdicts[i].detail));
    }
}

void LmtpMailer::tell_postmaster(const smtp::Envelope& envelope, const std::vector<Verdict>& verdicts, const std::string& id,
                                 int message) {
    std::vector<send::Delivery> refused;
    for (std::size_t i = 0; i < verdicts.size(); ++i)
        if (!verdicts[i].ok()) refused.push_back({envelope.recipients[i].text(), std::nullopt, outcome(verdicts[i])});
    std::string header;
    if (auto head = sys::read_at(message, 0, shown_header)) header = head->substr(0, head->find("\n\n"));
    const std::string text = send::notice(refused, envelope.sender, header, setup_.domain, id + ".notice", sys::wall_now());

    const std::string& named = setup_.settings.mailer.postmaster;
    const auto to = mail::Path::parse_argument(named.empty() ? "postmaster@" + setup_.domain : named);
    const auto deadline = Deadline::in(notice_wait);
    if (to) {
        session_->next(mail::Path::null(), false);
        exchange(deadline);
        session_->recipient(qualified(*to, setup_.domain));
        exchange(deadline);
        session_->data();
        exchange(deadline);
        if (session_->takes_body()) {
            smtp::DotEncoder encoder;
            std::string wire;
            encoder.feed(text, wire);
            encoder.finish(wire);
            if (const auto sent = sys::write_all(fd_.get(), wire, deadline); !sent) session_->lost(sent.error().text);
            finish_body(deadline);
        }
        if (!session_->verdicts().empty() && session_->verdicts().front().ok()) return;
    }
    base::Event event{base::Word::deliver_failed, {}};
    event.with("reason", "notice").with("mailer", setup_.mailer.program).with("to", to ? to->text() : named);
    if (!session_->verdicts().empty()) event.with_peer("said", session_->verdicts().front().detail);
    log_.write(event);
}

}  // namespace greylag::smtpd
