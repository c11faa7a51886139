#include "cmd/smtp-source/loop.hh"

#include <cerrno>

namespace greylag::source {

namespace {
constexpr std::size_t room_size = 64 << 10;
constexpr Tick between_looks = 500'000, between_shows = 100'000;
constexpr Tick full_queue = 1000;  // a UNIX socket's queue: nothing says when it has room
}  // namespace

Loop::Loop(const Plan& plan, Ledger& ledger, const Place& place, const sys::Loan& loan, Window& window,
           std::chrono::steady_clock::time_point start, unsigned first, unsigned sessions)
    : place_(place),
      window_(window),
      start_(start),
      desk_(plan, ledger, first + 1),
      lender_(loan),
      sources_(first),
      room_(room_size),
      plain_(room_size) {
    slots_.reserve(sessions);
    for (unsigned i = 0; i < sessions; ++i) slots_.push_back({Talk(desk_, first + i), {}, 0, 0, false, false, 0});
}

Result<void> Loop::run() {
    events_ = std::make_unique<sys::Events>(TRY(sys::Events::create()));
    const Order& order = desk_.plan.order;
    if (order.tls != Tls::none) {
        tls::ClientPolicy policy;
        policy.authorities = order.ca;
        policy.insist = !order.ca.empty();
        // One for each thread: it remembers the last session, for the next one to go on with.
        tls_ = std::make_unique<tls::ClientContext>(TRY(tls::ClientContext::make(policy)));
    }
    active_ = slots_.size();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        slots_[i].talk.begin(now());
        drive(i);
    }
    while (active_ != 0 && !desk_.ledger.stopped()) {
        Tick until = std::min(next_look_, next_show_);
        if (!timers_.empty()) until = std::min(until, timers_.top().first);
        const Tick left = std::max<Tick>(until - now(), 0);
        const auto came = TRY(events_->wait(sys::Deadline::in(base::Millis((left + 999) / 1000))));
        // All are heard before any is answered: the answers come close together, and the server is woken once, not for each.
        for (const auto& ready : came) {
            Slot& slot = slots_[ready.token];
            if (slot.wire.fd && !slot.dialling && ready.read) receive(slot);
        }
        // New connections last: by then the server is awake.
        for (const bool leaving : {false, true}) {
            for (const auto& ready : came) {
                Slot& slot = slots_[ready.token];
                if (!slot.wire.fd || (slot.talk.wish() == Talk::Wish::hang_up) != leaving) continue;
                if (slot.dialling)
                    settle(ready.token);
                else
                    drive(ready.token);
            }
        }
        take_timers();
        const Tick at = now();
        if (at >= next_look_) take_timeouts(at);
        if (at >= next_show_) publish(at);
    }
    publish(now());
    return {};
}

void Loop::drive(std::size_t which) {
    Slot& slot = slots_[which];
    for (;;) {
        switch (slot.talk.wish()) {
            case Talk::Wish::wait: timers_.emplace(slot.talk.due(), which); return;
            case Talk::Wish::dial:
                if (dial(which)) return;
                break;
            case Talk::Wish::talk:
                if (flush(which)) return;
                break;
            case Talk::Wish::handshake:
                if (secure(which)) return;
                break;
            case Talk::Wish::hang_up:
                slot.talk.begin(now());
                hang_up(slot);
                break;
            case Talk::Wish::over:
                close(slot);
                --active_;
                return;
        }
    }
}

// True: there is something to wait for.
bool Loop::dial(std::size_t which) {
    Slot& slot = slots_[which];
    const Order& order = desk_.plan.order;
    const bool local = !place_.path.empty();
    sys::DialHow how{{}, order.window, true};
    if (!order.sources.empty()) how.source = order.sources[sources_++ % order.sources.size()];
    if (slot.tried == 0) slot.end = good_end_;
    const bool again = bool(slot.wire.fd);  // watched already
    auto fd = local ? sys::begin_dial_unix(place_.path) : sys::begin_dial(place_.ends[slot.end], how, std::move(slot.wire.fd));
    if (!fd && local && fd.error().code == EAGAIN) {
        timers_.emplace(now() + full_queue, which);
        return true;
    }
    if (!fd) return dial_failed(slot, fd.error());
    slot.wire.fd = std::move(*fd);
    slot.last = now();
    const auto there = local ? Result<bool>(true) : sys::dialled(slot.wire.fd.get(), place_.ends[slot.end]);
    if (!there) return dial_failed(slot, there.error());
    slot.dialling = !*there;
    if (!again || slot.wants_write != slot.dialling) {
        const int watched_fd = slot.wire.fd.get();
        const auto watched = again ? events_->change(watched_fd, which, true, slot.dialling)
                                   : events_->add(watched_fd, which, true, slot.dialling);
        if (!watched) return dial_failed(slot, watched.error());
        slot.wants_write = slot.dialling;
    }
    if (slot.dialling) return true;
    slot.tried = 0;
    good_end_ = slot.end;
    slot.talk.connected(now());
    return false;
}

// Another address of the host may answer; false, and the Talk says what comes next.
bool Loop::dial_failed(Slot& slot, const Error& error) {
    close(slot);
    if (++slot.tried < place_.ends.size()) {
        slot.end = (slot.end + 1) % place_.ends.size();
        return false;
    }
    slot.tried = 0;
    slot.talk.not_connected(error.text, now());
    return false;
}

