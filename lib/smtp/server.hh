// A receiving session as a value: events in, effects out (RFC 5321). No byte is read or written here, no clock asked, no
// policy known: policy is a question, and its answer an event.
#pragma once
#include <algorithm>
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

// What a session has counted; the log's last line.
struct Counts {
    std::array<unsigned, static_cast<std::size_t>(Verb::refused) + 1> commands{};  // heard, by verb; the last: no verb of ours
    unsigned messages = 0, errors = 0;
};

// What holds for the whole session.
struct ServerFacts {
    std::string domain;  // greeting, EHLO answer
    std::uint64_t size_limit = 50u << 20;
    unsigned recipient_limit = 1000;
    unsigned error_limit = 20;
    base::Millis greeting_wait{0};
    bool tls_offered = false;  // STARTTLS: there is a certificate and TLS is not up
    bool tls = false;          // TLS from the first octet
    std::string tls_description{};
    bool auth_required = false;
    std::vector<std::string> mechanisms{};            // what AUTH would really do now
    std::vector<std::string> mechanisms_under_tls{};  // what it would do after STARTTLS
    // Another process said all that was said until STARTTLS, and counted so far: begin with its answer.
    bool starttls_asked = false;
    Counts counted{};
};

struct Envelope {
    HeloName helo;
    bool extended = false;  // EHLO
    mail::Path sender = mail::Path::null();
    std::vector<mail::Path> recipients;
    Body body = Body::seven_bit;
    bool utf8 = false;
    bool tls = false;
    std::string tls_description;  // "TLSv1.3 with cipher ..."
    std::string user;             // authenticated; empty: nobody
};

// What was seen while the body went by.
struct BodyReport {
    std::uint64_t octets = 0;
    BodyFaults faults;
    unsigned received = 0;                // Received fields
    std::uint64_t header = 0;             // octets before the blank line
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
struct Tls {};   // can TLS begin? "later" is 454
struct Data {};  // DATA or the first BDAT; envelope() is complete
struct Auth {    // begins an exchange; answered by event::Auth
    std::string mechanism;
    std::optional<std::string> initial;  // decoded
};
struct AuthResponse {  // the client's next step, decoded
    std::string response;
};
struct Deliver {};  // envelope() is complete and the body in the spool; answered by event::Delivered
}  // namespace question
using Question = std::variant<question::Helo, question::Sender, question::Recipient, question::Data, question::Tls,
                              question::Auth, question::AuthResponse, question::Deliver>;

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
    std::optional<mail::Path> meant{};  // to question::Recipient: who is written to in its place
};
struct BodyDone {  // the end of the body, or of one chunk
    BodyReport report;
};
struct TlsUp {
    bool ok = false;
    std::string description;  // "TLSv1.3 with cipher ..."
    std::vector<std::string> mechanisms;
};
struct Auth {
    enum class Step : std::uint8_t { challenge, success, failed, later, malformed };
    Step step = Step::failed;
    std::string text;  // challenge: octets to send; success: the user
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
using Event = std::variant<event::Opened, event::Watched, event::Line, event::Answer, event::BodyDone, event::TlsUp, event::Auth,
                           event::Delivered, event::Gone>;

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
struct TakeBody {                        // what follows is body, until event::BodyDone
    bool begins = true;                  // a new message, not a further chunk
    std::optional<std::uint64_t> chunk;  // exactly so many octets; nothing: up to CRLF.CRLF
    bool keep = true;                    // false: octets of a refused chunk, to be thrown away
};
struct StartTls {};  // once the reply is sent; octets already received were refused. Answered by event::TlsUp
struct Log {
    base::Event event;
};
struct Close {};
}  // namespace effect
using Effect = std::variant<effect::Watch, effect::Say, effect::Ask, effect::Wait, effect::TakeBody, effect::StartTls,
                            effect::Log, effect::Close>;
using Effects = std::vector<Effect>;

class ServerSession {
public:
    // A header beyond this is no header (wire: a million fields, one field of a hundred megabytes).
    static constexpr std::uint64_t header_limit = 2 << 20;

    // Where the dialogue stands; a row of the command table names the phases in which its verb is legal.
    enum class Phase : std::uint8_t {
        start,
        watching,    // before the greeting
        connected,   // greeted by us
        greeted,     // HELO or EHLO was said
        sender,      // MAIL was taken
        recipients,  // and at least one RCPT
        chunks,      // and at least one BDAT
        body,        // the octets are body
        handshake,   // TLS
        auth,        // the next line is an answer to a challenge
        closed,
    };

    explicit ServerSession(ServerFacts facts);

