#include "cmd/smtp-sink/loop.hh"

#include <sys/socket.h>

#include <algorithm>

#include "sys/listener.hh"
#include "sys/peer.hh"
#include "sys/race.hh"

namespace greylag::sink {

namespace {
constexpr std::size_t room_size = 64 << 10;
constexpr std::size_t listener_token = std::size_t{1} << 40;
constexpr Tick between_looks = 100'000;
}  // namespace

Loop::Loop(const House& house, std::vector<int> listeners, unsigned room, const tls::ServerContext* tls,
           std::chrono::steady_clock::time_point start)
    : house_(house),
      listeners_(std::move(listeners)),
      most_(room),
      tls_(tls),
      start_(start),
      room_(room_size),
      plain_(room_size) {}

bool Loop::enough() const {
    const Rules& rules = house_.rules;
    const auto reached = [](std::uint64_t most, const std::atomic<std::uint64_t>& count) {
        return most != 0 && count.load(std::memory_order_relaxed) >= most;
    };
    if (reached(rules.most_messages, house_.totals.messages)) return true;
    // The last session is served to its end.
    return reached(rules.most_sessions, house_.totals.sessions) && free_.size() == slots_.size();
}

Result<void> Loop::run(const std::atomic<bool>& stop) {
    events_ = std::make_unique<sys::Events>(TRY(sys::Events::create()));
    for (std::size_t i = 0; i < listeners_.size(); ++i) TRY(events_->add(listeners_[i], listener_token + i, true, false));
    while (!stop.load(std::memory_order_relaxed) && !enough()) {
        Tick until = next_look_;
        if (!timers_.empty()) until = std::min(until, timers_.top().first);
        const Tick left = std::max<Tick>(until - now(), 0);
        for (const auto& ready : TRY(events_->wait(sys::Deadline::in(base::Millis((left + 999) / 1000))))) {
            if (ready.token >= listener_token) {
                TRY(welcome(listeners_[ready.token - listener_token]));
                continue;
            }
            Slot& slot = slots_[ready.token];
            if (!slot.session) continue;
            if (ready.read && slot.reads) receive(slot);
            if (slot.session) drive(ready.token);
        }
        // A place that became free in this round may still be named by what came with it.
        free_.insert(free_.end(), ended_.begin(), ended_.end());
        ended_.clear();
        take_timers();
        const Tick at = now();
        if (at >= next_look_) take_timeouts(at);
        crowd();
    }
    return {};
}

// Accepts only what there is room for: the others wait in the kernel's queue.
void Loop::crowd() {
    const auto& totals = house_.totals;
    const std::uint64_t most = house_.rules.most_sessions;
    const std::size_t taken = slots_.size() - free_.size();
    const bool room =
        now() >= crowded_until_ && taken < most_ && (most == 0 || totals.sessions.load(std::memory_order_relaxed) < most);
    if (room == listening_) return;
    for (std::size_t i = 0; i < listeners_.size(); ++i)
        static_cast<void>(events_->change(listeners_[i], listener_token + i, room, false));
    listening_ = room;
}

Result<void> Loop::welcome(int listener) {
    const std::uint64_t most = house_.rules.most_sessions;
    while (slots_.size() - free_.size() - ended_.size() < most_) {
        if (most != 0 && house_.totals.sessions.load(std::memory_order_relaxed) >= most) return {};
        auto client = sys::accept_now(listener);
        if (!client) {
            // A table of descriptors that is full empties when sessions end.
            crowded_until_ = now() + between_looks;
            if (client.error().lasting == Lasting::temporary) return {};
            return std::unexpected(client.error());
        }
        if (!*client) return {};
        open(std::move(**client));
    }
    return {};
}

void Loop::open(sys::Fd fd) {
    std::size_t which = slots_.size();
    if (free_.empty()) {
        slots_.emplace_back();
    } else {
        which = free_.back();
        free_.pop_back();
    }
    Slot& slot = slots_[which];
    slot = {};
    if (const int window = house_.rules.window; window > 0) {
        ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &window, sizeof window);
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    }
    slot.wire.fd = std::move(fd);
    slot.last = now();
    if (!events_->add(slot.wire.fd.get(), which, true, false)) {
        slot.wire.close();
        ended_.push_back(which);
        return;
    }
    std::string peer = "unix";
    // Asked for only where somebody will read it: it costs a system call.
    const Rules& rules = house_.rules;
    const bool named =
        rules.verbose || house_.write_dump || std::find(rules.logged.begin(), rules.logged.end(), true) != rules.logged.end();
    if (named)
        if (const auto ends = sys::connection_ends(slot.wire.fd.get(), {}); ends && ends->remote)
            peer = ends->remote->address.text();
    slot.session = std::make_unique<Session>(house_, std::move(peer), which + static_cast<std::uint64_t>(slot.last));
    slot.session->begin(slot.last);
    drive(which);
}

