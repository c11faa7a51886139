// The client's side of LMTP (RFC 2033) as a value: what to send, and what the server's answers mean for each recipient. No
// octet is moved here. Nothing is pipelined: the server is next door, and each RCPT is asked while our own client waits.
//
// No answer is ever lost: a recipient whose answer did not come is later, never delivered and never refused.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/path.hh"
#include "mail/verdict.hh"
#include "smtp/reply_parser.hh"

namespace greylag::smtp {

class LmtpSession {
public:
    // Waits for the greeting, says LHLO `domain` and MAIL.
    LmtpSession(std::string domain, mail::Path sender, bool utf8);

    // Sends what output() gives, then feeds what comes, while waiting().
    std::string output();
    bool waiting() const;
    void feed(std::string_view octets);
    // The connection broke or time is up: `why` is the sentence for what has no answer yet.
    void lost(std::string why);
    // No further command is possible; what is asked now has its answer at once.
    bool over() const { return stage_ == Stage::over; }
    // The same by a fault of the connection or the protocol and not by a proper answer: a new session may fare better.
    bool broken() const { return broken_; }

    // While not waiting, in this order: recipients; data(); if takes_body() the body with its dot, and body_sent().
    void recipient(const mail::Path& path);
    void data();
    bool takes_body() const { return stage_ == Stage::body; }
    void body_sent();
    // Behind the last answer: another message through the same connection.
    void next(mail::Path sender, bool utf8);
    void quit();

    // One for each recipient() in order: the answer to RCPT, and behind the body what became of it.
    const std::vector<mail::Verdict>& verdicts() const { return verdicts_; }

private:
    enum class Stage : std::uint8_t { greeting, lhlo, mail, ready, rcpt, data, body, answers, over };
    void take(const Reply& reply);
    void greeted(const Reply& reply);
    void mail(const Reply& reply);
    void data_answered(const Reply& reply);
    void answer(const Reply& reply);
    void say(std::string_view line);
    void say_mail();
    void end(mail::Verdict why);  // for all that is open

    std::string domain_;
    mail::Path sender_;
    bool utf8_;
    bool offers_utf8_ = false, offers_8bit_ = false;
    ReplyParser parser_;
    std::string output_;
    Stage stage_ = Stage::greeting;
    bool broken_ = false;
    mail::Verdict refusal_;  // over: why
    std::vector<mail::Verdict> verdicts_;
    std::size_t answered_ = 0;  // of verdicts_, behind the body
};

// Verdicts that differ between the recipients of one message, as the one answer SMTP has: any later is later for all, delivered
// and never together are delivered, never alone is the first's.
mail::Verdict joined(std::span<const mail::Verdict> verdicts);

}  // namespace greylag::smtp