// The connection that was begun: is it there?
void Loop::settle(std::size_t which) {
    Slot& slot = slots_[which];
    const auto there = sys::dialled(slot.wire.fd.get(), place_.ends[slot.end]);
    if (there && !*there) return;
    if (!there) {
        dial_failed(slot, there.error());
    } else {
        slot.dialling = slot.wants_write = false;
        slot.tried = 0;
        good_end_ = slot.end;
        slot.last = now();
        if (auto watched = events_->change(slot.wire.fd.get(), which, true, false); !watched) {
            dial_failed(slot, watched.error());
        } else {
            slot.talk.connected(slot.last);
        }
    }
    drive(which);
}

// False: the Talk wishes something else now.
bool Loop::flush(std::size_t which) {
    Slot& slot = slots_[which];
    if (slot.talk.has_output() || slot.wire.pending()) {
        const auto count = slot.wire.send(slot.talk.output(), &lender_);
        if (!count) {
            slot.talk.lost(Talk::Lost::broken, now());
            return false;
        }
        slot.talk.written(*count);
        if (*count != 0) slot.last = now();
    }
    const bool more = slot.talk.has_output() || slot.wire.pending();
    if (slot.wants_write == more) return true;
    slot.wants_write = more;
    if (events_->change(slot.wire.fd.get(), which, true, more)) return true;
    slot.talk.lost(Talk::Lost::broken, now());
    return false;
}

// The handshake, begun when the last octet in clear text is on its way. True: there is something to wait for.
bool Loop::secure(std::size_t which) {
    Slot& slot = slots_[which];
    const auto fail = [&](const Error& error) {
        slot.talk.secured({false, error.text, {}}, now());
        return false;
    };
    if (!slot.wire.tls()) {
        if (!flush(which)) return false;
        if (slot.talk.has_output()) return true;
        auto engine = tls_->engine(desk_.plan.order.server());
        if (!engine) return fail(engine.error());
        if (auto begun = slot.wire.start_tls(std::move(*engine)); !begun) return fail(begun.error());
    }
    if (slot.wire.secure()) {
        slot.talk.secured(secured(slot), now());
        return false;
    }
    return flush(which);
}

Talk::Secured Loop::secured(const Slot& slot) const {
    if (!slot.wire.secure()) return {false, "the server spoke before the handshake", {}};
    if (desk_.plan.order.user.empty()) return {true, {}, {}};
    return {true, {}, {slot.wire.tls()->exporter(), slot.wire.tls()->server_end_point()}};
}

void Loop::receive(Slot& slot) {
    const auto got = slot.wire.receive(room_, plain_, [&](std::string_view octets) {
        slot.last = now();
        // The first octets under TLS may come with the end of the handshake; in clear text nothing may come before it.
        if (slot.talk.wish() == Talk::Wish::handshake) slot.talk.secured(secured(slot), slot.last);
        slot.talk.heard(octets, slot.last);
    });
    const Tick at = now();
    if (!got && slot.talk.wish() == Talk::Wish::handshake) return slot.talk.secured({false, got.error().text, {}}, at);
    if (!got) return slot.talk.lost(Talk::Lost::broken, at);
    if (*got != cmd::LoadWire::Got::nothing) slot.last = at;
    if (*got == cmd::LoadWire::Got::end) slot.talk.lost(Talk::Lost::eof, at);
}

void Loop::close(Slot& slot) {
    if (slot.wire.fd) events_->forget(slot.wire.fd.get());
    slot.wire.close();
    slot.dialling = slot.wants_write = false;
}

// The descriptor stays where the next connection is to be dialled at once, to the same end and from no particular source.
void Loop::hang_up(Slot& slot) {
    const bool same = slot.talk.wish() == Talk::Wish::dial && place_.path.empty() && slot.end == good_end_ && slot.tried == 0 &&
                      desk_.plan.order.sources.empty();
    if (!same) return close(slot);
    slot.wire.end();
    if (!sys::disconnect(slot.wire.fd.get())) close(slot);
}

void Loop::take_timers() {
    while (!timers_.empty() && timers_.top().first <= now()) {
        const std::size_t which = timers_.top().second;
        timers_.pop();
        Slot& slot = slots_[which];
        // A timer whose wait has ended otherwise says nothing.
        if (slot.talk.wish() == Talk::Wish::wait && slot.talk.due() <= now()) {
            slot.talk.begin(now());
        } else if (slot.talk.wish() != Talk::Wish::dial || slot.wire.fd) {
            continue;
        }
        drive(which);
    }
}

void Loop::take_timeouts(Tick at) {
    next_look_ = at + between_looks;
    const Tick timeout = desk_.plan.order.timeout.count() * 1000;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        Slot& slot = slots_[i];
        if (!slot.wire.fd || slot.talk.wish() == Talk::Wish::wait || at - slot.last < timeout) continue;
        if (slot.dialling) {
            dial_failed(slot, {Kind::timeout, Lasting::temporary, 0, "connecting: time is up"});
        } else {
            slot.talk.lost(Talk::Lost::timeout, at);
        }
        drive(i);
    }
}

void Loop::publish(Tick at) {
    next_show_ = at + between_shows;
    const Stats& s = desk_.stats;
    const Histogram& whole = s.of(Phase::whole);
    window_.show({{s.sent, s.failed_in_all(), s.bytes, whole.percentile(50), whole.percentile(99)}, desk_.dots});
}

}  // namespace greylag::source
