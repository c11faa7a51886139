// Transactions: one command at a time as ever, or a group at a time (RFC 2920). With PIPELINING the end of one message and the
// envelope of the next travel together.
#include "cmd/smtp-source/talk.hh"

#include <algorithm>
#include <charconv>

namespace greylag::source {

namespace {
bool ends_connection(std::uint16_t code) { return code == 421 || code == 521; }
}  // namespace

void Talk::transaction(Tick now) {
    wish_ = Wish::talk;
    current_.emplace();
    current_->job = *job_;
    current_->since = now;
    job_.reset();
    ++done_here_;
    expect(Stage::mail, 1, now);
    say_mail();
    if (!offered_.pipelining) return;
    expect(Stage::rcpt, order_->recipients, now);
    while (current_->asked < order_->recipients) say_rcpt();
    if (order_->bdat) return say_content(now);
    say_data(now);
}

void Talk::say_mail() { say("MAIL FROM:<", std::string_view(order_->sender), ">"); }

void Talk::say_rcpt() {
    std::string& out = line();
    const std::size_t from = out.size();
    out += "RCPT TO:<";
    append_recipient(out, *order_, current_->job.number, current_->asked++);
    out += '>';
    said(out, from);
}

void Talk::say_data(Tick now) {
    expect(Stage::data, 1, now);
    say("DATA");
}

// LMTP has a reply for each recipient that was taken (RFC 2033 4.2); while that is not known yet, RCPT's replies will tell.
unsigned Talk::final_replies() const { return order_->lmtp ? std::max(current_->accepted, 1U) : 1; }

// The message and what ends it. Under BDAT its count stands in front, and the header is moved behind it.
void Talk::say_content(Tick now) {
    if (!head_is_last()) return broken(Failure::protocol, "the server answered what it cannot have read", now);
    std::string& head = buffer_.head;
    const std::size_t from = head.size();
    octets_ = desk_->plan.content.write(current_->job.number, session_, desk_->dice, buffer_);
    current_->octets = head.size() - from + octets_.body.size() + octets_.rest.size() + octets_.end.size();
    unwritten_ += current_->octets;
    if (order_->bdat) {
        char command[40] = "BDAT ";
        char* end = std::to_chars(command + 5, command + 30, current_->octets).ptr;
        constexpr std::string_view last = " LAST\r\n";
        end = std::copy(last.begin(), last.end(), end);
        const auto size = static_cast<std::size_t>(end - command);
        head.insert(from, command, size);
        unwritten_ += size;
    } else {
        tail_ += ".\r\n";
        unwritten_ += 3;
    }
    ++desk_->dots;
    expect(Stage::final, final_replies(), now);
    closing_ = std::move(current_);
    current_.reset();
    if (offered_.pipelining) look_ahead(now);
}

// What can go along behind the message.
void Talk::look_ahead(Tick now) {
    if (order_->bdat || order_->pause.count() != 0 || order_->random_pause.count() != 0) return;
    if (done_here_ < order_->per_connection) {
        job_ = desk_->ledger.claim(now);
        if (job_ && job_->due > now) return;
        if (job_) return transaction(now);
    }
    quit(now);
}

bool Talk::more_recipients(const Transaction& t) const {
    return t.asked < order_->recipients || (waiting_ != 0 && expected_[first_].stage == Stage::rcpt);
}

void Talk::mail_answered(Stage stage, Tick now) {
    Transaction& t = current_ ? *current_ : *closing_;  // pipelined BDAT is closing already
    const bool good = stage == Stage::data ? reply_.code == 354 : reply_.code / 100 == 2;
    if (stage == Stage::data) t.go_ahead = good;
    if (good && stage == Stage::rcpt) ++t.accepted;
    // Behind the first refusal the others follow from it, and are no news.
    if (!good && !t.failed) {
        const Failure how = count_refusal();
        if (ends_connection(reply_.code) || !complain(refusal(stage))) return broken(how, refusal(stage), now);
        const bool of_all = stage != Stage::rcpt || (t.accepted == 0 && !more_recipients(t));
        if (of_all) t.failed = how;
    }
    if (stage == Stage::rcpt && !current_ && !more_recipients(t) && order_->lmtp)
        expected_[first_].count = std::max(t.accepted, 1U);
    if (waiting_ == 0) step(now);
}

// Every command was answered: what comes next?
void Talk::step(Tick now) {
    Transaction& t = *current_;
    if (!t.failed) {
        if (t.asked < order_->recipients) {
            expect(Stage::rcpt, 1, now);
            return say_rcpt();
        }
        if (t.go_ahead || order_->bdat) return say_content(now);
        return say_data(now);
    }
    ++desk_->stats.failed[static_cast<std::size_t>(*t.failed)];
    if (t.go_ahead) {
        // 354 although nobody is to have it: the message is empty (RFC 2920 3.1), and its reply says nothing.
        expect(Stage::empty, 1, now);
        say(".");
    }
    current_.reset();
    say_rset(now);
}

void Talk::say_rset(Tick now) {
    expect(Stage::rset, 1, now);
    say("RSET");
}

void Talk::final_answered(Tick now) {
    Transaction& t = *closing_;
    const bool more = waiting_ != 0 && expected_[first_].stage == Stage::final;
    const bool hopeless = t.failed && t.taken == 0 && t.accepted == 0;  // no recipient: BDAT only says so once more
    if (reply_.code / 100 == 2 && !hopeless) {
        ++t.taken;
    } else if (!hopeless) {
        const Failure how = count_refusal();
        t.failed = how;
        if (ends_connection(reply_.code) || !complain(refusal(Stage::final))) return broken(how, refusal(Stage::final), now);
    }
    if (more) return;
    Stats& stats = desk_->stats;
    stats.timed(Phase::whole, now - t.since);
    if (t.taken != 0) {
        ++stats.sent;
        stats.recipients += order_->lmtp ? t.taken : t.accepted;
        stats.bytes += t.octets;
    } else {
        ++stats.failed[static_cast<std::size_t>(*t.failed)];
    }
    closing_.reset();
    if (hopeless) return say_rset(now);
    if (!current_ && !quit_said_) next(now);
}

}  // namespace greylag::source