    // Total: every event has an answer in every phase, an event that cannot come there has the empty one; after Close there
    // is none. While a question is open only its answer and Gone are listened to.
    Effects on(const Event& event);

    const ServerFacts& facts() const { return facts_; }
    const Envelope& envelope() const { return envelope_; }
    Phase phase() const { return phase_; }
    bool asking() const { return asked_ != Asked::nothing; }
    bool in_last_chunk() const { return chunk_ && chunk_->last; }
    const std::string& user() const { return envelope_.user; }  // authenticated; empty: nobody
    bool tls() const { return facts_.tls; }
    const Counts& counts() const { return count_; }

private:
    enum class Asked : std::uint8_t { nothing, helo, sender, recipient, data, tls, auth, deliver };
    struct Row;
    static const Row* find(Verb verb);
    static const Row rows[];

    // server.cc: the dialogue
    void opened(const event::Opened&);
    void watched(const event::Watched& e);
    void line(const event::Line& e);
    void command(const Command& command);
    void answered(const event::Answer& e);
    void gone(const event::Gone& e);
    void helo(std::string_view argument) { greet(argument, false); }
    void ehlo(std::string_view argument) { greet(argument, true); }
    void greet(std::string_view argument, bool extended);
    void rset(std::string_view argument);
    void noop(std::string_view argument);
    void help(std::string_view argument);
    void vrfy(std::string_view argument);
    void quit(std::string_view argument);
    void helo_answered(const mail::Verdict& verdict);
    Reply ehlo_reply() const;

    // server_mail.cc: one transaction
    void mail(std::string_view argument);
    void rcpt(std::string_view argument);
    void data(std::string_view argument);
    void bdat(std::string_view argument);
    void chunk(const BdatArgument& bdat);
    void body_done(const event::BodyDone& e);
    void chunk_done(const BodyReport& report);
    void delivered(const event::Delivered& e);
    void sender_answered(const mail::Verdict& verdict);
    void recipient_answered(const event::Answer& e);
    void data_answered(const mail::Verdict& verdict);
    bool helo_refused();
    std::optional<Reply> objection(const BodyReport& report) const;
    std::optional<Reply> no_transaction() const;
    void refuse_message(Reply reply, const BodyReport& report);
    void forget_transaction();
    Offered offered() const;

    // server_auth.cc: TLS and AUTH
    void starttls(std::string_view argument);
    void tls_answered(const mail::Verdict& verdict);
    void tls_up(const event::TlsUp& e);
    void auth(std::string_view argument);
    void auth_line(const event::Line& e);
    void auth_step(const event::Auth& e);
    void auth_refused(Reply reply);
    bool offers(std::string_view mechanism, const std::vector<std::string>& mechanisms) const;

    void count(Verb verb) { ++count_.commands[std::min(static_cast<std::size_t>(verb), count_.commands.size() - 1)]; }
    std::string command_counts() const;  // "ehlo:1,mail:2"
    void say(Reply reply) { out_.push_back(effect::Say{std::move(reply)}); }
    void say(Voice voice, std::initializer_list<std::string_view> arguments = {}) { say(smtp::say(voice, arguments)); }
    void ask(Asked asked, Question question);
    void refuse(Reply reply);  // an error of the client's: counted, delayed, and the last straw closes
    void refuse(Voice voice) { refuse(smtp::say(voice)); }
    void refuse(mail::Verdict verdict, std::string_view about);      // what it is about is said and logged
    Reply rejection(mail::Verdict verdict, std::string_view about);  // the same reply, logged and not yet said
    Reply too_big() const { return smtp::say(Voice::message_too_big, {std::to_string(facts_.size_limit)}); }
    void close(std::string_view why);

    ServerFacts facts_;
    Envelope envelope_;
    Phase phase_ = Phase::start;
    Asked asked_ = Asked::nothing;
    mail::Verdict helo_verdict_;
    std::optional<mail::Verdict> shut_out_;  // what every later command is answered with
    HeloName pending_helo_;
    MailArgument pending_mail_;
    mail::Path pending_recipient_ = mail::Path::null();
    std::optional<BdatArgument> pending_bdat_;  // nothing: DATA
    bool pending_extended_ = false;
    bool behind_data_ = false;            // octets waited behind DATA
    std::optional<BdatArgument> chunk_;   // in hand
    std::optional<Reply> chunk_refusal_;  // what the octets in hand are answered with when they have gone by
    std::uint64_t chunk_octets_ = 0;      // of the chunks before
    unsigned helo_refusals_ = 0, refused_recipients_ = 0, auth_refusals_ = 0;
    Counts count_;
    Effects out_;  // of the event in hand
};

}  // namespace greylag::smtp
