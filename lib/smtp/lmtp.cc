// Refuses to know sockets and clocks. A reply of the server that makes no sense ends the session: which answer belongs to
// which recipient is not guessed.
#include "smtp/lmtp.hh"

#include <algorithm>
#include <utility>

#include "base/ascii.hh"

namespace greylag::smtp {

namespace {

using mail::Verdict;
using mail::Why;

std::string joined_text(const Reply& reply) {
    std::string text;
    for (const auto& line : reply.lines) text += (text.empty() || line.empty() ? "" : " ") + line;
    return text;
}

// The commands were ours: a server that does not know them or wants a password was configured wrongly, and no sender is to
// blame. 552 without a reason of its own to RCPT is the old way to say "too many" (RFC 5321 4.5.3.1.10).
bool blames_us(const Reply& reply) {
    return (reply.code >= 500 && reply.code <= 504 && !reply.enhanced.starts_with("5.1.")) || reply.code == 530 ||
           reply.code == 555;
}

Verdict refusal(const Reply& reply) {
    const std::string text = joined_text(reply);
    const bool never = reply.code >= 500 && !blames_us(reply);
    Verdict verdict = never ? Verdict::never(Why::mailer_answer, text) : Verdict::later(Why::mailer_answer, text);
    if (never || reply.code < 500) {
        verdict.code = reply.code;
        verdict.enhanced = reply.enhanced;
    }
    return verdict;
}

Verdict recipient_refusal(const Reply& reply) {
    Verdict verdict = refusal(reply);
    if (reply.code == 552 && (reply.enhanced.empty() || reply.enhanced == "5.5.3")) {
        verdict.kind = Verdict::Kind::later;
        verdict.code = 452;
        verdict.enhanced = "4.5.3";
    }
    return verdict;
}

bool is_ascii(std::string_view text) { return std::none_of(text.begin(), text.end(), base::is_8bit); }

Verdict needs_utf8() {
    Verdict verdict = Verdict::never(Why::mailer_answer, "the address is not ASCII, and the mailer does not take that");
    verdict.code = 553;
    verdict.enhanced = "5.6.7";
    return verdict;
}

}  // namespace

LmtpSession::LmtpSession(std::string domain, mail::Path sender, bool utf8)
    : domain_(std::move(domain)), sender_(std::move(sender)), utf8_(utf8) {}

std::string LmtpSession::output() { return std::exchange(output_, {}); }

bool LmtpSession::waiting() const {
    switch (stage_) {
        case Stage::greeting:
        case Stage::lhlo:
        case Stage::mail:
        case Stage::rcpt:
        case Stage::data:
        case Stage::answers: return true;
        case Stage::ready:
        case Stage::body:
        case Stage::over: return false;
    }
    return false;
}

void LmtpSession::feed(std::string_view octets) {
    Reply reply;
    while (stage_ != Stage::over) {
        const auto got = parser_.next(octets, reply);
        if (got == ReplyParser::Got::more) return;
        if (got == ReplyParser::Got::fault) return lost(parser_.fault());
        // An answer to what was not asked would be taken for the next one's.
        if (!waiting()) return lost("an answer came before its command");
        take(reply);
    }
}

void LmtpSession::take(const Reply& reply) {
    if (reply.code == 421) return lost(joined_text(reply));  // it goes away, whatever it was asked
    switch (stage_) {
        case Stage::greeting:
        case Stage::lhlo: return greeted(reply);
        case Stage::mail: return mail(reply);
        case Stage::rcpt:
            if (reply.code / 100 == 3) return lost("RCPT was answered with a go-ahead");
            if (reply.code >= 400) verdicts_.back() = recipient_refusal(reply);
            stage_ = Stage::ready;
            return;
        case Stage::data: return data_answered(reply);
        case Stage::answers: return answer(reply);
        case Stage::ready:
        case Stage::body:
        case Stage::over: return;
    }
}

// A server that does not want to talk to us at all does so for now: nothing about the message was said.
void LmtpSession::greeted(const Reply& reply) {
    if (reply.code / 100 != 2) {
        Verdict why = Verdict::later(Why::mailer_answer, joined_text(reply));
        return end(std::move(why));
    }
    if (stage_ == Stage::greeting) {
        stage_ = Stage::lhlo;
        return say("LHLO " + domain_);
    }
    for (std::size_t i = 1; i < reply.lines.size(); ++i) {
        const auto words = base::words(reply.lines[i]);
        if (words.empty()) continue;
        if (base::iequals(words.front(), "8BITMIME")) offers_8bit_ = true;
        if (base::iequals(words.front(), "SMTPUTF8")) offers_utf8_ = true;
    }
    say_mail();
}

// Without SMTPUTF8 a message whose addresses are ASCII still goes: the server stores it, as any program would.
void LmtpSession::say_mail() {
    stage_ = Stage::mail;
    if (!offers_utf8_ && !is_ascii(sender_.text())) return end(needs_utf8());
    std::string line = "MAIL FROM:" + sender_.bracketed();
    if (offers_8bit_) line += " BODY=8BITMIME";
    if (offers_utf8_ && utf8_) line += " SMTPUTF8";
    say(line);
}

void LmtpSession::mail(const Reply& reply) {
    if (reply.code / 100 == 2) {
        stage_ = Stage::ready;
    } else if (reply.code >= 400) {
        end(refusal(reply));
    } else {
        lost("MAIL was answered with a go-ahead");
    }
}

void LmtpSession::recipient(const mail::Path& path) {
    verdicts_.push_back(stage_ == Stage::over ? refusal_ : Verdict::pass());
    if (stage_ != Stage::ready) return;
    if (!offers_utf8_ && !is_ascii(path.text())) {
        verdicts_.back() = needs_utf8();
        return;
    }
    stage_ = Stage::rcpt;
    say("RCPT TO:" + path.bracketed());
}

void LmtpSession::data() {
    if (stage_ != Stage::ready) return;
    stage_ = Stage::data;
    say("DATA");
}

void LmtpSession::data_answered(const Reply& reply) {
    if (reply.code == 354) {
        stage_ = Stage::body;
    } else if (reply.code >= 400) {
        end(refusal(reply));
    } else {
        lost("DATA was answered with neither a go-ahead nor a refusal");
    }
}

void LmtpSession::body_sent() {
    if (stage_ != Stage::body) return;
    stage_ = Stage::answers;
    answered_ = 0;
    while (answered_ < verdicts_.size() && !verdicts_[answered_].ok()) ++answered_;
}

void LmtpSession::answer(const Reply& reply) {
    if (reply.code / 100 == 3) return lost("the message was answered with a go-ahead");
    verdicts_[answered_] = reply.code >= 400 ? refusal(reply) : Verdict::pass();
    do ++answered_;
    while (answered_ < verdicts_.size() && !verdicts_[answered_].ok());
    if (answered_ == verdicts_.size()) stage_ = Stage::ready;
}

void LmtpSession::next(mail::Path sender, bool utf8) {
    verdicts_.clear();
    answered_ = 0;
    sender_ = std::move(sender);
    utf8_ = utf8;
    if (stage_ == Stage::ready) say_mail();
}

void LmtpSession::quit() {
    if (stage_ == Stage::over) return;
    say("QUIT");
    end(Verdict::later(Why::mailer_later));
}

void LmtpSession::lost(std::string why) {
    if (stage_ == Stage::over) return;
    broken_ = true;
    end(Verdict::later(Why::mailer_later, std::move(why)));
}

// Behind a body only those count that have no answer yet; before it nobody has got anything.
void LmtpSession::end(Verdict why) {
    const std::size_t first = stage_ == Stage::answers ? answered_ : 0;
    const bool delivered = stage_ == Stage::ready && answered_ != 0;
    for (std::size_t i = first; i < verdicts_.size() && !delivered; ++i)
        if (verdicts_[i].ok()) verdicts_[i] = why;
    refusal_ = std::move(why);
    stage_ = Stage::over;
}

void LmtpSession::say(std::string_view line) { output_.append(line).append("\r\n"); }

Verdict joined(std::span<const Verdict> verdicts) {
    const auto of = [&](Verdict::Kind kind) {
        return std::find_if(verdicts.begin(), verdicts.end(), [kind](const Verdict& v) { return v.kind == kind; });
    };
    if (const auto later = of(Verdict::Kind::later); later != verdicts.end()) {
        Verdict all = *later;
        if (all.code != 0) all.code = 451;
        return all;
    }
    if (verdicts.empty()) return Verdict::later(Why::mailer_later, "no recipient was answered for");
    if (of(Verdict::Kind::pass) != verdicts.end()) return Verdict::pass();
    return verdicts.front();
}

}  // namespace greylag::smtp
