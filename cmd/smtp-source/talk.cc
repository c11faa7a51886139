#include "cmd/smtp-source/talk.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/wipe.hh"

namespace greylag::source {

namespace {
// A server that is not there is not asked again at once.
constexpr Tick after_refused_dial = 1000;
constexpr std::size_t longest_shown = 500;

bool ends_connection(std::uint16_t code) { return code == 421 || code == 521; }
}  // namespace

std::string_view Talk::subject(Stage stage) {
    switch (stage) {
        case Stage::greeting: return "server banner";
        case Stage::hello: return "HELO";
        case Stage::starttls: return "STARTTLS";
        case Stage::auth: return "AUTH";
        case Stage::mail: return "sender";
        case Stage::rcpt: return "recipient";
        case Stage::data: return "data";
        case Stage::final:
        case Stage::empty: return "end of data";
        case Stage::rset: return "rset";
        case Stage::quit: return "quit";
    }
    return {};
}

// --- what is written -------------------------------------------------------------------------------------------------

std::array<std::string_view, 5> Talk::output() const {
    std::array<std::string_view, 5> pieces{buffer_.head, octets_.body, octets_.rest, octets_.end, tail_};
    std::size_t skip = written_;
    for (auto& piece : pieces) {
        const std::size_t cut = std::min(skip, piece.size());
        piece.remove_prefix(cut);
        skip -= cut;
    }
    return pieces;
}

void Talk::written(std::size_t octets) {
    written_ += octets;
    unwritten_ -= octets;
    if (unwritten_ != 0) return;
    buffer_.head.clear();
    tail_.clear();
    octets_ = {};
    written_ = 0;
}

void Talk::said(std::string& out, std::size_t from) {
    out += "\r\n";
    unwritten_ += out.size() - from;
    if (!order_->verbose) return;
    const std::string_view text = std::string_view(out).substr(from, out.size() - from - 2);
    const bool secret = waiting_ != 0 && expected_[(first_ + waiting_ - 1) % most_expected].stage == Stage::auth;
    desk_->plan.say(">>> " + (secret ? client::shown_auth(text) : base::printable(text, longest_shown)));
}

void Talk::expect(Stage stage, unsigned count, Tick now) {
    expected_[(first_ + waiting_) % most_expected] = {stage, count, now};
    ++waiting_;
}

// --- beginnings ------------------------------------------------------------------------------------------------------

void Talk::begin(Tick now) {
    if (desk_->ledger.stopped()) {
        wish_ = Wish::over;
    } else if (open_) {
        wish_ = Wish::talk;
        transaction(now);
    } else {
        if (!job_) job_ = desk_->ledger.claim(now);
        due_ = job_ ? std::max(job_->due, pause_until_) : 0;
        wish_ = !job_ ? Wish::over : due_ > now ? Wish::wait : Wish::dial;
        dialled_ = now;
    }
}

void Talk::connected(Tick now) {
    desk_->stats.timed(Phase::connect, now - dialled_);
    ++desk_->stats.connections;
    attempts_ = 0;
    done_here_ = 0;
    open_ = true;
    secure_ = authenticated_ = quit_said_ = false;
    bindings_ = {};
    if (parser_.mid_reply() || !parser_.fault().empty()) parser_ = {};
    first_ = waiting_ = 0;
    dialled_ = now;
    if (order_->tls == Tls::smtps) {
        wish_ = Wish::handshake;
        return;
    }
    wish_ = Wish::talk;
    expect(Stage::greeting, 1, now);
}

void Talk::not_connected(std::string_view why, Tick now) {
    if (++attempts_ < order_->attempts) {
        desk_->plan.say("warning: " + std::string(why));
        wish_ = Wish::wait;
        due_ = now + after_refused_dial;
        return;
    }
    attempts_ = 0;
    pause_until_ = now + after_refused_dial;
    broken(Failure::unreachable, why, now);
}

void Talk::secured(const Secured& how, Tick now) {
    if (!how.ok) return broken(Failure::tls, "TLS: " + how.why, now);
    desk_->stats.timed(Phase::tls, now - dialled_);
    secure_ = true;
    bindings_ = how.bindings;
    wish_ = Wish::talk;
    if (order_->tls == Tls::smtps) return expect(Stage::greeting, 1, now);
    offered_ = {};
    say_hello(now);
}

// --- replies ---------------------------------------------------------------------------------------------------------

void Talk::heard(std::string_view octets, Tick now) {
    while (!octets.empty() && open_ && (wish_ == Wish::talk || wish_ == Wish::wait)) {
        const auto got = parser_.next(octets, reply_);
        if (got == smtp::ReplyParser::Got::more) return;
        if (got == smtp::ReplyParser::Got::fault) return broken(Failure::protocol, "no reply: " + parser_.fault(), now);
        if (order_->verbose)
            for (const auto& text : reply_.lines)
                desk_->plan.say("<<< " + std::to_string(reply_.code) + " " + reply_.enhanced +
                                (reply_.enhanced.empty() ? "" : " ") + base::printable(text, longest_shown));
        if (waiting_ == 0) {
            const bool leaving = ends_connection(reply_.code);
            return broken(leaving ? Failure::lost : Failure::protocol, "the server spoke unasked: " + refusal(Stage::quit), now);
        }
        answered(now);
        // Whoever can put octets between the reply and the handshake would speak in the server's name.
        if (wish_ == Wish::handshake && !octets.empty())
            return broken(Failure::tls, "TLS: the server spoke between its reply and the handshake", now);
    }
}

void Talk::answered(Tick now) {
    Expected& expected = expected_[first_];
    const Stage stage = expected.stage;
    const Tick took = now - expected.since;
    if (--expected.count == 0) {
        first_ = (first_ + 1U) % most_expected;
        --waiting_;
    }
    switch (stage) {
        case Stage::greeting: desk_->stats.timed(Phase::greeting, took); return greeting(now);
        case Stage::hello: desk_->stats.timed(Phase::hello, took); return hello(now);
        case Stage::starttls:
            if (reply_.code != 220) return broken(Failure::tls, refusal(stage), now);
            wish_ = Wish::handshake;
            dialled_ = now;
            return;
        case Stage::auth: desk_->stats.timed(Phase::auth, took); return auth(now);
        case Stage::mail:
        case Stage::rcpt:
        case Stage::data:
            desk_->stats.timed(stage == Stage::mail ? Phase::mail : stage == Stage::rcpt ? Phase::rcpt : Phase::data, took);
            return mail_answered(stage, now);
        case Stage::final: desk_->stats.timed(Phase::message, took); return final_answered(now);
        case Stage::empty: return;
        case Stage::rset:
            if (reply_.code / 100 != 2) return refused(now);
            return next(now);
        case Stage::quit: desk_->stats.timed(Phase::quit, took); return hang_up();
    }
}

void Talk::greeting(Tick now) {
    if (reply_.code / 100 != 2) {
        // A server that cannot be talked to is not talked to, -A or not.
        const Failure how = count_refusal();
        return broken(how, refusal(Stage::greeting), now);
    }
    if (order_->old_mode) return after_hello(now);
    say_hello(now);
}

void Talk::say_hello(Tick now) {
    expect(Stage::hello, 1, now);
    say(order_->lmtp ? "LHLO " : order_->ehlo ? "EHLO " : "HELO ", std::string_view(order_->name));
}

void Talk::hello(Tick now) {
    if (reply_.code / 100 != 2) return broken(count_refusal(), refusal(Stage::hello), now);
    if (order_->lmtp || order_->ehlo) read_extensions();
    after_hello(now);
}

void Talk::read_extensions() {
    if (hello_ == reply_.lines) return;
    hello_ = reply_.lines;
    offered_ = {};
    for (std::size_t i = 1; i < reply_.lines.size(); ++i) {
        const auto words = base::words(reply_.lines[i]);
        if (words.empty()) continue;
        if (base::iequals(words[0], "PIPELINING")) offered_.pipelining = order_->pipelining;
        if (base::iequals(words[0], "CHUNKING")) offered_.chunking = true;
        if (base::iequals(words[0], "STARTTLS")) offered_.starttls = true;
        if (base::iequals(words[0], "AUTH")) offered_.mechanisms.assign(words.begin() + 1, words.end());
    }
}

void Talk::after_hello(Tick now) {
    if (order_->tls == Tls::starttls && !secure_) {
        if (!offered_.starttls) return broken(Failure::tls, "the server does not offer STARTTLS", now);
        expect(Stage::starttls, 1, now);
        return say("STARTTLS");
    }
    if (!order_->user.empty() && !authenticated_) return ask_auth(now);
    if (order_->bdat && !offered_.chunking) return broken(Failure::protocol, "the server does not offer CHUNKING", now);
    if (order_->pipelining && !offered_.pipelining && !std::exchange(desk_->said_no_pipelining, true))
        desk_->plan.say("warning: the server does not offer PIPELINING: a command at a time");
    transaction(now);
}

void Talk::ask_auth(Tick now) {
    const Plan& plan = desk_->plan;
    const bool clear_allowed = secure_ || order_->password_in_clear;
    const auto chosen = sasl::strongest(offered_.mechanisms, {plan.digests, bindings_.any(), clear_allowed});
    if (!chosen)
        return broken(Failure::auth,
                      std::string("the server offers no way to authenticate that may be used here") +
                          (clear_allowed ? "" : " (without TLS no password is shown)"),
                      now);
    sasl::Client::Facts facts;
    facts.digests = plan.digests;
    facts.nonce = plan.nonce();
    facts.bindings = sasl::shown_bindings(*chosen, offered_.mechanisms, bindings_);
    facts.host = order_->server();
    auth_ = std::make_unique<client::AuthExchange>(sasl::Client(*chosen, std::move(facts), order_->user, plan.password));
    say_auth(auth_->begin(), now);
}

void Talk::say_auth(std::string line, Tick now) {
    expect(Stage::auth, 1, now);
    say(std::string_view(line));
    base::wipe(line);
}

void Talk::auth(Tick now) {
    if (reply_.code / 100 == 3) {
        auto answer = auth_->answer(reply_);
        if (!answer) return broken(Failure::auth, "AUTH: " + answer.error().text, now);
        return say_auth(*std::move(answer), now);
    }
    if (reply_.code / 100 != 2) {
        count_refusal();
        return broken(Failure::auth, refusal(Stage::auth), now);
    }
    const auto proven = auth_->succeeded();
    auth_.reset();
    if (!proven) return broken(Failure::auth, "AUTH: " + proven.error().text, now);
    authenticated_ = true;
    after_hello(now);
}

// --- endings ---------------------------------------------------------------------------------------------------------

// Between two messages of a connection.
void Talk::next(Tick now) {
    const auto whole = order_->random_pause.count() * 1000;
    pause_until_ = now + order_->pause.count() * 1000 +
                   (whole == 0 ? 0 : static_cast<Tick>(desk_->dice.below(static_cast<std::uint64_t>(whole) + 1)));
    if (done_here_ >= order_->per_connection) return quit(now);
    if (!job_) job_ = desk_->ledger.claim(now);
    if (!job_) return quit(now);
    due_ = std::max(job_->due, pause_until_);
    if (due_ <= now) return transaction(now);
    wish_ = Wish::wait;
}

void Talk::quit(Tick now) {
    if (!std::exchange(quit_said_, true)) {
        expect(Stage::quit, 1, now);
        say("QUIT");
    }
}

void Talk::hang_up() {
    open_ = false;
    wish_ = Wish::hang_up;
    buffer_.head.clear();
    tail_.clear();
    octets_ = {};
    written_ = unwritten_ = 0;
    waiting_ = 0;
    current_.reset();
    closing_.reset();
    auth_.reset();
}

std::string Talk::refusal(Stage stage) const {
    std::string text = std::string(subject(stage)) + " rejected: " + std::to_string(reply_.code);
    if (!reply_.enhanced.empty()) text += " " + reply_.enhanced;
    for (const auto& each : reply_.lines) text += (each.empty() ? "" : " ") + base::printable(each, longest_shown);
    return text;
}

Failure Talk::count_refusal() {
    ++desk_->stats.codes[reply_.code];
    switch (reply_.code / 100) {
        case 4: return Failure::later;
        case 5: return Failure::refused;
        default: return Failure::protocol;
    }
}

bool Talk::complain(std::string_view what) {
    if (order_->carry_on) {
        desk_->plan.say("warning: " + std::string(what));
        return true;
    }
    if (!desk_->ledger.stopped()) desk_->plan.say(std::string(what));
    desk_->ledger.stop();
    return false;
}

// One message fails with its connection; what was claimed behind it is sent over another one.
void Talk::fail_oldest(Failure how) {
    const bool in_hand = closing_ || current_;
    if (!in_hand && !job_) return;
    ++desk_->stats.failed[static_cast<std::size_t>(how)];
    if (closing_ && current_) job_ = current_->job;
    if (!in_hand) job_.reset();
}

void Talk::broken(Failure how, std::string_view what, Tick) {
    fail_oldest(how);
    const bool on = complain(what);
    hang_up();
    if (!on) job_.reset();
}

void Talk::refused(Tick now) { broken(count_refusal(), refusal(Stage::rset), now); }

void Talk::lost(Lost how, Tick now) {
    if (!open_) return;
    // The server may leave as soon as it has heard QUIT.
    if (quit_said_ && !current_ && !closing_ && how != Lost::timeout) return hang_up();
    // In a pause nothing is in hand: the next message takes a new connection.
    if (wish_ == Wish::wait && how != Lost::timeout) return hang_up();
    const std::string_view doing = waiting_ == 0 ? "sending" : subject(expected_[first_].stage);
    const std::string what = (how == Lost::timeout ? "timeout at " : "lost connection at ") + std::string(doing);
    broken(how == Lost::timeout ? Failure::timeout : Failure::lost, what, now);
}

}  // namespace greylag::source
