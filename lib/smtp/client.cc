// The dialogue from the greeting to EHLO's answer, and how it ends.
#include "smtp/client.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::smtp {

namespace {

using State = Outcome::State;
using Cause = Outcome::Cause;
template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text.append(text.empty() ? "" : " ").append(line);
    return text;
}

Outcome of_reply(State state, Stage stage, const Reply& reply) {
    return {state, Cause::reply, stage, reply.code, reply.enhanced, joined(reply.lines)};
}

}  // namespace

std::string_view name(Stage stage) {
    switch (stage) {
        case Stage::connect: return "connect";
        case Stage::greeting: return "the greeting";
        case Stage::hello: return "EHLO";
        case Stage::starttls: return "STARTTLS";
        case Stage::handshake: return "the TLS handshake";
        case Stage::auth: return "AUTH";
        case Stage::mail: return "MAIL";
        case Stage::rcpt: return "RCPT";
        case Stage::data: return "DATA";
        case Stage::body: return "the message";
        case Stage::final: return "the end of the message";
        case Stage::quit: return "QUIT";
    }
    return {};
}

std::string Outcome::words() const {
    std::string out = code == 0 ? std::string() : std::to_string(code) + " ";
    if (!enhanced.empty()) out.append(enhanced).append(" ");
    return out + base::printable(text, 400);
}

ClientSession::ClientSession(ClientFacts facts)
    : facts_(std::move(facts)), outcomes_(facts_.recipients.size()), accepted_(facts_.recipients.size()) {}

client::Effects ClientSession::on(const client::Event& event) {
    out_.clear();
    if (closed_) return {};
    std::visit(Overloaded{[&](const client::Connected&) {
                              if (waiting_ != Stage::connect) return;
                              if (facts_.starttls != ClientFacts::StartTls::first) return await_greeting();
                              waiting_ = Stage::handshake;
                              out_.emplace_back(client::StartTls{});
                          },
                          [&](const client::Answered& e) { answered(e); },
                          [&](const client::Malformed& e) { protocol_fault(stage(), e.text); },
                          [&](const client::BodySent&) { body_open_ = false; }, [&](const client::TlsUp& e) { tls_up(e); },
                          [&](const client::Auth& e) { auth(e); }, [&](const client::Gone& e) { gone(e); }},
               event);
    return std::move(out_);
}

Stage ClientSession::stage() const {
    if (body_open_ && answered_count_ < expected_.size() && expected_[answered_count_].stage == Stage::final) return Stage::body;
    return answered_count_ < expected_.size() ? expected_[answered_count_].stage : waiting_;
}

void ClientSession::answered(const client::Answered& e) {
    if (answered_count_ == expected_.size()) return protocol_fault(waiting_, "the server spoke without being asked");
    const Expected expected = expected_[answered_count_++];
    const bool last = answered_count_ == expected_.size();
    if (last) {
        expected_.clear();
        answered_count_ = 0;
        if (expected.stage != Stage::quit) waiting_ = expected.stage;
    }
    if (expected.stage == Stage::greeting) greeted_ = true;
    if (expected.stage == Stage::final) body_open_ = false;
    if (e.reply.code == 421 && expected.stage != Stage::quit) {
        committed_ = any_delivered();  // whatever was said behind this command is not listened to any more
        return fail(of_reply(State::later, expected.stage, e.reply));
    }
    // An answer to what was not yet said, or octets slipped in before TLS. Behind the message nothing can be spoiled.
    if (last && e.more && expected.stage != Stage::quit && expected.stage != Stage::final)
        return protocol_fault(expected.stage, "the server said more than it was asked");
    dispatch(expected, e.reply);
}

void ClientSession::dispatch(const Expected& expected, const Reply& reply) {
    switch (expected.stage) {
        case Stage::greeting:
            if (expected.recipient == 0) return greeting(reply);
            return say_hello(true);  // whatever became of NOOP
        case Stage::hello: return hello(reply);
        case Stage::starttls: return starttls(reply);
        case Stage::auth: return ask_auth(reply);
        case Stage::mail: return expected.recipient == 0 ? mail(reply) : say_mail();
        case Stage::rcpt: return rcpt(expected.recipient, reply);
        case Stage::data: return data(reply);
        case Stage::final: return final(expected.recipient, reply);
        case Stage::quit: return close();
        case Stage::connect:
        case Stage::handshake:
        case Stage::body: return;
    }
}

void ClientSession::gone(const client::Gone& e) {
    if (quit_said_ && stage() == Stage::quit) return close();
    Outcome outcome;
    outcome.state = State::later;
    outcome.cause = Cause::silence;
    outcome.stage = stage();
    outcome.code = 451;
    outcome.enhanced = "4.4.2";
    switch (e.why) {
        case client::Gone::Why::eof: outcome.text = "the server closed the connection at "; break;
        case client::Gone::Why::timeout: outcome.text = "the server was silent for too long at "; break;
        case client::Gone::Why::broken: outcome.text = "the connection broke at "; break;
    }
    outcome.text += name(outcome.stage);
    fail(std::move(outcome));
}

