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

namespace greylag::smtp {

// What holds for the whole session.
struct ServerFacts {
    std::string domain;  // greeting, EHLO answer
    std::uint64_t size_limit = 50u << 20;
    unsigned recipient_limit = 1000;
    unsigned error_limit = 20;
    base::Millis greeting_wait{0};
    std::optional<mail::IpAddress> peer;
};

struct Envelope {
    HeloName helo;
    bool extended = false;
    mail::Path sender = mail::Path::null();
    std::vector<mail::Path> recipients;
    Body body = Body::seven_bit;
    bool utf8 = false;
    std::optional<std::uint64_t> declared_size;
};

// What was seen while the body went by.
struct BodyReport {
    std::uint64_t octets = 0;
    BodyFaults faults;
    unsigned received = 0;                // Received fields
    std::optional<mail::Verdict> failed;  // the spool could not keep it
};

namespace question {
struct Helo { std::string name; };
struct Sender { mail::Path path; std::optional<std::uint64_t> size; };
struct Recipient { mail::Path path; };
struct Deliver {};  // envelope() is complete and the body is in the spool; answered by event::Delivered
}  // namespace question
using Question = std::variant<question::Helo, question::Sender, question::Recipient, question::Deliver>;

namespace event {
struct Opened {};
struct Watched { bool early; };                    // the wait before the greeting is over
struct Line { InputLine line; bool more; };        // more: octets behind it are already here
struct Answer { mail::Verdict verdict; };          // to the open question
struct BodyDone { BodyReport report; };
struct Delivered { mail::Verdict verdict; std::string id; };
enum class Why : std::uint8_t { eof, timeout, session_time, too_slow, shutdown };
struct Gone { Why why; };
}  // namespace event
using Event = std::variant<event::Opened, event::Watched, event::Line, event::Answer, event::BodyDone, event::Delivered, event::Gone>;

namespace effect {
struct Watch { base::Millis wait; };  // look for early talk for so long (0: once), then event::Watched
struct Say { Reply reply; };
struct Ask { Question question; };
struct Wait { base::Millis wait; };  // before the next effect
struct TakeBody {};                  // what follows is the body, until event::BodyDone
struct Log { base::Event event; };
struct Close {};
}  // namespace effect
using Effect = std::variant<effect::Watch, effect::Say, effect::Ask, effect::Wait, effect::TakeBody, effect::Log, effect::Close>;
using Effects = std::vector<Effect>;

class ServerSession {
public:
    explicit ServerSession(ServerFacts facts) : facts_(std::move(facts)) {}

    // Total: every event has an answer in every phase; after Close there is none. Never throws.
    Effects on(const Event& event);

    const Envelope& envelope() const { return envelope_; }
    bool in_body() const { return phase_ == Phase::body; }
    bool closed() const { return phase_ == Phase::closed; }

    enum class Phase : std::uint8_t { start, watching, connected, greeted, sender, recipients, body, closed };

private:
    struct Out;  // effects being collected
    // definitions in server.cc
    void line(const event::Line& e, Out& out);
    ServerFacts facts_;
    Envelope envelope_;
    Phase phase_ = Phase::start;
    unsigned errors_ = 0;
};

}  // namespace greylag::smtp
