#include "cmd/smtpd/session.hh"

#include <cerrno>

#include "base/wipe.hh"
#include "cmd/smtpd/auth.hh"
#include "cmd/smtpd/debug.hh"
#include "cmd/smtpd/delivery.hh"
#include "cmd/smtpd/incoming.hh"
#include "cmd/smtpd/policy.hh"
#include "cmd/smtpd/room.hh"
#include "cmd/smtpd/wire.hh"
#include "smtp/conversation.hh"
#include "sys/file.hh"
#include "sys/host.hh"
#include "sys/io.hh"

namespace greylag::smtpd {

namespace {

using base::Millis;
using sys::Deadline;

// RFC 5321 4.5.3.2: five minutes for a command and for a client to take our reply, three for a block of the body.
constexpr Millis command_wait{300'000};
constexpr Millis block_wait{180'000};
constexpr Millis reply_wait{300'000};

smtp::ServerFacts facts(const Setup& setup, Millis greeting_wait, const Authenticator& auth, const Channel* channel,
                        const Begun* taken) {
    const auto& limits = setup.settings.limits;
    smtp::ServerFacts facts;
    facts.domain = setup.domain;
    facts.size_limit = limits.size;
    facts.recipient_limit = limits.recipients;
    facts.error_limit = limits.errors;
    facts.greeting_wait = greeting_wait;
    facts.tls = channel != nullptr;
    if (channel != nullptr) facts.tls_description = channel->description();
    facts.tls_offered = channel == nullptr && !setup.settings.tls.certificate.empty();
    facts.auth_required = setup.settings.smtpd.authenticate;
    facts.mechanisms = auth.mechanisms(channel);
    if (facts.tls_offered) facts.mechanisms_under_tls = auth.mechanisms_under_tls();
    facts.starttls_asked = taken != nullptr;
    if (taken != nullptr) facts.counted = taken->counts;
    return facts;
}

smtp::DotDecoder::Limits body_limits(const Setup& setup) {
    const bool normalize = setup.settings.smtpd.bare_newline == config::BareNewline::normalize;
    return {setup.settings.limits.line, normalize ? smtp::DotDecoder::BareLf::normalize : smtp::DotDecoder::BareLf::fault};
}

class Session {
public:
    Session(const Place& place, Connection connection, Security security)
        : setup_(place.setup),
          ends_(connection.ends),
          log_(place.log),
          signals_(place.signals),
          taken_(security.taken),
          waiting_place_(std::move(connection.waiting_place)),
          id_(named(taken_ != nullptr ? taken_->id : sys::make_id())),
          auth_(setup_, log_, address(), security.crypto != nullptr ? security.crypto->hmac_md5() : nullptr),
          session_deadline_(Deadline::in(setup_.settings.limits.session_time - began_before())),
          command_deadline_(session_deadline_),
          wire_(place, connection, peer(), security.crypto),
          begun_(begin()),
          lookup_(setup_, ends_),
          lmtp_(setup_, log_),
          conversation_(facts(setup_, connection.greeting_wait, auth_, wire_.channel(), taken_), body_limits(setup_)),
          policy_(setup_, ends_, lookup_, log_, conversation_.session()),
          message_(sys::join(setup_.settings.paths.state, "spool"), id_, taken_ != nullptr ? taken_->messages : 0) {
        log_.hold();
        if (taken_ == nullptr && !setup_.tls_first) announce();
        open_debug();
    }

    void run() {
        if (!begun_) return;
        while (!closed_) {
            const auto kind = conversation_.secret()    ? Debug::Kind::secret
                              : conversation_.in_body() ? Debug::Kind::body
                                                        : Debug::Kind::command;
            const std::string_view before = input_;
            auto step = conversation_.next(input_);
            debug_.client(before.substr(0, before.size() - input_.size()), kind);
            std::visit([this](auto& s) { perform(s); }, step);
        }
        flush();
        wire_.close();
        log_.release();
    }

private:
    // The log knows the session's name from the first line on.
    std::string named(std::string id) {
        log_.set_id(id);
        return id;
    }
    Millis began_before() const { return taken_ != nullptr ? taken_->elapsed : Millis{0}; }
    // With -t the log tells who is there before the handshake, which may be all there is.
    bool begin() {
        if (!setup_.tls_first) return true;
        announce();
        return wire_.encrypt(session_deadline_);
    }
    bool hand_over();
    bool stopped();
    // No wait is longer than the session, nor than what a stop leaves of it.
    Deadline last(Deadline deadline) const {
        return signals_.within(Deadline::earlier(deadline, session_deadline_), setup_.settings.limits.stop_time);
    }
    Result<std::size_t> receive(Deadline deadline) { return wire_.receive(room_.all(), deadline); }
    Parcel parcel() { return {setup_, ends_, conversation_.envelope(), lookup_.peer_name(), message_.id()}; }
    auto tags() {
        return [this](std::string_view header) { return policy_.tags(header, message_.id()); };
    }
    void open_debug();
    void announce();
    std::optional<mail::IpAddress> address() const { return ends_.remote ? std::optional(ends_.remote->address) : std::nullopt; }
    std::string peer() const { return ends_.remote ? ends_.remote->address.text() : "unknown"; }
    void flush();
    smtp::event::Gone::Why why_gone(const Error& error) const;
    void tell_gone(smtp::event::Gone::Why why) { conversation_.tell(smtp::event::Gone{why}); }
    void store(std::string_view bytes);

    void perform(const smtp::step::NeedInput&);
    void perform(const smtp::step::Store& s) { store(s.bytes); }
    void perform(const smtp::effect::Watch& e);
    void perform(const smtp::effect::Say& e);
    void perform(smtp::effect::Ask& e);
    void perform(const smtp::effect::Wait& e);
    template <class Question>
    smtp::Event answer(const Question& question) {
        return smtp::event::Answer{policy_.on(question), std::nullopt};
    }
    smtp::Event answer(const smtp::question::Sender& asked) {
        lmtp_.forget();
        return smtp::event::Answer{policy_.on(asked), std::nullopt};
    }
    // Policy first: a recipient that we refuse is none of the mailer's business.
    smtp::Event answer(const smtp::question::Recipient& asked) {
        auto meant = policy_.meant(asked.path);
        auto verdict = policy_.on(asked);
        if (verdict.ok() && setup_.mailer.lmtp) verdict = lmtp_.recipient(conversation_.envelope(), meant.value_or(asked.path));
        return smtp::event::Answer{std::move(verdict), std::move(meant)};
    }
    smtp::Event answer(smtp::question::Auth& asked) {
        flush();
        auto step = auth_.begin(asked, wire_.channel());
        if (asked.initial) base::wipe(*asked.initial);
        return step;
    }
    smtp::Event answer(smtp::question::AuthResponse& asked) {
        auto step = auth_.respond(asked.response);
        base::wipe(asked.response);
        return step;
    }
    smtp::Event answer(const smtp::question::Tls&);
    smtp::Event answer(const smtp::question::Deliver& question);
    void perform(const smtp::effect::TakeBody& e);
    void perform(const smtp::effect::StartTls&);
    void perform(const smtp::effect::Log& e);
    void perform(const smtp::effect::Close&) { closed_ = true; }

    const Setup& setup_;
    const sys::Ends& ends_;
    sys::Log& log_;
    sys::Signals& signals_;
    Begun* taken_;
    sys::Fd waiting_place_;
    std::string id_;
    Authenticator auth_;
    Deadline session_deadline_;
    Deadline command_deadline_;
    Wire wire_;
    bool begun_;  // -t: the handshake went well
    Debug debug_;
    Lookup lookup_;
    LmtpMailer lmtp_;
    smtp::Conversation conversation_;
    Policy policy_;
    Incoming message_;
    Room room_;
    std::string_view input_;  // received, not yet taken; points into room_
    std::string replies_;     // said, not yet sent
    bool waiting_ = false;    // in the middle of a command's wait
    bool deaf_ = false;       // the client does not take our replies
    bool closed_ = false;
};

void Session::open_debug() {
    if (!setup_.settings.smtpd.debug) return;
    if (taken_ != nullptr) {
        if (taken_->debug) debug_ = Debug(std::move(taken_->debug), taken_->elapsed);
        return;
    }
    auto debug = Debug::open(setup_.settings.paths.state, id_);
    if (debug)
        debug_ = std::move(*debug);
    else
        log_.write(base::Event{}.with("reason", "debug").with("said", debug.error().text));
}

void Session::announce() {
    base::Event event{base::Word::connect, {}};
    event.with("ip", peer());
    if (ends_.remote && ends_.remote->port != 0) event.with("port", std::to_string(ends_.remote->port));
    log_.write(event);
}

// The address stands before anything the client chose: who bans by the log must not be led to somebody else.
void Session::perform(const smtp::effect::Log& e) {
    base::Event event{e.event.word, {}};
    event.with("ip", peer());
    event.fields.insert(event.fields.end(), e.event.fields.begin(), e.event.fields.end());
    log_.write(event);
}

smtp::event::Gone::Why Session::why_gone(const Error& error) const {
    using Why = smtp::event::Gone::Why;
    if (error.kind != Kind::timeout) return Why::eof;
    if (signals_.within(Deadline::never(), setup_.settings.limits.stop_time).passed()) return Why::shutdown;
    return session_deadline_.passed() ? Why::session_time : Why::timeout;
}

void Session::flush() {
    if (!replies_.empty() && !deaf_) {
        const auto deadline = last(Deadline::in(reply_wait));
        if (const auto written = wire_.send(replies_, deadline); !written) {
            deaf_ = true;
            if (!closed_) tell_gone(why_gone(written.error()));
        }
        debug_.server(replies_);
    }
    replies_.clear();
    // Behind the answer: between the mailer's end and our 250 a crash means a message twice.
    log_.release();
}

// Waits for something to receive, no longer than for the command. True: we are to stop, and there is less time.
bool Session::stopped() {
    while (!wire_.opened()) {
        const auto woke = signals_.wait_input(wire_.in(), command_deadline_);
        if (woke == sys::Signals::Woke::stop) return command_deadline_ = last(command_deadline_), true;
        // Under TLS what has come may be half of a record: to wait for the rest without a look at the signals is too long.
        if (woke == sys::Signals::Woke::timeout || wire_.channel() == nullptr) break;
    }
    return false;
}

void Session::perform(const smtp::step::NeedInput&) {
    using Why = smtp::event::Gone::Why;
    flush();
    if (deaf_) return;
    const bool body = conversation_.in_body();
    if (!body) room_.forget();
    if (!conversation_.has_message()) message_.drop_left_over();
    if (body && room_.was_filled()) room_.enlarge();
    // A command has its time as a whole, however many pieces it comes in; a body has it for each block.
    if (!waiting_ || body) command_deadline_ = last(Deadline::in(body ? block_wait : command_wait));
    waiting_ = true;
    if (stopped() && !body) return tell_gone(Why::shutdown);
    const auto got = receive(command_deadline_);
    if (!got) return tell_gone(why_gone(got.error()));
    if (*got == 0) return tell_gone(Why::eof);
    input_ = room_.took(*got);
    if (body && message_.comes_too_slowly(conversation_.body_octets())) tell_gone(Why::too_slow);
}

void Session::perform(const smtp::effect::Watch& e) {
    const auto woke = signals_.wait_input(ends_.socket ? wire_.in() : -1, Deadline::in(e.wait));
    waiting_place_.reset();
    if (woke == sys::Signals::Woke::stop) return tell_gone(smtp::event::Gone::Why::shutdown);
    const bool early = woke == sys::Signals::Woke::input;
    if (early) {
        // Under TLS what came may be none of the client's words.
        if (wire_.channel() != nullptr && !wire_.opened()) return conversation_.tell(smtp::event::Watched{false});
        const auto got = receive(Deadline::in(command_wait));
        if (!got || *got == 0) return tell_gone(smtp::event::Gone::Why::eof);
    }
    conversation_.tell(smtp::event::Watched{early});
}

void Session::perform(const smtp::effect::Say& e) {
    waiting_ = false;
    replies_ += smtp::wire(e.reply);
}

void Session::perform(smtp::effect::Ask& e) {
    conversation_.tell(std::visit([this](auto& question) { return answer(question); }, e.question));
}

smtp::Event Session::answer(const smtp::question::Deliver& question) {
    message_.end(tags());
    auto verdict = policy_.on(question);
    if (verdict.ok())
        verdict = deliver(parcel(), message_.spool(), lmtp_, log_);
    else
        refuse_blocked(parcel(), verdict, message_.spool(), log_);
    message_.drop();
    return smtp::event::Delivered{std::move(verdict), message_.id()};
}

void Session::perform(const smtp::effect::Wait& e) {
    flush();
    (void)signals_.wait_input(-1, Deadline::earlier(Deadline::in(e.wait), session_deadline_));
}

void Session::perform(const smtp::effect::TakeBody& e) {
    if (e.begins || !e.keep) message_.start_clock(conversation_.body_octets());
    if (!e.begins) return;
    message_.name_next();
    // The client sends while we wait for its name. Chunks are sent without waiting: their group is answered in one write.
    if (!e.chunk) flush();
    message_.begin(front_matter(parcel()));
}

void Session::store(std::string_view bytes) {
    const auto kept = message_.store(bytes, tags());
    if (kept) return;
    log_.write(base::Event{}.with("reason", "spool").with("said", kept.error().text));
    const int code = kept.error().code;
    const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    conversation_.fail_body(mail::Verdict::later(full ? mail::Why::no_space : mail::Why::mailer_later));
}

// Can TLS begin? Where this program has none, its sibling is asked, and if it can, the session is the sibling's.
smtp::Event Session::answer(const smtp::question::Tls&) {
    using mail::Verdict;
    if (!wire_.has_crypto()) closed_ = hand_over();
    return smtp::event::Answer{wire_.can_encrypt() ? Verdict::pass() : Verdict::later(mail::Why::none), std::nullopt};
}

bool Session::hand_over() {
    flush();
    if (deaf_) return false;
    Begun begun;
    begun.id = id_;
    begun.messages = message_.count();
    begun.elapsed = setup_.settings.limits.session_time - session_deadline_.left();
    begun.counts = conversation_.session().counts();
    begun.debug = debug_.share();
    return wire_.hand_over(begun, session_deadline_);
}

void Session::perform(const smtp::effect::StartTls&) {
    flush();
    smtp::event::TlsUp up;
    up.ok = !deaf_ && wire_.encrypt(session_deadline_);
    if (up.ok) {
        up.description = wire_.channel()->description();
        up.mechanisms = auth_.mechanisms(wire_.channel());
    } else {
        // Whatever is said now, the other end would not understand it.
        deaf_ = true;
    }
    conversation_.tell(up);
}

}  // namespace

void run_session(const Place& place, Connection connection, Security security) {
    Session(place, std::move(connection), security).run();
}

void turn_away(int out, const smtp::Reply& reply) { (void)sys::write_all(out, smtp::wire(reply), Deadline::in(Millis{0})); }

}  // namespace greylag::smtpd
