// Transactions: MAIL, RCPT, DATA or BDAT, and the message, in as few writes as the server allows.
#include <algorithm>

#include "smtp/client.hh"

namespace greylag::smtp {

namespace {

using State = Outcome::State;
using Cause = Outcome::Cause;

std::string joined(const Reply& reply) {
    std::string text;
    for (const auto& line : reply.lines) text.append(text.empty() ? "" : " ").append(line);
    return text;
}

Outcome of_reply(Stage stage, const Reply& reply) {
    const State state = reply.code >= 500 ? State::never : State::later;
    return {state, Cause::reply, stage, reply.code, reply.enhanced, joined(reply)};
}

bool needs_utf8(const mail::Path& path) { return !path.is_null() && path.mailbox().is_utf8(); }

// What a server says that offers BDAT and does not know it.
bool not_implemented(const Reply& reply) { return reply.code >= 500 && reply.code <= 504; }

}  // namespace

// What can be known before a word of the envelope is said.
bool ClientSession::suited() {
    if (!facts_.ping && offered_.size && *offered_.size != 0 && facts_.message.octets > *offered_.size) {
        settle_rest({State::never, Cause::unsuited, Stage::hello, 552, "5.3.4",
                     "the message has " + std::to_string(facts_.message.octets) + " octets, this server takes " +
                         std::to_string(*offered_.size)});
        return false;
    }
    if (offered_.utf8) return true;
    const Outcome refusal{State::never, Cause::unsuited, Stage::hello,
                          553,          "5.6.7",         "the address needs SMTPUTF8, which this server does not offer"};
    for (std::size_t i = 0; i < outcomes_.size(); ++i)
        if (needs_utf8(facts_.sender) || needs_utf8(facts_.recipients[i])) settle(i, refusal);
    return std::any_of(outcomes_.begin(), outcomes_.end(), [](const Outcome& o) { return o.state == State::open; });
}

void ClientSession::begin_transaction() {
    while (end_ < outcomes_.size() && outcomes_[end_].state != State::open) ++end_;
    first_ = next_ = end_;
    const std::size_t most = offered_.recipients == 0 ? outcomes_.size() : offered_.recipients;
    for (std::size_t count = 0; end_ < outcomes_.size() && count < most; ++end_)
        if (outcomes_[end_].state == State::open) ++count;
    mail_refused_ = data_said_ = chunked_ = false;
    // A transaction that came to nothing is still open over there.
    if (first_ != 0 && unfinished_) return send_line("RSET", Stage::mail, 1);
    say_mail();
}

void ClientSession::say_mail() {
    unfinished_ = true;
    send_line(mail_command(), Stage::mail);
    if (offered_.pipelining) send_group();
}

std::string ClientSession::mail_command() const {
    std::string line = "MAIL FROM:" + facts_.sender.bracketed();
    if (!facts_.ping && offered_.size) line += " SIZE=" + std::to_string(facts_.message.octets);
    if (!facts_.ping && offered_.eight_bit && facts_.message.eight_bit) line += " BODY=8BITMIME";
    const bool named = std::any_of(facts_.recipients.begin(), facts_.recipients.end(), needs_utf8) || needs_utf8(facts_.sender);
    if (offered_.utf8 && (named || facts_.message.utf8_header)) line += " SMTPUTF8";
    return line;
}

// The next recipients, and DATA behind the last one; one command at a time without PIPELINING.
void ClientSession::send_group() {
    const std::size_t most = offered_.pipelining ? group_limit : 1;
    for (std::size_t count = 0; next_ < end_ && count < most; ++next_) {
        if (outcomes_[next_].state != State::open) continue;
        send_line("RCPT TO:" + facts_.recipients[next_].bracketed(), Stage::rcpt, next_);
        ++count;
    }
    while (next_ < end_ && outcomes_[next_].state != State::open) ++next_;
    if (offered_.pipelining && next_ == end_ && !facts_.ping) {
        if (!wants_chunk() || facts_.message.octets <= small_message) send_data();
    }
}

// BDAT saves a small message the wait for 354, long lines the fold, and dots the search for them.
bool ClientSession::wants_chunk() const {
    if (!offered_.chunking || facts_.lmtp) return false;
    const auto& message = facts_.message;
    return message.long_lines || message.dots || (offered_.pipelining && message.octets <= small_message);
}

void ClientSession::send_data() {
    data_said_ = true;
    chunked_ = wants_chunk();
    if (!chunked_) return send_line("DATA", Stage::data);
    send_line("BDAT " + std::to_string(facts_.message.octets) + " LAST", Stage::final, outcomes_.size());
    out_.emplace_back(client::Body{true, false});
    body_open_ = true;
    committed_ = true;
    if (offered_.pipelining && end_ == outcomes_.size()) quit();
}

void ClientSession::mail(const Reply& reply) {
    if (reply.code / 100 == 3) return protocol_fault(Stage::mail, "MAIL was answered with " + std::to_string(reply.code));
    if (reply.code >= 400) {
        mail_refused_ = true;
        settle_rest(of_reply(Stage::mail, reply));
    }
    envelope_step();
}

void ClientSession::rcpt(std::size_t i, const Reply& reply) {
    if (reply.code / 100 == 3) return protocol_fault(Stage::rcpt, "RCPT was answered with " + std::to_string(reply.code));
    if (reply.code < 300) {
        if (outcomes_[i].state == State::open) accepted_[i] = true;
    } else {
        Outcome outcome = of_reply(Stage::rcpt, reply);
        if (reply.code == 552) {  // too many recipients, in the words of RFC 821 (RFC 5321 4.5.3.1.10)
            outcome.state = State::later;
            outcome.code = 452;
            outcome.enhanced = "4.5.3";
        }
        settle(i, std::move(outcome));
    }
    envelope_step();
}

// What comes next when the group is answered.
void ClientSession::envelope_step() {
    if (!expected_.empty() || data_said_) return;
    if (mail_refused_) return transaction_done();
    if (next_ < end_) return send_group();
    if (facts_.ping) {
        for (std::size_t i = first_; i < end_; ++i)
            if (accepted_[i]) settle(i, {State::delivered, Cause::reply, Stage::rcpt, 250, "2.1.5", "would be taken"});
    }
    if (accepted_count() == 0) return transaction_done();
    send_data();
}

std::size_t ClientSession::accepted_count() const {
    return static_cast<std::size_t>(std::count(accepted_.begin(), accepted_.end(), true));
}

void ClientSession::data(const Reply& reply) {
    const std::size_t accepted = accepted_count();
    if (reply.code == 354) {
        if (accepted == 0) {  // RFC 2920 3.1: the group was one write, and this server takes a message for nobody
            send_line(".", Stage::final, outcomes_.size());
            return;
        }
        committed_ = true;
        body_open_ = true;
        out_.emplace_back(client::Body{false, facts_.message.long_lines && !offered_.eight_bit});
        if (!facts_.lmtp) {
            expected_.push_back({Stage::final, outcomes_.size()});
            if (offered_.pipelining && end_ == outcomes_.size()) quit();
            return;
        }
        for (std::size_t i = first_; i < end_; ++i)
            if (accepted_[i]) expected_.push_back({Stage::final, i});
        return;
    }
    if (reply.code < 400) return protocol_fault(Stage::data, "DATA was answered with " + std::to_string(reply.code));
    for (std::size_t i = first_; i < end_; ++i) settle(i, of_reply(Stage::data, reply));
    transaction_done();
}

void ClientSession::final(std::size_t i, const Reply& reply) {
    if (reply.code / 100 == 3) return protocol_fault(Stage::final, "the message was answered with " + std::to_string(reply.code));
    const bool all = i == outcomes_.size();
    const std::size_t from = all ? first_ : i, to = all ? end_ : i + 1;
    if (reply.code >= 400) {
        if (chunked_ && not_implemented(reply) && accepted_count() != 0) chunking_failed_ = true;
        for (std::size_t k = from; k < to; ++k) settle(k, of_reply(Stage::final, reply));
    } else {
        for (std::size_t k = from; k < to; ++k)
            if (accepted_[k])
                settle(k, {State::delivered, Cause::reply, Stage::final, reply.code, reply.enhanced, joined(reply)});
    }
    const bool more_replies = !expected_.empty() && expected_[answered_count_].stage == Stage::final;
    if (more_replies) return;
    committed_ = any_delivered();  // a clear refusal leaves nothing in doubt
    unfinished_ = false;
    transaction_done();
}

void ClientSession::transaction_done() {
    const auto is_open = [](const Outcome& o) { return o.state == State::open; };
    if (!quit_said_ && std::any_of(outcomes_.begin(), outcomes_.end(), is_open)) return begin_transaction();
    quit();
}

}  // namespace greylag::smtp
