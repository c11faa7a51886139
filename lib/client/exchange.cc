#include "client/exchange.hh"

#include <memory>
#include <string>

#include "base/ascii.hh"
#include "client/auth_exchange.hh"
#include "client/message.hh"
#include "smtp/dot.hh"
#include "smtp/reply_parser.hh"
#include "sys/durable.hh"
#include "sys/io.hh"

namespace greylag::client {

namespace {

namespace c = smtp::client;
using smtp::Stage;

constexpr std::size_t block_size = 256 << 10, room_size = 4096;
constexpr std::uint64_t file_piece = 4 << 20;  // each has a time-out of its own
constexpr base::Millis farewell{1000};         // close_notify

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
    Exchange(smtp::ClientSession& session, Link link, const Content& message, const Timing& timing, const Trace& trace)
        : session_(session),
          link_(std::move(link)),
          wire_(std::make_unique<PlainWire>(link_.fd)),
          message_(message),
          timing_(timing),
          trace_(trace) {}

    void run() {
        feed(c::Connected{});
        while (!session_.closed()) read();
        wire_->close(sys::Deadline::in(std::min(timing_.quit, farewell)));
    }

private:
    sys::Deadline deadline() const {
        return sys::Deadline::earlier(sys::Deadline::in(limit_of(timing_, session_.stage())), timing_.whole);
    }

    void feed(const c::Event& event) {
        const auto* auth = std::get_if<c::Auth>(&event);
        const bool secret = auth != nullptr && auth->step == c::Auth::Step::send;
        auto effects = session_.on(event);
        bool body = false;
        for (auto& effect : effects) {
            if (auto* send = std::get_if<c::Send>(&effect)) say(send->bytes, secret);
            if (const auto* message = std::get_if<c::Body>(&effect)) body = true, put_body(*message);
            if (std::holds_alternative<c::StartTls>(effect)) return start_tls();
            if (const auto* ask = std::get_if<c::AskAuth>(&effect)) return authenticate(*ask);
        }
        flush();
        if (body && !unreadable_) session_.on(c::BodySent{});
    }

    void start_tls() {
        if (link_.security == nullptr) return feed(c::TlsUp{false, "there is no TLS in this program"});
        auto secured = link_.security->secure(link_.fd, link_.host, deadline());
        if (!secured) return feed(c::TlsUp{false, secured.error().text});
        wire_ = std::move(*secured);
        parser_ = {};
        if (trace_.show != nullptr) trace_.show(true, "[" + wire_->description() + "]");
        feed(c::TlsUp{true, {}});
    }

    void authenticate(const c::AskAuth& ask) {
        if (!authenticator_) {
            link_.authentication.bindings = wire_->bindings();
            authenticator_.emplace(std::move(link_.authentication));
        }
        c::Auth answer = authenticator_->on(ask);
        if (answer.step == c::Auth::Step::done && !authenticator_->note().empty() && trace_.note != nullptr)
            trace_.note("not authenticated: " + authenticator_->note());
        c::Event event = std::move(answer);
        feed(event);
        base::wipe(std::get<c::Auth>(event).text);
    }

    // A secret is neither shown nor left behind.
    void say(std::string& lines, bool secret) {
        out_ += lines;
        secret_ = secret;
        const auto shown = std::string_view(lines).substr(0, lines.size() - 2);
        if (trace_.show != nullptr && secret) trace_.show(true, shown_auth(shown, "[masked]"));
        if (trace_.show != nullptr && !secret)
            for (const auto line : base::split(shown, '\n')) trace_.show(true, base::trim(line));
        if (secret) base::wipe(lines);
    }

    void flush() { flush(deadline()); }
    void flush(sys::Deadline until) {
        if (!out_.empty() && !broken_ && !unreadable_) {
            const auto sent = wire_->write_all(out_, until);
            if (!sent) broken_ = sent.error().kind == Kind::timeout ? c::Gone::Why::timeout : c::Gone::Why::broken;
        }
        if (std::exchange(secret_, false)) base::wipe(out_);
        out_.clear();
    }

