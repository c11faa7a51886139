#include "smtp/server.hh"

#include "base/ascii.hh"

namespace greylag::smtp {

namespace {

using Phase = ServerSession::Phase;

constexpr unsigned in(Phase p) { return 1u << static_cast<unsigned>(p); }
constexpr unsigned anywhere =
    in(Phase::connected) | in(Phase::greeted) | in(Phase::sender) | in(Phase::recipients) | in(Phase::chunks);
constexpr unsigned after_helo = anywhere & ~in(Phase::connected);
constexpr unsigned outside = in(Phase::connected) | in(Phase::greeted);  // no transaction is open
constexpr unsigned between_chunks = anywhere & ~in(Phase::chunks);

// What the next error costs: none for the first two, so that a person who mistypes is not punished.
constexpr base::Millis error_delays[] = {base::Millis{0},    base::Millis{0},    base::Millis{1000},
                                         base::Millis{2000}, base::Millis{4000}, base::Millis{8000}};
constexpr base::Millis error_delay_cap{10'000};

base::Millis error_delay(unsigned errors) {
    return errors <= std::size(error_delays) ? error_delays[errors - 1] : error_delay_cap;
}

// An extension that EHLO did not list does not exist for this client (RFC 5321 4.2.4); EXPN and the mail-or-terminal verbs of
// RFC 821 are known and never there.
Reply unavailable(const Command& command) {
    if (command.verb == Verb::refused || command.verb == Verb::expn) return say(Voice::not_offered, {name(command.verb)});
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

// The command table: where a verb is legal, what is said where it is not, whether it may carry an argument, whether it ends a
// pipelined group (RFC 2920 3.1): octets that wait behind a refused one were written by somebody who does not listen.
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
    {Verb::mail, after_helo& between_chunks, Voice::need_helo, Row::argument, false, &ServerSession::mail},
    {Verb::rcpt, after_helo& between_chunks, Voice::need_helo, Row::argument, false, &ServerSession::rcpt},
    {Verb::data, after_helo& between_chunks, Voice::need_helo, Row::bare, true, &ServerSession::data},
    {Verb::bdat, anywhere, Voice::need_helo, Row::argument, false, &ServerSession::bdat},
    {Verb::rset, anywhere, Voice::not_now, Row::bare, false, &ServerSession::rset},
    {Verb::noop, anywhere, Voice::not_now, Row::argument, false, &ServerSession::noop},
    {Verb::quit, anywhere, Voice::not_now, Row::bare, false, &ServerSession::quit},
    {Verb::vrfy, anywhere, Voice::not_now, Row::argument, false, &ServerSession::vrfy},
    {Verb::help, anywhere, Voice::not_now, Row::argument, false, &ServerSession::help},
    {Verb::starttls, outside, Voice::not_now, Row::bare, true, &ServerSession::starttls},
    {Verb::auth, in(Phase::greeted), Voice::not_now, Row::argument, true, &ServerSession::auth},
};

const ServerSession::Row* ServerSession::find(Verb verb) {
    for (const Row& row : rows)
        if (row.verb == verb) return &row;
    return nullptr;
}

ServerSession::ServerSession(ServerFacts facts) : facts_(std::move(facts)), count_(facts_.counted) {
    envelope_.tls = facts_.tls;
    envelope_.tls_description = facts_.tls_description;
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
        void operator()(const event::TlsUp& e) const { s.tls_up(e); }
        void operator()(const event::Auth& e) const { s.auth_step(e); }
        void operator()(const event::Delivered& e) const { s.delivered(e); }
        void operator()(const event::Gone& e) const { s.gone(e); }
    };
    std::visit(Dispatch{*this}, event);
    return std::move(out_);
}

void ServerSession::opened(const event::Opened&) {
    if (phase_ != Phase::start) return;
    if (facts_.starttls_asked) return tls_answered(mail::Verdict::pass());
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
    if (asking() || chunk_) return;
    if (phase_ == Phase::auth) return auth_line(e);
    if ((anywhere & in(phase_)) == 0) return;
    if (e.line.fault != LineFault::none || e.line.text.empty()) count(Verb::unknown);
    if (e.line.fault == LineFault::too_long) return refuse(Voice::line_too_long);
    if (e.line.fault != LineFault::none) return refuse(Voice::bad_line);
    if (e.line.text.empty()) return refuse(Voice::empty_line);

    const Command said = parse_command(e.line.text);
    count(said.verb);
    const Row* row = find(said.verb);
    // Known before it is tried: an exchange that octets wait behind must not even begin.
    if (e.more && row != nullptr && row->ends_group && said.verb != Verb::data) {
        say(Voice::sync_error);
        return close("sync-error");
    }
    behind_data_ = e.more;
    command(said);
    const bool accepted = phase_ == Phase::body || asked_ == Asked::data;
    if (e.more && said.verb == Verb::data && !accepted && phase_ != Phase::closed) {
        out_.clear();
        say(Voice::sync_error);
        close("sync-error");
    }
}

void ServerSession::command(const Command& said) {
    if (said.verb == Verb::foreign) {
        say(Voice::wrong_protocol);
        return close("wrong-protocol");
    }
    // The octets of a chunk come whatever is answered.
    if (shut_out_ && said.verb != Verb::quit && said.verb != Verb::bdat) return refuse(*shut_out_, {});
    const Row* row = find(said.verb);
    if (row == nullptr) return refuse(unavailable(said));
    if (row->takes == Row::bare && !said.argument.empty())
        refuse(smtp::say(Voice::no_argument_allowed, {name(said.verb)}));
    else if ((row->phases & in(phase_)) == 0)
        refuse(smtp::say(phase_ == Phase::chunks ? Voice::chunks_begun : row->elsewhere, {name(said.verb)}));
    else
        (this->*row->handle)(said.argument);
}

void ServerSession::ask(Asked asked, Question question) {
    asked_ = asked;
    out_.push_back(effect::Ask{std::move(question)});
}

void ServerSession::answered(const event::Answer& e) {
    const Asked asked = asked_;
    if (asked == Asked::deliver || asked == Asked::auth) return;
    asked_ = Asked::nothing;
    switch (asked) {
        case Asked::helo: return helo_answered(e.verdict);
        case Asked::sender: return sender_answered(e.verdict);
        case Asked::recipient: return recipient_answered(e);
        case Asked::data: return data_answered(e.verdict);
        case Asked::tls: return tls_answered(e.verdict);
        case Asked::nothing:
        case Asked::auth:
        case Asked::deliver: return;
    }
}

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
    auto& lines = reply.lines;
    lines.insert(lines.end(), {"PIPELINING", "SIZE " + std::to_string(facts_.size_limit), "8BITMIME", "SMTPUTF8", "CHUNKING",
                               "ENHANCEDSTATUSCODES"});
    if (facts_.tls_offered) lines.emplace_back("STARTTLS");
    if (!facts_.mechanisms.empty() && user().empty()) {
        lines.emplace_back("AUTH");
        for (const auto& mechanism : facts_.mechanisms) lines.back() += " " + mechanism;
    }
    lines.push_back("LIMITS RCPTMAX=" + std::to_string(facts_.recipient_limit));  // RFC 9422
    lines.emplace_back("HELP");
    return reply;
}

void ServerSession::gone(const event::Gone& e) {
    switch (e.why) {
        case event::Gone::Why::eof: break;
        case event::Gone::Why::timeout: say(Voice::timeout); break;
        case event::Gone::Why::session_time: say(Voice::session_over); break;
        case event::Gone::Why::too_slow: say(Voice::too_slow); break;
        case event::Gone::Why::shutdown: say(Voice::service_closing); break;
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
    say(Voice::bye);
    close("quit");
}

void ServerSession::refuse(Reply reply) {
    ++count_.errors;
    if (count_.errors >= facts_.error_limit) {
        say(Voice::too_many_errors);
        return close("errors");
    }
    if (const auto delay = error_delay(count_.errors); delay.count() > 0) out_.push_back(effect::Wait{delay});
    say(std::move(reply));
}

// A verdict of "later" is not the client's fault and costs it nothing: a list with fifty greylisted recipients is no attack.
void ServerSession::refuse(mail::Verdict verdict, std::string_view about) {
    const bool never = verdict.kind == mail::Verdict::Kind::never;
    Reply reply = rejection(std::move(verdict), about);
    if (never) return refuse(std::move(reply));
    say(std::move(reply));
}

Reply ServerSession::rejection(mail::Verdict verdict, std::string_view about) {
    if (verdict.detail.empty()) verdict.detail = about;
    Reply reply = smtp::say(verdict);
    base::Event log{verdict.why == mail::Why::greylisted ? base::Word::greylist : base::Word::reject, {}};
    log.with("code", std::to_string(reply.code)).with("reason", std::string(name(verdict.why)));
    if (verdict.why == mail::Why::greylisted) log.with("wait", verdict.detail);
    log.with_peer("helo", envelope_.helo.text).with_peer("from", envelope_.sender.text());
    log.with_peer("about", std::string(about));
    out_.push_back(effect::Log{std::move(log)});
    return reply;
}

std::string ServerSession::command_counts() const {
    std::string out;
    for (std::size_t i = 0; i < count_.commands.size(); ++i) {
        if (count_.commands[i] == 0) continue;
        const auto verb = static_cast<Verb>(i);
        out += (out.empty() ? "" : ",") + (verb == Verb::refused ? "unknown" : base::lower(name(verb))) + ":";
        out += std::to_string(count_.commands[i]);
    }
    return out;
}

void ServerSession::close(std::string_view why) {
    // A server that stops has nothing against its clients; who bans by `drop` must not ban them.
    const bool ours = why != "quit" && why != "eof" && why != reason(event::Gone::Why::shutdown);
    base::Event log{ours ? base::Word::drop : base::Word::disconnect, {}};
    log.with("reason", std::string(why)).with("commands", command_counts());
    log.with("messages", std::to_string(count_.messages)).with("errors", std::to_string(count_.errors));
    phase_ = Phase::closed;
    asked_ = Asked::nothing;
    out_.push_back(effect::Log{std::move(log)});
    out_.push_back(effect::Close{});
}

}  // namespace greylag::smtp