void Loop::drive(std::size_t which) {
    Slot& slot = slots_[which];
    if (slot.session->wish() == Session::Wish::reset) {
        const linger none{1, 0};
        ::setsockopt(slot.wire.fd.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
        return end(which, true);
    }
    if (!flush(slot)) return end(which, true);
    const bool all_written = slot.session->output().empty() && !slot.wire.pending();
    switch (slot.session->wish()) {
        case Session::Wish::close:
            if (all_written) return end(which, false);
            break;
        case Session::Wish::handshake:
            if (all_written && !slot.wire.tls() && !secure(slot)) return end(which, true);
            break;
        case Session::Wish::wait: timers_.emplace(slot.session->due(), which); break;
        case Session::Wish::talk:
        case Session::Wish::stall:
        case Session::Wish::reset: break;
    }
    watch(which);
}

// What is waited for on the socket now.
void Loop::watch(std::size_t which) {
    Slot& slot = slots_[which];
    const auto wish = slot.session->wish();
    const bool writes = !slot.session->output().empty() || slot.wire.pending();
    // Replies that nobody reads are not piled up.
    const bool reads = wish != Session::Wish::wait && wish != Session::Wish::close && slot.session->output().size() < room_size;
    if (reads == slot.reads && writes == slot.writes) return;
    slot.reads = reads;
    slot.writes = writes;
    if (!events_->change(slot.wire.fd.get(), which, reads, writes)) end(which, true);
}

bool Loop::flush(Slot& slot) {
    std::string& out = slot.session->output();
    if (out.empty() && !slot.wire.pending()) return true;
    const std::string_view piece = std::string_view(out).substr(slot.written);
    const auto count = slot.wire.send({&piece, 1});
    if (!count) return false;
    slot.written += *count;
    if (*count != 0) slot.last = now();
    if (slot.written == out.size()) {
        out.clear();
        slot.written = 0;
    }
    return true;
}

bool Loop::secure(Slot& slot) {
    if (tls_ == nullptr) return false;
    auto engine = tls_->engine();
    return engine && slot.wire.start_tls(std::move(*engine));
}

void Loop::receive(Slot& slot) {
    Session& session = *slot.session;
    const std::size_t which = static_cast<std::size_t>(&slot - slots_.data());
    const auto ready = [&] {
        if (!slot.wire.secure() || session.wish() != Session::Wish::handshake) return;
        // Only accounts have what a proof is bound by, and it is not for nothing.
        const tls::Engine& tls = *slot.wire.tls();
        const bool binds = house_.rules.auth && !house_.rules.accounts.empty();
        session.secured(binds ? sasl::Bindings{tls.exporter(), tls.server_end_point()} : sasl::Bindings{}, now());
    };
    const auto got = slot.wire.receive(room_, plain_, [&](std::string_view octets) {
        ready();
        session.heard(octets, now());
    });
    if (!got || *got == cmd::LoadWire::Got::end) return end(which, true);
    if (*got == cmd::LoadWire::Got::octets) slot.last = now();
    ready();
}

void Loop::end(std::size_t which, bool lost) {
    Slot& slot = slots_[which];
    if (!slot.wire.fd) return;
    if (lost) slot.session->gone();
    events_->forget(slot.wire.fd.get());
    slot.wire.close();
    slot.session.reset();
    ended_.push_back(which);
}

void Loop::take_timers() {
    while (!timers_.empty() && timers_.top().first <= now()) {
        const std::size_t which = timers_.top().second;
        timers_.pop();
        Slot& slot = slots_[which];
        if (!slot.session || slot.session->wish() != Session::Wish::wait || slot.session->due() > now()) continue;
        slot.session->resume(now());
        slot.last = now();
        drive(which);
    }
}

void Loop::take_timeouts(Tick at) {
    next_look_ = at + between_looks;
    const Tick timeout = house_.rules.timeout.count() * 1000;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const Slot& slot = slots_[i];
        if (slot.session && slot.session->wish() != Session::Wish::wait && at - slot.last >= timeout) end(i, true);
    }
}

}  // namespace greylag::sink
