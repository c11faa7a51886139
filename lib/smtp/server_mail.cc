// One transaction: MAIL, RCPT, DATA or BDAT, the body and its answer (RFC 5321 3.3, RFC 3030).
#include "smtp/server.hh"

namespace greylag::smtp {

namespace {
constexpr unsigned helo_refusal_limit = 3;
constexpr unsigned received_limit = 50;  // RFC 5321 6.3
}  // namespace

Offered ServerSession::offered() const {
    return {.extended = envelope_.extended, .utf8 = true, .auth = !facts_.mechanisms.empty() || !user().empty()};
}

bool ServerSession::helo_refused() {
    if (helo_verdict_.ok() || !user().empty()) return false;
    if (++helo_refusals_ >= helo_refusal_limit) {
        say(Voice::helo_lies);
        close("helo");
    } else {
        refuse(helo_verdict_, envelope_.helo.text);
    }
    return true;
}

void ServerSession::mail(std::string_view argument) {
    if (phase_ != Phase::greeted) return refuse(Voice::nested_mail);
    auto parsed = parse_mail(argument, offered());
    if (!parsed) return refuse(std::move(parsed).error());
    if (facts_.auth_required && user().empty()) return refuse(Voice::auth_needed);
    if (helo_refused()) return;
    if (parsed->size && *parsed->size > facts_.size_limit) return refuse(too_big());
    pending_mail_ = std::move(*parsed);
    ask(Asked::sender, question::Sender{pending_mail_.sender, pending_mail_.size});
}

void ServerSession::sender_answered(const mail::Verdict& verdict) {
    if (!verdict.ok()) return refuse(verdict, pending_mail_.sender.text());
    envelope_.sender = std::move(pending_mail_.sender);
    envelope_.body = pending_mail_.body;
    envelope_.utf8 = pending_mail_.utf8;
    phase_ = Phase::sender;
    say(Voice::mail_ok, {envelope_.sender.text()});
}

void ServerSession::rcpt(std::string_view argument) {
    if (phase_ == Phase::greeted) return refuse(Voice::need_mail);
    auto parsed = parse_rcpt(argument, offered(), envelope_.utf8);
    if (!parsed) return refuse(std::move(parsed).error());
    // Not an error of the client's: it may not know our limit, and RFC 5321 4.5.3.1.10 has it send the rest later.
    if (envelope_.recipients.size() >= facts_.recipient_limit) return say(Voice::too_many_recipients);
    pending_recipient_ = std::move(parsed->recipient);
    ask(Asked::recipient, question::Recipient{pending_recipient_});
}

void ServerSession::recipient_answered(const event::Answer& e) {
    if (!e.verdict.ok()) {
        ++refused_recipients_;
        return refuse(e.verdict, pending_recipient_.text());
    }
    envelope_.recipients.push_back(e.meant ? *e.meant : std::move(pending_recipient_));
    phase_ = Phase::recipients;
    say(Voice::rcpt_ok, {envelope_.recipients.back().text()});
}

// Why no body can come now, or nothing.
std::optional<Reply> ServerSession::no_transaction() const {
    if (phase_ == Phase::connected) return smtp::say(Voice::need_helo);
    if (phase_ == Phase::greeted) return smtp::say(Voice::need_mail);
    if (phase_ == Phase::sender) return smtp::say(refused_recipients_ > 0 ? Voice::no_valid_recipient : Voice::need_rcpt);
    return std::nullopt;
}

void ServerSession::data(std::string_view) {
    if (auto reply = no_transaction()) return refuse(std::move(*reply));
    pending_bdat_.reset();
    ask(Asked::data, question::Data{});
}

void ServerSession::data_answered(const mail::Verdict& verdict) {
    if (verdict.ok()) {
        base::Event log{base::Word::accept, {}};
        std::string to;
        for (const auto& path : envelope_.recipients) to += (to.empty() ? "" : ",") + path.text();
        log.with_peer("helo", envelope_.helo.text).with_peer("from", envelope_.sender.text()).with_peer("to", std::move(to));
        out_.push_back(effect::Log{std::move(log)});
        if (pending_bdat_) return chunk(*pending_bdat_);
        phase_ = Phase::body;
        say(Voice::data_go);
        out_.push_back(effect::TakeBody{});
        return;
    }
    if (verdict.why == mail::Why::dialup) shut_out_ = verdict;
    if (pending_bdat_) {
        // The octets are on their way whatever we think of them.
        chunk_refusal_ = rejection(verdict, envelope_.sender.text());
        return chunk(*pending_bdat_);
    }
    const std::string about = envelope_.sender.text();
    forget_transaction();
    phase_ = Phase::greeted;
    if (behind_data_) {
        say(Voice::sync_error);
        return close("sync-error");
    }
    refuse(verdict, about);
}

void ServerSession::bdat(std::string_view argument) {
    const auto parsed = parse_bdat(argument);
    if (!parsed) return refuse(parsed.error());
    if (parsed->countless) {
        say(Voice::chunk_countless);
        return close("chunk");
    }
    if (!envelope_.extended) chunk_refusal_ = smtp::say(Voice::unknown_command);
    if (shut_out_ && !chunk_refusal_) chunk_refusal_ = smtp::say(*shut_out_);
    if (auto reply = no_transaction(); reply && !chunk_refusal_) chunk_refusal_ = std::move(reply);
    if (!chunk_refusal_ && parsed->octets > facts_.size_limit - chunk_octets_) chunk_refusal_ = too_big();
    if (phase_ == Phase::recipients && !chunk_refusal_) {
        pending_bdat_ = *parsed;
        return ask(Asked::data, question::Data{});
    }
    chunk(*parsed);
}

void ServerSession::chunk(const BdatArgument& bdat) {
    const bool begins = phase_ != Phase::chunks;
    chunk_ = bdat;
    if (no_transaction()) {
        // Nothing is begun: the phase stays, the octets go by, and then they are answered.
        out_.push_back(effect::TakeBody{.begins = false, .chunk = bdat.octets, .keep = false});
        return;
    }
    phase_ = Phase::chunks;
    out_.push_back(effect::TakeBody{.begins = begins && !chunk_refusal_, .chunk = bdat.octets, .keep = !chunk_refusal_});
}

// A chunk that was refused takes its message with it: what follows is refused alike, until the last one or RSET.
void ServerSession::chunk_done(const BodyReport& report) {
    const BdatArgument bdat = *std::exchange(chunk_, std::nullopt);
    if (chunk_refusal_) {
        Reply reply = *chunk_refusal_;
        if (phase_ != Phase::chunks) {
            chunk_refusal_.reset();
        } else if (bdat.last) {
            forget_transaction();
            phase_ = Phase::greeted;
        }
        if (reply.code < 500) return say(std::move(reply));
        return refuse(std::move(reply));
    }
    chunk_octets_ += bdat.octets;
    if (!bdat.last) return say(Voice::chunk_ok, {std::to_string(bdat.octets)});
    phase_ = Phase::body;
    if (auto reply = objection(report)) return refuse_message(std::move(*reply), report);
    ask(Asked::deliver, question::Deliver{});
}

// Why the body cannot be taken, or nothing. What the client must not repeat unchanged comes before what only we failed at.
std::optional<Reply> ServerSession::objection(const BodyReport& report) const {
    if (report.octets > facts_.size_limit) return too_big();
    if (report.faults.bare_lf || report.faults.bare_cr || report.faults.nul) return smtp::say(Voice::bare_newline);
    if (report.faults.long_line) return smtp::say(Voice::line_in_body);
    if (report.header > header_limit) return smtp::say(Voice::header_too_big);
    if (report.received > received_limit) return smtp::say(mail::Verdict::never(mail::Why::loop));
    if (report.failed) return smtp::say(*report.failed);
    return std::nullopt;
}

void ServerSession::body_done(const event::BodyDone& e) {
    if (asking()) return;
    if (chunk_) return chunk_done(e.report);
    if (phase_ != Phase::body) return;
    if (auto reply = objection(e.report)) return refuse_message(std::move(*reply), e.report);
    ask(Asked::deliver, question::Deliver{});
}

void ServerSession::refuse_message(Reply reply, const BodyReport& report) {
    base::Event log{base::Word::reject, {}};
    log.with("code", std::to_string(reply.code)).with("size", std::to_string(report.octets));
    log.with_peer("from", envelope_.sender.text()).with_peer("reason", reply.lines.front());
    out_.push_back(effect::Log{std::move(log)});
    forget_transaction();
    phase_ = Phase::greeted;
    say(std::move(reply));
}

void ServerSession::delivered(const event::Delivered& e) {
    if (asked_ != Asked::deliver) return;
    asked_ = Asked::nothing;
    forget_transaction();
    phase_ = Phase::greeted;
    if (!e.verdict.ok()) return say(smtp::say(e.verdict));
    ++count_.messages;
    say(Voice::sent, {e.id});
}

void ServerSession::forget_transaction() {
    envelope_.sender = mail::Path::null();
    envelope_.recipients.clear();
    envelope_.body = Body::seven_bit;
    envelope_.utf8 = false;
    refused_recipients_ = 0;
    chunk_refusal_.reset();
    chunk_octets_ = 0;
}

}  // namespace greylag::smtp
