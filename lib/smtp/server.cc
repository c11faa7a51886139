#include "smtp/server.hh"

#include "base/escape.hh"

namespace greylag::smtp {

namespace {

using Phase = ServerSession::Phase;

constexpr unsigned in(Phase p) { return 1u << static_cast<unsigned>(p); }
constexpr unsigned anywhere = in(Phase::connected) | in(Phase::greeted) | in(Phase::sender) | in(Phase::recipients);
constexpr unsigned after_helo = anywhere & ~in(Phase::connected);

// What the next error costs: none for the first two, so that a person who mistypes is not punished.
constexpr base::Millis error_delays[] = {base::Millis{0},    base::Millis{0},    base::Millis{1000},
                                         base::Millis{2000}, base::Millis{4000}, base::Millis{8000}};
constexpr base::Millis error_delay_cap{10'000};
constexpr unsigned helo_refusal_limit = 3;
constexpr unsigned received_limit = 50;  // RFC 5321 6.3

base::Millis error_delay(unsigned errors) { return errors <= std::size(error_delays) ? error_delays[errors - 1] : error_delay_cap; }

// An extension that EHLO did not list does not exist for this client (RFC 5321 4.2.4); EXPN and the mail-or-terminal verbs of
// RFC 821 are known and never there.
Reply unavailable(Verb verb) {
    if (verb == Verb::refused || verb == Verb::expn) return say(Voice::not_offered, {name(verb)});
    return say(Voice::unknown_command);
}

std::string_view reason(event::Gone::Why why) {
    switch (why) {
        case event::Gone::Why::eof: return "eof";
        case event::Gone::Why::timeout: return "timeout";
        case event::Gone::Why::session_time: return "session-time";
        case event::Gone::Why::too_slow: return "too-slow";
        case event::Gone::Why::shutdown: return "shutdown";
    }
    return "eof";
}

}  // namespace

// The command table: where a verb is legal, what is said where it is not, whether it may carry an argument, and whether it ends
// a pipelined group (RFC 2920 3.1): octets that wait behind a refused one were written by somebody who does not listen.
struct ServerSession::Row {
    Verb verb;
    unsigned phases;
    Voice elsewhere;
    enum { bare, argument } takes;
    bool ends_group;
    void (ServerSession::*handle)(std::string_view argument);
};

const ServerSession::Row ServerSession::rows[] = {
    {Verb::helo, anywhere, Voice::not_now, Row::argument, false, &ServerSession::helo},
    {Verb::ehlo, anywhere, Voice::not_now, Row::argument, false, &ServerSession::ehlo},
    {Verb::mail, after_helo, Voice::need_helo, Row::argument, false, &ServerSession::mail},
    {Verb::rcpt, after_helo, Voice::need_helo, Row::argument, false, &ServerSession::rcpt},
    {Verb::data, after_helo, Voice::need_helo, Row::bare, true, &ServerSession::data},
    {Verb::rset, anywhere, Voice::not_now, Row::bare, false, &ServerSession::rset},
    {Verb::noop, anywhere, Voice::not_now, Row::argument, false, &ServerSession::noop},
    {Verb::quit, anywhere, Voice::not_now, Row::bare, false, &ServerSession::quit},
    {Verb::vrfy, anywhere, Voice::not_now, Row::argument, false, &ServerSession::vrfy},
    {Verb::help, anywhere, Voice::not_now, Row::argument, false, &ServerSession::help},
};

const ServerSession::Row* ServerSession::find(Verb verb) {
    for (const Row& row : rows)
        if (row.verb == verb) return &row;
    return nullptr;
}

Effects ServerSession::on(const Event& event) {
    out_.clear();
    if (phase_ == Phase::closed) return {};
    struct Dispatch {
        ServerSession& s;
        void operator()(const event::Opened& e) const { s.opened(e); }
        void operator()(const event::Watched& e) const { s.watched(e); }
        void operator()(const event::Line& e) const { s.line(e); }
        void operator()(const event::Answer& e) const { s.answered(e); }
        void operator()(const event::BodyDone& e) const { s.body_done(e); }
        void operator()(const event::Delivered& e) const { s.delivered(e); }
        void operator()(const event::Gone& e) const { s.gone(e); }
    };
    std::visit(Dispatch{*this}, event);
    return std::move(out_);
}

void ServerSession::opened(const event::Opened&) {
    if (phase_ != Phase::start) return;
    phase_ = Phase::watching;
    out_.push_back(effect::Watch{facts_.greeting_wait});
}

void ServerSession::watched(const event::Watched& e) {
    if (phase_ != Phase::watching) return;
    if (e.early) {
        say(Voice::early_talk);
        return close("early-talk");
    }
    phase_ = Phase::connected;
    say(Voice::greeting, {facts_.domain});
}

void ServerSession::line(const event::Line& e) {
    if ((anywhere & in(phase_)) == 0 || asking()) return;
    ++count_.commands;
    if (e.line.fault == LineFault::too_long) return refuse(Voice::line_too_long);
    if (e.line.fault != LineFault::none) return refuse(Voice::bad_line);
    if (e.line.text.empty()) return refuse(Voice::empty_line);

    const Command command = parse_command(e.line.text);
    if (command.verb == Verb::foreign) {
        say(Voice::wrong_protocol);
        return close("wrong-protocol");
    }
    const Row* row = find(command.verb);
    if (row == nullptr) return refuse(unavailable(command.verb));
    if (row->takes == Row::bare && !command.argument.empty())
        refuse(smtp::say(Voice::no_argument_allowed, {name(command.verb)}));
    else if ((row->phases & in(phase_)) == 0)
        refuse(smtp::say(row->elsewhere, {name(command.verb)}));
    else
        (this->*row->handle)(command.argument);

    if (row->ends_group && e.more && (anywhere & in(phase_)) != 0 && !asking()) {
        out_.clear();
        say(Voice::sync_error);
        close("sync-error");
    }
}

void ServerSession::ask(Asked asked, Question question) {
    asked_ = asked;
    out_.push_back(effect::Ask{std::move(question)});
}

void ServerSession::answered(const event::Answer& e) {
    const Asked asked = asked_;
    if (asked == Asked::deliver) return;
    asked_ = Asked::nothing;
    switch (asked) {
        case Asked::helo: return helo_answered(e.verdict);
        case Asked::sender: return sender_answered(e.verdict);
        case Asked::recipient: return recipient_answered(e.verdict);
        case Asked::nothing:
        case Asked::deliver: return;
    }
}

void ServerSession::helo(std::string_view argument) { greet(argument, false); }
void ServerSession::ehlo(std::string_view argument) { greet(argument, true); }

void ServerSession::greet(std::string_view argument, bool extended) {
    auto name = parse_helo(argument);
    if (!name) return refuse(std::move(name).error());
    pending_helo_ = std::move(*name);
    pending_extended_ = extended;
    ask(Asked::helo, question::Helo{pending_helo_});
}

// A bad claim is remembered here and refused at MAIL: a client that is going to authenticate may call itself anything.
void ServerSession::helo_answered(const mail::Verdict& verdict) {
    forget_transaction();
    helo_verdict_ = verdict;
    envelope_.helo = std::move(pending_helo_);
    envelope_.extended = pending_extended_;
    phase_ = Phase::greeted;
    if (envelope_.extended)
        say(ehlo_reply());
    else
        say(Voice::helo_ok, {facts_.domain, envelope_.helo.text});
}

Reply ServerSession::ehlo_reply() const {
    Reply reply = smtp::say(Voice::helo_ok, {facts_.domain, envelope_.helo.text});
    for (std::string keyword :
         {std::string("PIPELINING"), "SIZE " + std::to_string(facts_.size_limit), std::string("8BITMIME"),
          std::string("ENHANCEDSTATUSCODES"), std::string("HELP")})
        reply.lines.push_back(std::move(keyword));
    return reply;
}

bool ServerSession::helo_refused() {
    if (helo_verdict_.ok()) return false;
    if (++helo_refusals_ >= helo_refusal_limit) {
        say(Voice::helo_lies);
        close("helo");
    } else {
        refuse(helo_verdict_, envelope_.helo.text);
    }
    return true;
}

void ServerSession::mail(std::string_view argument) {
    ++count_.mail;
    if (phase_ != Phase::greeted) return refuse(Voice::nested_mail);
    auto parsed = parse_mail(argument, offered());
    if (!parsed) return refuse(std::move(parsed).error());
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
    ++count_.rcpt;
    if (phase_ == Phase::greeted) return refuse(Voice::need_mail);
    auto parsed = parse_rcpt(argument, offered(), envelope_.utf8);
    if (!parsed) return refuse(std::move(parsed).error());
    // Not an error of the client's: it may not know our limit, and RFC 5321 4.5.3.1.10 has it send the rest later.
    if (envelope_.recipients.size() >= facts_.recipient_limit) return say(Voice::too_many_recipients);
    pending_recipient_ = std::move(parsed->recipient);
    ask(Asked::recipient, question::Recipient{pending_recipient_});
}

void ServerSession::recipient_answered(const mail::Verdict& verdict) {
    if (!verdict.ok()) {
        ++refused_recipients_;
        return refuse(verdict, pending_recipient_.text());
    }
    envelope_.recipients.push_back(std::move(pending_recipient_));
    phase_ = Phase::recipients;
    say(Voice::rcpt_ok, {envelope_.recipients.back().text()});
}

void ServerSession::data(std::string_view) {
    if (phase_ == Phase::greeted) return refuse(Voice::need_mail);
    if (phase_ == Phase::sender) return refuse(refused_recipients_ > 0 ? Voice::no_valid_recipient : Voice::need_rcpt);
    phase_ = Phase::body;
    say(Voice::data_go);
    out_.push_back(effect::TakeBody{});
}

// Why the body cannot be taken, or nothing. What the client must not repeat unchanged comes before what only we failed at.
std::optional<Reply> ServerSession::objection(const BodyReport& report) const {
    if (report.octets > facts_.size_limit) return too_big();
    if (report.faults.bare_lf || report.faults.bare_cr || report.faults.nul) return smtp::say(Voice::bare_newline);
    if (report.faults.long_line) return smtp::say(Voice::line_in_body);
    if (report.received > received_limit) return smtp::say(mail::Verdict::never(mail::Why::loop));
    if (report.failed) return smtp::say(*report.failed);
    return std::nullopt;
}

void ServerSession::body_done(const event::BodyDone& e) {
    if (phase_ != Phase::body || asking()) return;
    auto reply = objection(e.report);
    if (!reply) return ask(Asked::deliver, question::Deliver{});
    base::Event log{base::Word::reject, {}};
    log.with("code", std::to_string(reply->code)).with("size", std::to_string(e.report.octets));
    log.with_peer("from", envelope_.sender.text()).with_peer("reason", reply->lines.front());
    out_.push_back(effect::Log{std::move(log)});
    forget_transaction();
    phase_ = Phase::greeted;
    say(std::move(*reply));
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

void ServerSession::gone(const event::Gone& e) {
    switch (e.why) {
        case event::Gone::Why::eof: break;
        case event::Gone::Why::timeout: say(Voice::timeout); break;
        case event::Gone::Why::session_time: say(Voice::session_over); break;
        case event::Gone::Why::too_slow: say(Voice::too_slow); break;
        case event::Gone::Why::shutdown: say(Voice::service_closing, {facts_.domain}); break;
    }
    close(reason(e.why));
}

void ServerSession::rset(std::string_view) {
    if (phase_ != Phase::connected) phase_ = Phase::greeted;
    forget_transaction();
    say(Voice::reset_ok);
}

void ServerSession::noop(std::string_view) { say(Voice::noop_ok); }
void ServerSession::help(std::string_view) { say(Voice::help); }

void ServerSession::vrfy(std::string_view argument) {
    if (argument.empty()) return refuse(Voice::vrfy_syntax);
    say(Voice::vrfy);
}

void ServerSession::quit(std::string_view) {
    say(Voice::bye, {facts_.domain});
    close("quit");
}

void ServerSession::forget_transaction() {
    envelope_.sender = mail::Path::null();
    envelope_.recipients.clear();
    envelope_.body = Body::seven_bit;
    envelope_.utf8 = false;
    refused_recipients_ = 0;
}

void ServerSession::refuse(Reply reply) {
    ++errors_;
    if (errors_ >= facts_.error_limit) {
        say(Voice::too_many_errors);
        return close("errors");
    }
    if (const auto delay = error_delay(errors_); delay.count() > 0) out_.push_back(effect::Wait{delay});
    say(std::move(reply));
}

// A verdict of "later" is not the client's fault and costs it nothing: a list with fifty greylisted recipients is no attack.
void ServerSession::refuse(mail::Verdict verdict, std::string_view about) {
    if (verdict.detail.empty()) verdict.detail = about;
    Reply reply = smtp::say(verdict);
    base::Event log{verdict.why == mail::Why::greylisted ? base::Word::greylist : base::Word::reject, {}};
    log.with("code", std::to_string(reply.code)).with("reason", std::string(name(verdict.why)));
    log.with_peer("about", std::string(about));
    out_.push_back(effect::Log{std::move(log)});
    if (verdict.kind == mail::Verdict::Kind::never) return refuse(std::move(reply));
    say(std::move(reply));
}

void ServerSession::close(std::string_view why) {
    const bool ours = why != "quit" && why != "eof";
    base::Event log{ours ? base::Word::drop : base::Word::disconnect, {}};
    log.with("reason", std::string(why)).with("commands", std::to_string(count_.commands));
    log.with("mail", std::to_string(count_.mail)).with("rcpt", std::to_string(count_.rcpt));
    log.with("messages", std::to_string(count_.messages)).with("errors", std::to_string(errors_));
    phase_ = Phase::closed;
    asked_ = Asked::nothing;
    out_.push_back(effect::Log{std::move(log)});
    out_.push_back(effect::Close{});
}

}  // namespace greylag::smtp
