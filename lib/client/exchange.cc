#include "client/exchange.hh"

#include <array>
#include <string>

#include "base/ascii.hh"
#include "client/message.hh"
#include "smtp/dot.hh"
#include "smtp/reply_parser.hh"
#include "sys/durable.hh"
#include "sys/io.hh"

namespace greylag::client {

namespace {

namespace c = smtp::client;
using smtp::Stage;

constexpr std::size_t block_size = 256 << 10;

base::Millis limit_of(const Timing& timing, Stage stage) {
    switch (stage) {
        case Stage::connect:
        case Stage::greeting: return timing.greeting;
        case Stage::hello:
        case Stage::starttls: return timing.hello;
        case Stage::handshake:
        case Stage::auth: return timing.tls;
        case Stage::mail: return timing.mail;
        case Stage::rcpt: return timing.rcpt;
        case Stage::data: return timing.data;
        case Stage::body: return timing.block;
        case Stage::final: return timing.final;
        case Stage::quit: return timing.quit;
    }
    return timing.quit;
}

class Exchange {
public:
    Exchange(smtp::ClientSession& session, int connection, int message, const Timing& timing, const Trace& trace)
        : session_(session), connection_(connection), message_(message), timing_(timing), trace_(trace) {}

    void run() {
        feed(c::Connected{});
        while (!session_.closed()) read();
    }

private:
    sys::Deadline deadline() const {
        return sys::Deadline::earlier(sys::Deadline::in(limit_of(timing_, session_.stage())), timing_.whole);
    }

    void feed(const c::Event& event) {
        const auto effects = session_.on(event);
        bool body = false;
        for (const auto& effect : effects) {
            if (const auto* send = std::get_if<c::Send>(&effect)) say(send->bytes);
            if (const auto* message = std::get_if<c::Body>(&effect)) body = true, put_body(*message);
            // Neither was asked for: TLS and AUTH need who can do them.
            if (std::holds_alternative<c::StartTls>(effect)) return feed(c::TlsUp{false, "there is no TLS in this program"});
            if (std::holds_alternative<c::AskAuth>(effect)) return feed(c::Auth{c::Auth::Step::give_up, "no credentials"});
        }
        flush();
        if (body && !unreadable_) session_.on(c::BodySent{});
    }

    void say(std::string_view lines) {
        out_ += lines;
        if (trace_.show == nullptr) return;
        for (const auto line : base::split(lines.substr(0, lines.size() - 2), '\n')) trace_.show(true, base::trim(line));
    }

    void flush() {
        if (!out_.empty() && !broken_ && !unreadable_) {
            const auto sent = sys::write_all(connection_, out_, deadline());
            if (!sent) broken_ = sent.error().kind == Kind::timeout ? c::Gone::Why::timeout : c::Gone::Why::broken;
        }
        out_.clear();
    }

    void put_body(const c::Body& body) {
        smtp::DotEncoder dots;
        LineFolder folder;
        std::string folded;
        const std::uint64_t size = session_.facts().message.octets;
        std::uint64_t at = 0;
        while (at < size && !broken_) {
            const auto block = sys::read_at(message_, at, block_size);
            if (!block || block->empty()) {
                unreadable_ = true;  // the server must not take a part for the whole
                return;
            }
            at += block->size();
            if (body.chunk) {
                out_ += *block;
            } else if (body.fold) {
                folded.clear();
                folder.feed(*block, folded);
                dots.feed(folded, out_);
            } else {
                dots.feed(*block, out_);
            }
            if (out_.size() >= block_size) flush();
        }
        if (!body.chunk) {
            folded.clear();
            folder.finish(folded);
            dots.feed(folded, out_);
            dots.finish(out_);
        }
        if (trace_.show != nullptr) trace_.show(true, "[" + std::to_string(size) + " octets of message]");
    }

    // One reply, or the end of the connection.
    void read() {
        if (unreadable_) return feed(c::Gone{c::Gone::Why::broken});
        // After a write that failed only what has been said already counts.
        const sys::Deadline until = broken_ ? sys::Deadline::in(base::Millis(500)) : deadline();
        smtp::Reply reply;
        for (;;) {
            const auto got = parser_.next(input_, reply);
            if (got == smtp::ReplyParser::Got::fault) return feed(c::Malformed{parser_.fault()});
            if (got == smtp::ReplyParser::Got::reply) break;
            const auto count = sys::read_some(connection_, room_, until);
            if (!count || *count == 0) return gone(count.has_value() ? nullptr : &count.error());
            input_ = {room_.data(), *count};
        }
        show(reply);
        feed(c::Answered{std::move(reply), !input_.empty() || parser_.mid_reply()});
    }

    void gone(const Error* error) {
        c::Gone gone;
        if (error != nullptr) gone.why = error->kind == Kind::timeout ? c::Gone::Why::timeout : c::Gone::Why::broken;
        if (broken_) gone.why = *broken_;
        feed(gone);
    }

    void show(const smtp::Reply& reply) const {
        if (trace_.show == nullptr) return;
        for (std::size_t i = 0; i < reply.lines.size(); ++i) {
            std::string line = std::to_string(reply.code) + (i + 1 < reply.lines.size() ? "-" : " ");
            if (!reply.enhanced.empty()) line += reply.enhanced + " ";
            trace_.show(false, line + reply.lines[i]);
        }
    }

    smtp::ClientSession& session_;
    int connection_, message_;
    const Timing& timing_;
    const Trace& trace_;
    smtp::ReplyParser parser_;
    std::array<char, 8192> room_;
    std::string_view input_;
    std::string out_;
    std::optional<c::Gone::Why> broken_;
    bool unreadable_ = false;
};

}  // namespace

Timing Timing::hasty() {
    constexpr base::Millis step{10'000};
    Timing timing;
    timing.greeting = timing.hello = timing.tls = timing.mail = timing.rcpt = timing.data = timing.block = timing.final = step;
    timing.whole = sys::Deadline::in(base::Millis(30'000));
    return timing;
}

void exchange(smtp::ClientSession& session, int connection, int message, const Timing& timing, const Trace& trace) {
    Exchange(session, connection, message, timing, trace).run();
}

}  // namespace greylag::client
