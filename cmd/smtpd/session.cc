#include "cmd/smtpd/session.hh"

#include <signal.h>

#include <memory>

#include "base/wipe.hh"
#include "cmd/smtpd/auth.hh"
#include "cmd/smtpd/debug.hh"
#include "cmd/smtpd/delivery.hh"
#include "cmd/smtpd/front.hh"
#include "cmd/smtpd/pace.hh"
#include "cmd/smtpd/policy.hh"
#include "smtp/conversation.hh"
#include "sys/file.hh"
#include "sys/host.hh"
#include "sys/io.hh"
#include "sys/spool.hh"

namespace greylag::smtpd {

namespace {

using base::Millis;
using sys::Deadline;

// RFC 5321 4.5.3.2: five minutes for a command and for a client to take our reply, three for a block of the body.
constexpr Millis command_wait{300'000};
constexpr Millis block_wait{180'000};
constexpr Millis reply_wait{300'000};
constexpr Millis handshake_wait{60'000};
constexpr Millis farewell_wait{1000};

constexpr std::size_t command_room = 4096;
constexpr std::size_t body_room = 256 << 10;

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
    Session(const Setup& setup, int in, int out, const sys::Ends& ends, sys::Log& log, sys::Signals& signals,
            Millis greeting_wait, Security security, sys::Fd place)
        : setup_(setup),
          in_(in),
          out_(out),
          ends_(ends),
          log_(log),
          signals_(signals),
          security_(security),
          place_(std::move(place)),
          id_(named(security.taken != nullptr ? security.taken->id : sys::make_id())),
          messages_(security.taken != nullptr ? security.taken->messages : 0),
          auth_(setup, log, peer(), security.crypto != nullptr ? security.crypto->hmac_md5() : nullptr),
          session_deadline_(Deadline::in(setup.settings.limits.session_time - began_before())),
          command_deadline_(session_deadline_),
          channel_(setup.tls_first ? encrypt() : nullptr),
          lookup_(setup, ends),
          lmtp_(setup, log),
          conversation_(facts(setup, greeting_wait, auth_, channel_.get(), security.taken), body_limits(setup)),
          policy_(setup, ends, lookup_, log, conversation_.session()),
          spool_(sys::join(setup.settings.paths.state, "spool")),
          room_(std::make_unique_for_overwrite<char[]>(command_room)) {
        log_.hold();
        if (security_.taken == nullptr && !setup_.tls_first) announce();
        open_debug();
        if (ends_.socket) sys::no_delay(out_);
    }

    void run() {
        if (setup_.tls_first && !channel_) return;
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
        if (channel_) channel_->close(Deadline::in(farewell_wait));
        base::wipe(room_.get(), room_size_);
        log_.release();
    }

private:
    // The log knows the session's name from the first line on.
    std::string named(std::string id) {
        log_.set_id(id);
        return id;
    }
    Millis began_before() const { return security_.taken != nullptr ? security_.taken->elapsed : Millis{0}; }
    std::unique_ptr<Channel> encrypt();
    bool hand_over_session();
    Result<std::size_t> receive(Deadline deadline);
    Result<void> send(Deadline deadline) {
        return channel_ ? channel_->write_all(replies_, deadline) : sys::write_all(out_, replies_, deadline);
    }
    void open_debug();
    void announce();
    std::string peer() const { return ends_.remote ? ends_.remote->address.text() : "unknown"; }
    void flush();
    smtp::event::Gone::Why why_gone(const Error& error) const;
    void tell_gone(smtp::event::Gone::Why why) { conversation_.tell(smtp::event::Gone{why}); }
    void store(std::string_view bytes);
    Result<void> write_front(std::string_view bytes);

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
        auto step = auth_.begin(asked, channel_.get());
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
    int in_, out_;
    const sys::Ends& ends_;
    sys::Log& log_;
    sys::Signals& signals_;
    Security security_;
    sys::Fd place_;
    std::string id_;
    unsigned messages_ = 0;
    Authenticator auth_;
    Deadline session_deadline_;
    Deadline command_deadline_;
    std::unique_ptr<Channel> channel_;
    Debug debug_;
    Lookup lookup_;
    LmtpMailer lmtp_;
    smtp::Conversation conversation_;
    Policy policy_;
    sys::Spool spool_;
    Front front_;
    std::string message_id_;
    std::chrono::steady_clock::time_point body_start_;
    std::uint64_t body_begin_ = 0;  // octets there were already
    std::unique_ptr<char[]> room_;
    std::size_t room_size_ = command_room;
    bool filled_ = false;     // the last read took all the room: there may be much more
    std::string_view input_;  // received, not yet taken; points into room_
    std::string replies_;     // said, not yet sent
    bool waiting_ = false;    // in the middle of a command's wait
    bool deaf_ = false;       // the client does not take our replies
    bool closed_ = false;
};

void Session::open_debug() {
    if (!setup_.settings.smtpd.debug) return;
    if (security_.taken != nullptr) {
        if (security_.taken->debug) debug_ = Debug(std::move(security_.taken->debug), security_.taken->elapsed);
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
    return session_deadline_.passed() ? Why::session_time : Why::timeout;
}

void Session::flush() {
    if (!replies_.empty() && !deaf_) {
        const auto deadline = Deadline::earlier(Deadline::in(reply_wait), session_deadline_);
        if (const auto written = send(deadline); !written) {
            deaf_ = true;
            if (!closed_) tell_gone(why_gone(written.error()));
        }
        debug_.server(replies_);
    }
    replies_.clear();
    // Behind the answer: between the mailer's end and our 250 a crash means a message twice.
    log_.release();
}

void Session::perform(const smtp::step::NeedInput&) {
    using Why = smtp::event::Gone::Why;
    flush();
    if (deaf_) return;
    const bool body = conversation_.in_body();
    if (body && filled_ && room_size_ < body_room) {
        room_ = std::make_unique_for_overwrite<char[]>(body_room);
        room_size_ = body_room;
    }
    // A command has its time as a whole, however many pieces it comes in; a body has it for each block.
    if (!waiting_ || body)
        command_deadline_ = Deadline::earlier(Deadline::in(body ? block_wait : command_wait), session_deadline_);
    waiting_ = true;
    // What TLS has already opened is not seen on the descriptor.
    const bool here = channel_ && channel_->readable(Deadline::in(Millis{0}));
    const bool stop = !here && signals_.wait_input(in_, command_deadline_) == sys::Signals::Woke::stop;
    if (stop && !body) return tell_gone(Why::shutdown);
    const auto got = receive(command_deadline_);
    if (!got) return tell_gone(why_gone(got.error()));
    if (*got == 0) return tell_gone(Why::eof);
    input_ = {room_.get(), *got};
    filled_ = *got == room_size_;
    if (body && too_slow(conversation_.body_octets() - body_begin_, sys::since(body_start_))) tell_gone(Why::too_slow);
}

void Session::perform(const smtp::effect::Watch& e) {
    const auto woke = signals_.wait_input(ends_.socket ? in_ : -1, Deadline::in(e.wait));
    place_.reset();
    if (woke == sys::Signals::Woke::stop) return tell_gone(smtp::event::Gone::Why::shutdown);
    const bool early = woke == sys::Signals::Woke::input;
    if (early) {
        // Under TLS what came may be none of the client's words.
        if (channel_ && !channel_->readable(Deadline::in(Millis{0}))) return conversation_.tell(smtp::event::Watched{false});
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
    // A message that is all header, or nothing; what the spool says to it is asked for when it is finished.
    if (front_.waiting()) (void)write_front({});
    const auto& envelope = conversation_.envelope();
    auto verdict = policy_.on(question);
    if (verdict.ok())
        verdict = deliver(setup_, envelope, ends_, lookup_.peer_name(), message_id_, spool_, lmtp_, log_);
    else
        refuse_blocked(setup_, envelope, ends_, verdict, spool_, log_);
    spool_ = sys::Spool(sys::join(setup_.settings.paths.state, "spool"));
    return smtp::event::Delivered{std::move(verdict), message_id_};
}

void Session::perform(const smtp::effect::Wait& e) {
    flush();
    (void)signals_.wait_input(-1, Deadline::earlier(Deadline::in(e.wait), session_deadline_));
}

void Session::perform(const smtp::effect::TakeBody& e) {
    if (e.begins || !e.keep) {
        body_start_ = sys::stopwatch();
        body_begin_ = conversation_.body_octets();
    }
    if (!e.begins) return;
    message_id_ = id_ + (messages_ == 0 ? "" : "." + std::to_string(messages_));
    ++messages_;
    spool_ = sys::Spool(sys::join(setup_.settings.paths.state, "spool"));
    // The client sends while we wait for its name. Chunks are sent without waiting: their group is answered in one write.
    if (!e.chunk) flush();
    front_ = Front(front_matter(setup_, conversation_.envelope(), ends_, lookup_.peer_name(), message_id_));
}

Result<void> Session::write_front(std::string_view bytes) {
    return front_.write(policy_.tags(front_.header(bytes)), bytes, spool_);
}

void Session::store(std::string_view bytes) {
    if (front_.waiting() && !front_.seen(bytes)) return;
    const auto kept = front_.waiting() ? write_front(bytes) : spool_.append(bytes);
    if (kept) return;
    log_.write(base::Event{}.with("reason", "spool").with("said", kept.error().text));
    conversation_.fail_body(mail::Verdict::later(mail::Why::no_space));
}

Result<std::size_t> Session::receive(Deadline deadline) {
    if (channel_) return channel_->read_some({room_.get(), room_size_}, deadline);
    return sys::read_some(in_, {room_.get(), room_size_}, deadline);
}

// The handshake; whatever comes of it is in the log.
std::unique_ptr<Channel> Session::encrypt() {
    if (setup_.tls_first) announce();
    base::Event event{base::Word::tls, {}};
    event.with("ip", peer());
    Result<void> ready = base::fail(Kind::unavailable, "this program has no TLS");
    if (security_.crypto != nullptr) ready = security_.crypto->prepare(setup_.settings.tls);
    if (!ready) log_.write(base::Event{}.with("reason", "certificate").with("said", ready.error().text));
    Result<std::unique_ptr<Channel>> channel = base::fail(Kind::unavailable, "no certificate");
    if (security_.crypto != nullptr && security_.crypto->ready())
        channel = security_.crypto->accept(in_, out_, Deadline::earlier(Deadline::in(handshake_wait), session_deadline_));
    if (!channel) {
        log_.write(event.with("reason", "failed").with("said", channel.error().text));
        return nullptr;
    }
    log_.write(event.with("tls", (*channel)->description()));
    return *std::move(channel);
}

// Can TLS begin? Where this program has none, its sibling is asked, and if it can, the session is the sibling's.
smtp::Event Session::answer(const smtp::question::Tls&) {
    using mail::Verdict;
    if (security_.crypto == nullptr) {
        closed_ = hand_over_session();
        return smtp::event::Answer{Verdict::later(mail::Why::none), std::nullopt};
    }
    const auto ready = security_.crypto->prepare(setup_.settings.tls);
    if (!ready) log_.write(base::Event{}.with("reason", "certificate").with("said", ready.error().text));
    return smtp::event::Answer{security_.crypto->ready() ? Verdict::pass() : Verdict::later(mail::Why::none), std::nullopt};
}

bool Session::hand_over_session() {
    flush();
    if (deaf_) return false;
    Begun begun;
    begun.id = id_;
    begun.messages = messages_;
    begun.elapsed = setup_.settings.limits.session_time - session_deadline_.left();
    begun.counts = conversation_.session().counts();
    begun.debug = debug_.share();
    auto heir = hand_over(setup_, in_, out_, begun);
    if (!heir) {
        log_.write(base::Event{}.with("ip", peer()).with("reason", "starttls").with("said", heir.error().text));
        return false;
    }
    // Whoever started us takes our end for the session's, and tells us when it is to end.
    const auto last = Deadline::in(session_deadline_.left() + setup_.settings.mailer.timeout + handshake_wait);
    if (signals_.wait_input(heir->link.get(), last) == sys::Signals::Woke::stop) heir->child.kill(SIGTERM);
    const auto end = heir->child.wait(last);
    if (end && !end->ok()) log_.write(base::Event{}.with("ip", peer()).with("reason", "session-died"));
    return true;
}

void Session::perform(const smtp::effect::StartTls&) {
    flush();
    smtp::event::TlsUp up;
    if (!deaf_) channel_ = encrypt();
    if (channel_) {
        up.ok = true;
        up.description = channel_->description();
        up.mechanisms = auth_.mechanisms(channel_.get());
    } else {
        // Whatever is said now, the other end would not understand it.
        deaf_ = true;
    }
    conversation_.tell(up);
}

}  // namespace

void run_session(const Setup& setup, int in, int out, const sys::Ends& ends, sys::Log& log, sys::Signals& signals,
                 Millis greeting_wait, Security security, sys::Fd place) {
    Session(setup, in, out, ends, log, signals, greeting_wait, security, std::move(place)).run();
}

void turn_away(int out, const smtp::Reply& reply) { (void)sys::write_all(out, smtp::wire(reply), Deadline::in(Millis{0})); }

sys::Log::Settings log_settings(const Setup& setup) {
    const auto& log = setup.settings.log;
    sys::Log::Settings to;
    to.program = "smtpd";
    to.path = log.path;
    to.quiet = log.level == config::LogLevel::quiet;
    to.format = log.format == config::LogFormat::json ? sys::Log::Format::json : sys::Log::Format::text;
    switch (log.to) {
        case config::LogTo::syslog: to.to = sys::Log::To::syslog; break;
        case config::LogTo::stderr_: to.to = sys::Log::To::stderr_; break;
        case config::LogTo::file: to.to = sys::Log::To::file; break;
    }
    return to;
}

}  // namespace greylag::smtpd
