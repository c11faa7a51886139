// STARTTLS (RFC 3207) and AUTH (RFC 4954) as the session sees them: when they are legal, what they change. Cryptography and
// passwords are questions.
#include "base/ascii.hh"
#include "base/base64.hh"
#include "smtp/server.hh"

namespace greylag::smtp {

void ServerSession::starttls(std::string_view) {
    if (facts_.tls) return refuse(smtp::say(Voice::not_now, {"STARTTLS"}));
    if (!facts_.tls_offered) return refuse(Voice::unknown_command);
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
    tls_description_ = e.description;
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
    if (!user_.empty()) return refuse(Voice::auth_done);
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
        case event::Auth::Step::success:
            user_ = e.text;
            return say(Voice::auth_ok);
        case event::Auth::Step::failed: return refuse(Voice::auth_failed);
        case event::Auth::Step::malformed: return refuse(Voice::auth_base64);
        case event::Auth::Step::later: return say(Voice::auth_later);
    }
}

}  // namespace greylag::smtp