    void put_body(const c::Body& body) {
        const auto& facts = session_.facts().message;
        const bool fold = body.fold && !body.chunk;
        const bool stuff = facts.dots && !body.chunk;
        if (fold || stuff) {
            put_encoded(facts.octets, fold);
        } else {
            put_as_it_is(facts.octets);
            if (!body.chunk) out_ += ".\r\n";
        }
        if (trace_.show != nullptr) trace_.show(true, "[" + std::to_string(facts.octets) + " octets of message]");
    }

    // The file's own pages to the wire where it takes them, else in blocks.
    void put_as_it_is(std::uint64_t size) {
        if (message_.fd < 0) {
            out_ += message_.text;
            return;
        }
        flush();
        for (std::uint64_t at = 0; at < size && !broken_ && !unreadable_;) {
            const sys::Deadline until = deadline();
            const std::uint64_t gone = wire_->send_file(message_.fd, at, std::min(size - at, file_piece), until);
            at += gone;
            if (gone != 0) continue;
            put_block(at, size, [this](std::string_view block) { out_ += block; });
            flush(until);
        }
    }

    void put_encoded(std::uint64_t size, bool fold) {
        smtp::DotEncoder dots;
        LineFolder folder;
        std::string folded;
        const auto encode = [&](std::string_view block) {
            if (!fold) return dots.feed(block, out_);
            folded.clear();
            folder.feed(block, folded);
            dots.feed(folded, out_);
        };
        for (std::uint64_t at = 0; at < size && !broken_ && !unreadable_;) {
            put_block(at, size, encode);
            if (out_.size() >= block_size) flush();
        }
        folded.clear();
        folder.finish(folded);
        dots.feed(folded, out_);
        dots.finish(out_);
    }

    template <class Put>
    void put_block(std::uint64_t& at, std::uint64_t size, Put put) {
        if (message_.fd < 0) {
            put(message_.text);
            at = size;
            return;
        }
        const auto block = sys::read_at(message_.fd, at, std::min<std::uint64_t>(block_size, size - at));
        if (!block || block->empty()) {
            unreadable_ = true;  // the server must not take a part for the whole
            return;
        }
        put(*block);
        at += block->size();
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
            const auto count = wire_->read_some({room_.get(), room_size}, until);
            if (!count || *count == 0) return gone(count.has_value() ? nullptr : &count.error());
            input_ = {room_.get(), *count};
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
            // A challenge and what was proven to it are enough to try passwords against.
            const bool challenge = session_.stage() == Stage::auth && reply.code == 334 && !reply.lines[i].empty();
            trace_.show(false, line + (challenge ? "[masked]" : reply.lines[i]));
        }
    }

    smtp::ClientSession& session_;
    Link link_;
    std::unique_ptr<Wire> wire_;
    const Content& message_;
    const Timing& timing_;
    const Trace& trace_;
    smtp::ReplyParser parser_;
    std::unique_ptr<char[]> room_ = std::make_unique_for_overwrite<char[]>(room_size);
    std::string_view input_;
    std::string out_;
    std::optional<c::Gone::Why> broken_;
    std::optional<Authenticator> authenticator_;
    bool unreadable_ = false, secret_ = false;
};

}  // namespace

Timing Timing::hasty() {
    constexpr base::Millis step{10'000};
    Timing timing;
    timing.greeting = timing.hello = timing.tls = timing.mail = timing.rcpt = timing.data = timing.block = timing.final = step;
    timing.whole = sys::Deadline::in(base::Millis(30'000));
    return timing;
}

void exchange(smtp::ClientSession& session, Link link, const Content& message, const Timing& timing, const Trace& trace) {
    Exchange(session, std::move(link), message, timing, trace).run();
}

}  // namespace greylag::client
