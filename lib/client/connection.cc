// The steps of a dialogue. Refuses to know what they are for: the order is the caller's.
#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "client/auth_exchange.hh"
#include "client/connection_state.hh"
#include "sys/io.hh"
#include "sys/peer.hh"
#include "sys/race.hh"

namespace greylag::smtp_client {

namespace {

constexpr std::size_t write_size = 64 << 10;
// What a server had said before it broke off is on its way or here.
constexpr base::Millis last_words{500};

std::string seconds(std::uint32_t ms) { return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms"; }

bool is_one_line(std::string_view line) { return line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos; }

}  // namespace

int exit_status(Failure::Kind kind) {
    switch (kind) {
        case Failure::Kind::usage: return 64;
        case Failure::Kind::no_host: return 68;
        case Failure::Kind::refused: return 69;
        case Failure::Kind::later: return 75;
        case Failure::Kind::protocol:
        case Failure::Kind::tls: return 76;
        case Failure::Kind::authentication: return 77;
        case Failure::Kind::configuration: return 78;
    }
    return 75;
}

Failure failure_of(Failure::Kind kind, std::string text) { return {kind, 0, {}, std::move(text)}; }

Failure failure_of(const Error& error) {
    switch (error.kind) {
        case Kind::syntax:
        case Kind::usage:
        case Kind::limit: return failure_of(Failure::Kind::usage, error.text);
        case Kind::config:
        case Kind::denied: return failure_of(Failure::Kind::configuration, error.text);
        case Kind::not_found: return failure_of(Failure::Kind::no_host, error.text);
        case Kind::protocol: return failure_of(Failure::Kind::protocol, error.text);
        case Kind::io:
        case Kind::timeout:
        case Kind::closed:
        case Kind::unavailable:
        case Kind::internal: break;
    }
    return failure_of(Failure::Kind::later, error.text);
}

Failure refusal(const Reply& reply) {
    const auto kind = reply.code >= 500   ? Failure::Kind::refused
                      : reply.code >= 400 ? Failure::Kind::later
                                          : Failure::Kind::protocol;
    return {kind, reply.code, reply.enhanced, reply.text()};
}

std::string Reply::text() const {
    std::string out;
    for (const auto& line : lines) out += (out.empty() ? "" : " ") + base::printable(line);
    return out;
}

std::string shown_command(std::string_view line) {
    return base::istarts_with(line, "AUTH ") ? client::shown_auth(line) : base::printable(line);
}

// --- the state ----------------------------------------------------------------------------------------------------------

sys::Deadline Connection::State::deadline() const {
    return sys::Deadline::in(broken ? last_words : base::Millis(std::max<std::uint32_t>(timeout_ms, 1)));
}

Result<void> Connection::State::send(std::string_view octets) {
    if (!wire || broken) return std::unexpected(silence(nullptr));
    const auto sent = wire->write_all(octets, deadline());
    if (sent) return {};
    broken = true;
    return std::unexpected(failure_of(Failure::Kind::later, peer + ": sending: " + sent.error().text));
}

Result<void> Connection::State::flush() {
    if (output.empty()) return {};
    std::string octets;
    octets.swap(output);
    return send(octets);
}

Result<void> Connection::State::put_line(std::string_view line, std::string_view shown) {
    if (!is_one_line(line))
        return std::unexpected(failure_of(Failure::Kind::usage, "a line end or NUL inside the line " + base::quoted(line, 80)));
    doing = std::string(shown.substr(0, shown.find(' ')));
    if (trace) trace(true, shown);
    output.append(line).append("\r\n");
    return flush();
}

Failure Connection::State::silence(const Error* error) const {
    const std::string what = doing.empty() ? "its greeting" : "its answer to " + doing;
    if (error == nullptr) return failure_of(Failure::Kind::later, peer + ": the server closed the connection before " + what);
    if (error->kind != Kind::timeout)
        return failure_of(Failure::Kind::later, peer + ": waiting for " + what + ": " + error->text);
    return failure_of(Failure::Kind::later, peer + ": " + what + " did not come within " + seconds(timeout_ms));
}

Result<Reply> Connection::State::reply() {
    if (!wire) return std::unexpected(silence(nullptr));
    const auto until = deadline();
    smtp::Reply read;
    for (;;) {
        std::string_view rest = input;
        const auto got = parser.next(rest, read);
        input.erase(0, input.size() - rest.size());
        if (got == smtp::ReplyParser::Got::fault)
            return std::unexpected(failure_of(Failure::Kind::protocol, peer + ": " + parser.fault()));
        if (got == smtp::ReplyParser::Got::reply) break;
        const auto count = wire->read_some(room, until);
        if (!count || *count == 0) return std::unexpected(silence(count ? nullptr : &count.error()));
        input.assign(room.data(), *count);
    }
    show(read);
    return Reply{read.code, std::move(read.enhanced), std::move(read.lines)};
}

void Connection::State::show(const smtp::Reply& reply) const {
    if (!trace) return;
    for (std::size_t i = 0; i < reply.lines.size(); ++i) {
        std::string line = std::to_string(reply.code) + (i + 1 < reply.lines.size() ? "-" : " ");
        if (!reply.enhanced.empty()) line += reply.enhanced + " ";
        trace(false, line + base::printable(reply.lines[i]));
    }
}

// --- the steps ------------------------------------------------------------------------------------------------------------

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() {
    if (state_) close();
}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&& other) noexcept {
    if (this != &other && state_) close();
    state_ = std::move(other.state_);
    return *this;
}

Result<Reply> Connection::read_reply() { return state_->reply(); }

Result<Reply> Connection::command(std::string_view line) {
    const auto sent = write_line(line);
    // A server that broke off may have said why.
    if (!sent && !state_->broken) return std::unexpected(sent.error());
    auto reply = state_->reply();
    if (!reply && !sent) return std::unexpected(sent.error());
    return reply;
}

Result<void> Connection::write_line(std::string_view line) { return state_->put_line(line, shown_command(line)); }

Result<void> Connection::write_message(std::string_view piece) {
    State& s = *state_;
    s.doing = "the message";
    s.body += piece.size();
    while (!piece.empty()) {
        const std::string_view part = piece.substr(0, write_size);
        piece.remove_prefix(part.size());
        s.dots.feed(part, s.output);
        if (s.output.size() < write_size) continue;
        if (auto sent = s.flush(); !sent) return sent;
    }
    return {};
}

Result<Reply> Connection::end_message() {
    State& s = *state_;
    s.doing = "the message";
    s.dots.finish(s.output);
    s.dots = {};
    if (s.trace) s.trace(true, "[" + std::to_string(std::exchange(s.body, 0)) + " octets of message]");
    const auto sent = s.flush();
    if (!sent && !s.broken) return std::unexpected(sent.error());
    auto reply = s.reply();
    if (!reply && !sent) return std::unexpected(sent.error());
    return reply;
}

Result<void> Connection::write(std::string_view octets) {
    if (auto sent = state_->flush(); !sent) return sent;
    return state_->send(octets);
}

Result<std::size_t> Connection::read_some(std::span<char> room) {
    State& s = *state_;
    if (!s.input.empty()) {
        const std::size_t count = std::min(room.size(), s.input.size());
        std::copy_n(s.input.begin(), count, room.begin());
        s.input.erase(0, count);
        return count;
    }
    if (!s.wire) return std::size_t{0};
    const auto count = s.wire->read_some(room, s.deadline());
    if (count) return *count;
    return std::unexpected(failure_of(Failure::Kind::later, s.peer + ": " + count.error().text));
}

Result<void> Connection::half_close() {
    State& s = *state_;
    if (!s.wire) return std::unexpected(s.silence(nullptr));
    if (auto sent = s.flush(); !sent) return sent;
    s.wire->close(s.deadline());
    sys::half_close(s.fd.get());
    return {};
}

void Connection::timeout(std::uint32_t ms) { state_->timeout_ms = ms; }
int Connection::descriptor() const { return state_->fd.get(); }
bool Connection::pending() const { return !state_->input.empty() || (state_->wire && state_->wire->pending()); }
bool Connection::readable(std::uint32_t within_ms) {
    return !state_->input.empty() || !state_->wire ||
           state_->wire->readable(sys::Deadline::in(base::Millis(std::max<std::uint32_t>(within_ms, 1))));
}
std::string Connection::remote() const { return state_->peer; }

void Connection::close() {
    State& s = *state_;
    if (!s.wire) return;
    if (!s.broken) s.wire->close(sys::Deadline::in(last_words));
    s.wire.reset();
    s.fd.reset();
}

std::string Connection::local() const {
    if (!state_->endpoint.path.empty()) return state_->endpoint.path;
    const sys::Ends ends = sys::socket_ends(state_->fd.get());
    return ends.local ? sys::text(*ends.local) : "";
}

}  // namespace greylag::smtp_client
