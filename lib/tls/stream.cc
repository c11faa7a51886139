#include "tls/stream.hh"

#include <array>

#include "sys/io.hh"
#include "tls/state.hh"

namespace greylag::tls {

namespace {
constexpr std::size_t record = 17 * 1024;  // the largest record and its head
}

template <class Call>
Result<Step> Stream::State::run(Call call, sys::Deadline deadline) {
    for (;;) {
        auto seen = call();
        const auto sent = flush(deadline);
        if (!seen || *seen == Step::end) return seen;
        if (!sent) return std::unexpected(sent.error());
        if (*seen == Step::done) return seen;
        if (session().in_ended) return Step::end;
        TRY(fill(deadline));
    }
}

Result<void> Stream::State::flush(sys::Deadline deadline) {
    const auto bytes = session().to_send();
    if (bytes.empty()) return {};
    auto sent = sys::write_all(out, bytes, deadline);
    session().sent(bytes.size());
    if (!sent) session().out_ended = true;
    return sent;
}

Result<void> Stream::State::fill(sys::Deadline deadline) {
    std::array<char, record> room;
    const std::size_t got = TRY(sys::read_some(in, room, deadline));
    if (got == 0) session().in_ended = true;
    session().heard({room.data(), got});
    return {};
}

Result<void> Stream::State::handshake(sys::Deadline deadline) {
    auto seen = run([this] { return session().handshake(); }, deadline);
    if (!seen && !seen.error().text.starts_with("TLS: ")) seen.error().text.insert(0, "TLS handshake: ");
    if (!seen) return std::unexpected(std::move(seen).error());
    if (*seen == Step::end) return base::fail(Kind::closed, "TLS: the other end left during the handshake");
    return {};
}

Result<Stream> Stream::make(Engine engine, int in, int out, sys::Deadline deadline) {
    auto state = std::make_unique<State>(State{std::move(engine), in, out});
    TRY(state->handshake(deadline));
    return Stream(std::move(state));
}

Stream::Stream(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

Result<std::size_t> Stream::read_some(std::span<char> room, sys::Deadline deadline) {
    auto& session = state_->session();
    std::size_t got = 0;
    const auto seen = state_->run([&] { return session.read(room, got); }, deadline);
    if (seen) return got;
    if (seen.error().kind != Kind::timeout) session.in_ended = true;
    return std::unexpected(seen.error());
}

Result<void> Stream::write_all(std::string_view bytes, sys::Deadline deadline) {
    auto& session = state_->session();
    const auto done = state_->run([&] { return session.write(bytes); }, deadline);
    if (done && *done == Step::done) return {};
    session.out_ended = true;
    if (!done) return std::unexpected(done.error());
    return base::fail(Kind::closed, "TLS: the other end has closed");
}

bool Stream::readable(sys::Deadline deadline) {
    const auto seen = state_->run([this] { return state_->session().peek(); }, deadline);
    return seen.has_value() || seen.error().kind != Kind::timeout;
}

bool Stream::pending() {
    const auto seen = state_->session().peek();
    return !seen || *seen != Step::more;
}

void Stream::close(sys::Deadline deadline) {
    state_->session().close();
    (void)state_->flush(deadline);
}

std::string Stream::description() const { return state_->engine.description(); }
int Stream::bits() const { return state_->engine.bits(); }
bool Stream::resumed() const { return state_->engine.resumed(); }
const PeerCertificate& Stream::peer() const { return state_->engine.peer(); }
std::string Stream::exporter() const { return state_->engine.exporter(); }
std::string Stream::server_end_point() const { return state_->engine.server_end_point(); }

}  // namespace greylag::tls
