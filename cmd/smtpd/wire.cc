#include "cmd/smtpd/wire.hh"

#include <signal.h>

#include "sys/io.hh"

namespace greylag::smtpd {

namespace {

using base::Millis;
using sys::Deadline;

constexpr Millis handshake_wait{60'000};
constexpr Millis farewell_wait{1000};

}  // namespace

Wire::Wire(const Place& place, const Connection& connection, std::string peer, Crypto* crypto)
    : place_(place), connection_(connection), peer_(std::move(peer)), crypto_(crypto) {
    if (connection.ends.socket) sys::no_delay(connection.out);
}

void Wire::note(std::string_view reason, const Error& error) {
    place_.log.write(base::Event{}.with("ip", peer_).with("reason", std::string(reason)).with("said", error.text));
}

Result<std::size_t> Wire::receive(std::span<char> room, Deadline deadline) {
    return channel_ ? channel_->read_some(room, deadline) : sys::read_some(connection_.in, room, deadline);
}

Result<void> Wire::send(std::string_view bytes, Deadline deadline) {
    return channel_ ? channel_->write_all(bytes, deadline) : sys::write_all(connection_.out, bytes, deadline);
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
    if (can_encrypt())
        channel = crypto_->accept(connection_.in, connection_.out, Deadline::earlier(Deadline::in(handshake_wait), deadline));
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
    auto heir = smtpd::hand_over(place_.setup, connection_.in, connection_.out, begun);
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