void ClientSession::await_greeting() {
    waiting_ = Stage::greeting;
    expected_.push_back({Stage::greeting});
    if (facts_.noop_first) send_line("NOOP", Stage::greeting, 1);
}

void ClientSession::greeting(const Reply& reply) {
    if (reply.code == 220) {
        if (expected_.empty()) say_hello(true);
        return;
    }
    if (reply.code < 400) return protocol_fault(Stage::greeting, "a greeting with the code " + std::to_string(reply.code));
    settle_rest(of_reply(reply.code < 500 ? State::later : State::never, Stage::greeting, reply));
    if (expected_.empty()) return quit();
    close();
}

void ClientSession::say_hello(bool extended) {
    extended_ = extended;
    const std::string_view verb = facts_.lmtp ? "LHLO " : extended ? "EHLO " : "HELO ";
    send_line(std::string(verb) + facts_.name, Stage::hello);
}

void ClientSession::hello(const Reply& reply) {
    const int digit = reply.code / 100;
    if (reply.code == 250) {
        offered_ = {};
        if (extended_) read_extensions(reply);
        return after_hello();
    }
    // 220: a proxy that greets once more under TLS; each further answer would be taken for the next one.
    if (digit < 4) return protocol_fault(Stage::hello, "EHLO was answered with " + std::to_string(reply.code));
    // A server of the old kind knows no EHLO. One that had TLS up spoke it a moment ago.
    if (digit == 5 && extended_ && !facts_.lmtp && !tls_) return say_hello(false);
    settle_rest(of_reply(digit == 4 ? State::later : State::never, Stage::hello, reply));
    quit();
}

void ClientSession::read_extensions(const Reply& reply) {
    for (std::size_t i = 1; i < reply.lines.size(); ++i) {
        const auto words = base::words(reply.lines[i]);
        if (words.empty()) continue;
        const std::string keyword = base::upper(words.front());
        if (keyword == "PIPELINING") offered_.pipelining = true;
        if (keyword == "8BITMIME") offered_.eight_bit = true;
        if (keyword == "SMTPUTF8") offered_.utf8 = true;
        if (keyword == "CHUNKING") offered_.chunking = !facts_.avoid_chunking;
        if (keyword == "STARTTLS") offered_.starttls = true;
        if (keyword == "SIZE") offered_.size = words.size() > 1 ? base::parse_number<std::uint64_t>(words[1]).value_or(0) : 0;
        if (keyword == "AUTH")
            for (std::size_t k = 1; k < words.size(); ++k) offered_.mechanisms.push_back(base::upper(words[k]));
        if (keyword != "LIMITS") continue;
        for (const auto word : words) {
            if (!base::istarts_with(word, "RCPTMAX=")) continue;
            offered_.recipients = base::parse_number<std::uint32_t>(word.substr(8)).value_or(0);
        }
    }
}

void ClientSession::after_hello() {
    if (!tls_ && facts_.starttls != ClientFacts::StartTls::never) {
        if (offered_.starttls) return send_line("STARTTLS", Stage::starttls);
        if (facts_.starttls == ClientFacts::StartTls::required) {
            settle_rest({State::never, Cause::tls, Stage::starttls, 0, "5.7.4", "the server offers no TLS, and TLS is required"});
            return quit();
        }
    }
    if (facts_.authenticate && !auth_done_) {
        waiting_ = Stage::auth;
        return ask_auth(std::nullopt);
    }
    if (!suited()) return quit();
    begin_transaction();
}

void ClientSession::send_line(std::string line, Stage stage, std::size_t recipient) {
    line += "\r\n";
    expected_.push_back({stage, recipient});
    if (!out_.empty()) {
        if (auto* last = std::get_if<client::Send>(&out_.back())) {
            last->bytes += line;
            return;
        }
    }
    out_.emplace_back(client::Send{std::move(line)});
}

bool ClientSession::any_delivered() const {
    return std::any_of(outcomes_.begin(), outcomes_.end(), [](const Outcome& o) { return o.state == State::delivered; });
}

void ClientSession::quit() {
    if (!quit_said_) send_line("QUIT", Stage::quit);
    quit_said_ = true;
}

void ClientSession::close() {
    closed_ = true;
    out_.emplace_back(client::Close{});
}

void ClientSession::settle(std::size_t i, Outcome outcome) {
    if (outcomes_[i].state == State::open) outcomes_[i] = std::move(outcome);
    accepted_[i] = false;
}

void ClientSession::settle_rest(const Outcome& outcome) {
    for (std::size_t i = 0; i < outcomes_.size(); ++i) settle(i, outcome);
}

void ClientSession::protocol_fault(Stage stage, std::string text) {
    fail({State::later, Cause::silence, stage, 451, "4.5.0", "at " + std::string(name(stage)) + " " + std::move(text)});
}

}  // namespace greylag::smtp
