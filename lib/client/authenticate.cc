#include "client/authenticate.hh"

#include <algorithm>

#include "base/ascii.hh"

namespace greylag::client {

namespace {

namespace c = smtp::client;
using Step = c::Auth::Step;
using State = smtp::Outcome::State;
using Cause = smtp::Outcome::Cause;

c::Auth give_up(State state, Cause cause, std::string text, std::uint16_t code = 0, std::string enhanced = {}) {
    if (enhanced.empty()) enhanced = state == State::later ? "4.7.0" : "5.7.8";
    return {Step::give_up, {}, {state, cause, smtp::Stage::auth, code, std::move(enhanced), std::move(text)}};
}

c::Auth refused(const smtp::Reply& reply) {
    std::string text;
    for (const auto& line : reply.lines) text.append(text.empty() ? "" : " ").append(line);
    smtp::Outcome outcome{reply.code < 500 ? State::later : State::never,
                          Cause::auth,
                          smtp::Stage::auth,
                          reply.code,
                          reply.enhanced,
                          std::move(text)};
    return {Step::give_up, {}, std::move(outcome)};
}

}  // namespace

c::Auth Authenticator::on(const c::AskAuth& ask) {
    if (!ask.reply) return begin(ask);
    const smtp::Reply& reply = *ask.reply;
    if (!aborted_.empty()) return give_up(State::later, Cause::auth, aborted_);
    if (!exchange_) return give_up(State::later, Cause::auth, "the server spoke out of turn");
    switch (reply.code / 100) {
        case 2: break;
        case 3: return challenge(reply);
        default:
            if (reply.code != 504 && reply.code != 534) return refused(reply);
            unknown_.emplace_back(sasl::name(exchange_->mechanism()));
            exchange_.reset();
            c::Auth next = begin(ask);
            return next.step == Step::done ? refused(reply) : std::move(next);
    }
    const auto real = exchange_->succeeded();
    if (!real) return give_up(State::later, Cause::auth, real.error().text);
    return {Step::done, {}, {}};
}

c::Auth Authenticator::begin(const c::AskAuth& ask) {
    if (ask.mechanisms.empty()) return go_on("the server offers no authentication");
    if (!ask.tls && !facts_.without_tls) return go_on("there is no TLS: no password is sent");
    std::vector<std::string> offered = ask.mechanisms;
    std::erase_if(offered, [&](const std::string& one) {
        return std::any_of(unknown_.begin(), unknown_.end(), [&](const std::string& gone) { return base::iequals(one, gone); });
    });
    const auto mechanism = sasl::strongest(offered, {facts_.digests, facts_.bindings.any(), true});
    if (!mechanism) return go_on("the server offers no mechanism that is known here");
    auto password = facts_.password ? facts_.password() : std::nullopt;
    if (!password) return give_up(State::never, Cause::unprepared, "no password of " + facts_.user + " for this server");
    sasl::Client::Facts facts;
    facts.digests = facts_.digests;
    facts.nonce = facts_.nonce();
    facts.bindings = sasl::shown_bindings(*mechanism, ask.mechanisms, facts_.bindings);
    exchange_.emplace(sasl::Client(*mechanism, std::move(facts), facts_.user, std::string(password->get())));
    return {Step::send, exchange_->begin(), {}};
}

c::Auth Authenticator::challenge(const smtp::Reply& reply) {
    auto line = exchange_->answer(reply);
    if (line) return {Step::send, *std::move(line), {}};
    aborted_ = line.error().text;
    return {Step::send, "*", {}};
}

c::Auth Authenticator::go_on(std::string why) {
    note_ = std::move(why);
    return {Step::done, {}, {}};
}

}  // namespace greylag::client
