#include "cmd/smtpd/wire.hh"

#include <signal.h>

#include "sys/io.hh"

namespace greylag::smtpd {

namespace {

using base::Millis;
using sys::Deadline;

constexpr Millis handshake_wait{30'000};
constexpr Millis look_wait{5};
// What fits where there is room at all: between such pieces SIGTERM is looked for.
constexpr std::size_t send_piece = 4096;
constexpr Millis farewell_wait{1000};

}  // namespace

Wire::Wire(const Place& place, const Connection& connection, std::string peer, Crypto* crypto)
    : place_(place), in_(connection.in), out_(connection.out), peer_(std::move(peer)), crypto_(crypto) {
    if (connection.ends.socket) sys::no_delay(connection.out);
}

void Wire::note(std::string_view reason, const Error& error) {
    place_.log.write(base::Event{}.with("ip", peer_).with("reason", std::string(reason)).with("said", error.text));
}

Result<std::size_t> Wire::receive(std::span<char> room, Deadline deadline) {
    return channel_ ? channel_->read_some(room, deadline) : sys::read_some(in_, room, deadline);
}

Result<void> Wire::send(std::string_view bytes, Deadline deadline) {
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, send_piece);
        bytes.remove_prefix(piece.size());
        const bool room = sys::writable(out_, Deadline::in(Millis{0})).value_or(true);
        if (!room && !place_.signals.wait_output(out_, deadline, place_.setup.settings.limits.stop_time))
            return base::fail_later(Kind::timeout, "the client does not take our replies");
        TRY(channel_ ? channel_->write_all(piece, deadline) : sys::write_all(out_, piece, deadline));
    }
    return {};
}

bool Wire::opened() {
    // Long enough to take in what has come, and it may be half of a record.
    const bool here = channel_ && sys::readable(in_, Deadline::in(Millis{0})).value_or(true);
    return channel_ && channel_->readable(Deadline::in(here ? look_wait : Millis{0}));
}

void Wire::close() {
    if (channel_) channel_->close(Deadline::in(farewell_wait));
}

bool Wire::can_encrypt() {
    if (crypto_ == nullptr) return false;
    if (const auto ready = crypto_->prepare(place_.setup.settings.tls); !ready) note("certificate", ready.error());
    return crypto_->ready();
}

bool Wire::encrypt(Deadline deadline) {
    Result<std::unique_ptr<Channel>> channel = base::fail(Kind::unavailable, "no certificate");
    if (can_encrypt()) channel = crypto_->accept(in_, out_, Deadline::earlier(Deadline::in(handshake_wait), deadline));
    base::Event event{base::Word::tls, {}};
    event.with("ip", peer_);
    if (!channel) {
        place_.log.write(event.with("reason", "failed").with("said", channel.error().text));
        return false;
    }
    channel_ = *std::move(channel);
    place_.log.write(event.with("tls", channel_->description()));
    return true;
}

bool Wire::hand_over(const Begun& begun, Deadline session) {
    auto heir = smtpd::hand_over(place_.setup, in_, out_, begun);
    if (!heir) {
        note("starttls", heir.error());
        return false;
    }
    // Whoever started us takes our end for the session's, and tells us when it is to end.
    const auto last = Deadline::in(session.left() + place_.setup.settings.mailer.timeout + handshake_wait);
    if (place_.signals.wait_input(heir->link.get(), last) == sys::Signals::Woke::stop) heir->child.kill(SIGTERM);
    const auto end = heir->child.wait(last);
    if (end && !end->ok()) place_.log.write(base::Event{}.with("ip", peer_).with("reason", "session-died"));
    return true;
}

}  // namespace greylag::smtpd
