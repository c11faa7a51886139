// Where TLS and AUTH come in: the session says the words, the driver has the keys.
#include "smtp/client.hh"

namespace greylag::smtp {

namespace {
using State = Outcome::State;
using Cause = Outcome::Cause;
}  // namespace

void ClientSession::starttls(const Reply& reply) {
    if (reply.code == 220) {
        waiting_ = Stage::handshake;
        out_.emplace_back(client::StartTls{});
        return;
    }
    // Never on in clear text: whoever can refuse TLS in the server's name would get everything.
    const State state = reply.code >= 500 ? State::never : State::later;
    settle_rest({state, Cause::tls, Stage::starttls, reply.code, reply.enhanced, reply.lines.front()});
    quit();
}

void ClientSession::tls_up(const client::TlsUp& e) {
    if (waiting_ != Stage::handshake) return;
    if (!e.ok) return fail({State::later, Cause::tls, Stage::handshake, 0, "4.7.5", e.text});
    tls_ = true;
    if (facts_.starttls == ClientFacts::StartTls::first) return await_greeting();
    say_hello(true);
}

void ClientSession::ask_auth(std::optional<Reply> reply) {
    waiting_ = Stage::auth;
    out_.emplace_back(client::AskAuth{offered_.mechanisms, tls_, std::move(reply)});
}

void ClientSession::auth(const client::Auth& e) {
    if (waiting_ != Stage::auth || !expected_.empty()) return;
    switch (e.step) {
        case client::Auth::Step::send: {
            std::string line;  // a secret, in one place
            line.reserve(e.text.size() + 2);
            line = e.text;
            return send_line(std::move(line), Stage::auth);
        }
        case client::Auth::Step::done: auth_done_ = true; return after_hello();
        case client::Auth::Step::give_up: break;
    }
    settle_rest(e.outcome);
    quit();
}

}  // namespace greylag::smtp
