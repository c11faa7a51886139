// A receiving session as a value: events in, effects out (RFC 5321). No byte is read or written here, no clock asked, no
// policy known: policy is a question, and its answer an event.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/event.hh"
#include "base/time.hh"
#include "mail/ip.hh"
#include "mail/path.hh"
#include "mail/verdict.hh"
#include "smtp/command.hh"
#include "smtp/dot.hh"
#include "smtp/line_reader.hh"
#include "smtp/reply.hh"
#include "smtp/voice.hh"

namespace greylag::smtp {

// What holds for the whole session.
struct ServerFacts {
    std::string domain;  // greeting, EHLO answer
    std::uint64_t size_limit = 50u << 20;
    unsigned recipient_limit = 1000;
    unsigned error_limit = 20;
    base::Millis greeting_wait{0};
};

struct Envelope {
    HeloName helo;
    bool extended = false;  // EHLO
    mail::Path sender = mail::Path::null();
    std::vector<mail::Path> recipients;
    Body body = Body::seven_bit;
    bool utf8 = false;
};

// What was seen while the body went by.
struct BodyReport {
    std::uint64_t octets = 0;
    BodyFaults faults;
    unsigned received = 0;                // Received fields
    std::optional<mail::Verdict> failed;  // the spool could not keep it
};

namespace question {
struct Helo {
    HeloName name;
};
struct Sender {
    mail::Path path;
    std::optional<std::uint64_t> size;
};
struct Recipient {
    mail::Path path;
};
struct Deliver {};  // envelope() is complete and the body in the spool; answered by event::Delivered
}  // namespace question
using Question = std::variant<question::Helo, question::Sender, question::Recipient, question::Deliver>;

namespace event {
struct Opened {};
struct Watched {
    bool early;
};
struct Line {
    InputLine line;
    bool more = false;  // octets behind it are already here
};
struct Answer {  // to the open question
    mail::Verdict verdict;
};
struct BodyDone {
    BodyReport report;
};
struct Delivered {
    mail::Verdict verdict;
    std::string id;
};
struct Gone {
    enum class Why : std::uint8_t { eof, timeout, session_time, too_slow, shutdown };
    Why why;
};
}  // namespace event
using Event =
    std::variant<event::Opened, event::Watched, event::Line, event::Answer, event::BodyDone, event::Delivered, event::Gone>;

namespace effect {
struct Watch {  // look for early talk for so long (0: once), then event::Watched
    base::Millis wait;
};
struct Say {
    Reply reply;
};
struct Ask {
    Question question;
};
struct Wait {  // before the next effect
    base::Millis wait;
};
struct TakeBody {};  // what follows is the body, until event::BodyDone
struct Log {
    base::Event event;
};
struct Close {};
}  // namespace effect
using Effect =
    std::variant<effect::Watch, effect::Say, effect::Ask, effect::Wait, effect::TakeBody, effect::Log, effect::Close>;
using Effects = std::vector<Effect>;

class ServerSession {
public:
    // Where the dialogue stands; a row of the command table names the phases in which its verb is legal.
    enum class Phase : std::uint8_t { start, watching, connected, greeted, sender, recipients, body, closed };

    explicit ServerSession(ServerFacts facts) : facts_(std::move(facts)) {}

    // Total: every event has an answer in every phase, an event that cannot come there has the empty one; after Close there
    // is none. While a question is open only its answer and Gone are listened to.
    Effects on(const Event& event);

    const ServerFacts& facts() const { return facts_; }
    const Envelope& envelope() const { return envelope_; }
    Phase phase() const { return phase_; }
    bool asking() const { return asked_ != Asked::nothing; }

private:
    enum class Asked : std::uint8_t { nothing, helo, sender, recipient, deliver };
    struct Row;
    static const Row* find(Verb verb);
    static const Row rows[];

    void opened(const event::Opened&);
    void watched(const event::Watched& e);
    void line(const event::Line& e);
    void answered(const event::Answer& e);
    void body_done(const event::BodyDone& e);
    void delivered(const event::Delivered& e);
    void gone(const event::Gone& e);

    void helo(std::string_view argument);
    void ehlo(std::string_view argument);
    void mail(std::string_view argument);
    void rcpt(std::string_view argument);
    void data(std::string_view argument);
    void rset(std::string_view argument);
    void noop(std::string_view argument);
    void help(std::string_view argument);
    void vrfy(std::string_view argument);
    void quit(std::string_view argument);

    void greet(std::string_view argument, bool extended);
    void helo_answered(const mail::Verdict& verdict);
    void sender_answered(const mail::Verdict& verdict);
    void recipient_answered(const mail::Verdict& verdict);
    bool helo_refused();
    std::optional<Reply> objection(const BodyReport& report) const;
    Reply ehlo_reply() const;
    Offered offered() const { return {.extended = envelope_.extended, .utf8 = false, .auth = false}; }

    void say(Reply reply) { out_.push_back(effect::Say{std::move(reply)}); }
    void say(Voice voice, std::initializer_list<std::string_view> arguments = {}) { say(smtp::say(voice, arguments)); }
    void ask(Asked asked, Question question);
    void refuse(Reply reply);  // an error of the client's: counted, delayed, and the last straw closes
    void refuse(Voice voice) { refuse(smtp::say(voice)); }
    void refuse(mail::Verdict verdict, std::string_view about);  // what it is about is said and logged
    Reply too_big() const { return smtp::say(Voice::message_too_big, {std::to_string(facts_.size_limit)}); }
    void close(std::string_view why);
    void forget_transaction();

    ServerFacts facts_;
    Envelope envelope_;
    Phase phase_ = Phase::start;
    Asked asked_ = Asked::nothing;
    mail::Verdict helo_verdict_;
    HeloName pending_helo_;
    MailArgument pending_mail_;
    mail::Path pending_recipient_ = mail::Path::null();
    bool pending_extended_ = false;
    unsigned errors_ = 0, helo_refusals_ = 0, refused_recipients_ = 0;
    struct {
        unsigned commands = 0, mail = 0, rcpt = 0, messages = 0;
    } count_;
    Effects out_;  // of the event in hand
};

}  // namespace greylag::smtp
