// STARTTLS (RFC 3207) and AUTH (RFC 4954) as the session sees them: when they are legal, what they change. Cryptography and
// passwords are questions.
#include "base/ascii.hh"
#include "base/base64.hh"
#include "smtp/server.hh"

namespace greylag::smtp {

namespace {
constexpr unsigned auth_refusal_limit = 5;
constexpr base::Millis auth_delay{500};
}  // namespace

void ServerSession::starttls(std::string_view) {
    if (facts_.tls) return refuse(smtp::say(Voice::not_now, {"STARTTLS"}));
    if (!facts_.tls_offered) return refuse(Voice::unknown_command);
    ask(Asked::tls, question::Tls{});
}

void ServerSession::tls_answered(const mail::Verdict& verdict) {
    if (!verdict.ok()) return say(Voice::tls_unavailable);
    phase_ = Phase::handshake;
    say(Voice::tls_go);
    out_.push_back(effect::StartTls{});
}

// Nothing from before is known any more (RFC 3207 4.2); after a failed handshake nothing can be said that would be understood.
void ServerSession::tls_up(const event::TlsUp& e) {
    if (phase_ != Phase::handshake) return;
    if (!e.ok) return close("tls");
    forget_transaction();
    envelope_ = {};
    helo_verdict_ = {};
    facts_.tls = true;
    facts_.tls_offered = false;
    facts_.mechanisms = e.mechanisms;
    envelope_.tls = true;
    envelope_.tls_description = e.description;
    phase_ = Phase::connected;
}

bool ServerSession::offers(std::string_view mechanism, const std::vector<std::string>& mechanisms) const {
    for (const auto& known : mechanisms)
        if (base::iequals(known, mechanism)) return true;
    return false;
}

void ServerSession::auth(std::string_view argument) {
    if (!envelope_.extended || (facts_.mechanisms.empty() && (facts_.tls || facts_.mechanisms_under_tls.empty())))
        return refuse(Voice::unknown_command);
    if (!user().empty()) return refuse(Voice::auth_done);
    auto parsed = parse_auth(argument);
    if (!parsed) return refuse(std::move(parsed).error());
    if (!offers(parsed->mechanism, facts_.mechanisms)) {
        if (!facts_.tls && offers(parsed->mechanism, facts_.mechanisms_under_tls)) return refuse(Voice::auth_needs_tls);
        return refuse(smtp::say(Voice::auth_unknown, {parsed->mechanism}));
    }
    std::optional<std::string> initial;
    if (parsed->initial) {
        initial = base::base64_decode(*parsed->initial);
        if (!initial) return refuse(Voice::auth_base64);
    }
    phase_ = Phase::auth;
    ask(Asked::auth, question::Auth{parsed->mechanism, std::move(initial)});
}

// The client's answer to a challenge; "*" gives up.
void ServerSession::auth_line(const event::Line& e) {
    phase_ = Phase::greeted;
    if (e.more) {
        say(Voice::sync_error);
        return close("sync-error");
    }
    if (e.line.fault == LineFault::too_long) return refuse(Voice::auth_too_long);
    if (e.line.fault != LineFault::none) return refuse(Voice::auth_base64);
    if (e.line.text == "*") return refuse(Voice::auth_aborted);
    auto response = base::base64_decode(e.line.text);
    if (!response) return refuse(Voice::auth_base64);
    phase_ = Phase::auth;
    ask(Asked::auth, question::AuthResponse{std::move(*response)});
}

void ServerSession::auth_step(const event::Auth& e) {
    if (asked_ != Asked::auth) return;
    asked_ = Asked::nothing;
    if (e.step == event::Auth::Step::challenge) return say(Reply{334, "", {base::base64_encode(e.text)}});
    phase_ = Phase::greeted;
    switch (e.step) {
        case event::Auth::Step::challenge: return;
        case event::Auth::Step::success: envelope_.user = e.text; return say(Voice::auth_ok);
        case event::Auth::Step::failed: return auth_refused(smtp::say(Voice::auth_failed));
        case event::Auth::Step::malformed: return auth_refused(smtp::say(Voice::auth_malformed));
        case event::Auth::Step::later:
            // Once is not the client's fault. Who asks again in the same session may be a guesser whom nobody answers any more.
            if (auth_refusals_ != 0) return auth_refused(smtp::say(Voice::auth_later));
            ++auth_refusals_;
            return say(Voice::auth_later);
    }
}

// A password is mistyped once or twice; whoever goes on is guessing. Each try waits longer than the one before.
void ServerSession::auth_refused(Reply reply) {
    ++count_.errors;
    ++auth_refusals_;
    out_.push_back(effect::Wait{auth_delay * (1 << (auth_refusals_ - 1))});
    if (auth_refusals_ >= auth_refusal_limit || count_.errors >= facts_.error_limit) {
        say(Voice::too_many_errors);
        return close("auth");
    }
    say(std::move(reply));
}

}  // namespace greylag::smtp
