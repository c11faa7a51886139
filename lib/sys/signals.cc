#include "sys/signals.hh"

#include <poll.h>
#include <signal.h>

#include <utility>

namespace greylag::sys {

namespace {

constexpr int held[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

// A handler can reach nothing but a global; ppoll's own return does not say which signal ended it.
volatile sig_atomic_t seen_stop, seen_reload, seen_child;

void remember(int signal) {
    if (signal == SIGHUP)
        seen_reload = 1;
    else if (signal == SIGCHLD)
        seen_child = 1;
    else
        seen_stop = 1;
}

sigset_t held_set() {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : held) sigaddset(&set, signal);
    return set;
}

void deliver_pending(const sigset_t& open) {
    sigset_t pending;
    sigpending(&pending);
    for (int signal : held) {
        if (sigismember(&pending, signal) != 1) continue;
        sigset_t closed;
        sigprocmask(SIG_SETMASK, &open, &closed);
        sigprocmask(SIG_SETMASK, &closed, nullptr);
        return;
    }
}

}  // namespace

Signals::Signals() {
    const sigset_t set = held_set();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    struct sigaction action {};
    action.sa_handler = remember;
    sigemptyset(&action.sa_mask);
    for (int signal : held) sigaction(signal, &action, nullptr);
}

Signals::~Signals() { restore(); }

void Signals::restore() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigemptyset(&action.sa_mask);
    for (int signal : held) sigaction(signal, &action, nullptr);
    const sigset_t set = held_set();
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

Signals::Seen Signals::wait(std::span<const int> fds, Deadline deadline) {
    std::vector<Interest> interests;
    for (const int fd : fds) interests.push_back({fd, true, false});
    Seen seen = wait_both(interests, deadline);
    for (const Interest& one : interests)
        if (one.read) seen.ready.push_back(one.fd);
    return seen;
}

Signals::Seen Signals::wait_both(std::span<Interest> interests, Deadline deadline) {
    std::vector<pollfd> polled;
    for (const Interest& one : interests)
        polled.push_back({one.fd, static_cast<short>((one.read ? POLLIN : 0) | (one.write ? POLLOUT : 0)), 0});
    const base::Millis left = deadline.left();
    const timespec timeout{static_cast<time_t>(left.count() / 1000), static_cast<long>(left.count() % 1000) * 1'000'000};
    sigset_t none;
    sigprocmask(SIG_BLOCK, nullptr, &none);
    for (int signal : held) sigdelset(&none, signal);
    const int ready =
        ppoll(polled.data(), static_cast<nfds_t>(polled.size()), deadline.poll_timeout() < 0 ? nullptr : &timeout, &none);
    // A descriptor that is always ready must not hide a signal: ppoll delivers none when it has something to return.
    if (ready > 0) deliver_pending(none);
    for (std::size_t i = 0; i < polled.size(); ++i) {
        const int came = ready > 0 ? polled[i].revents : 0, broken = came & ~(POLLIN | POLLOUT);
        interests[i].read = interests[i].read && ((came & POLLIN) != 0 || broken != 0);
        interests[i].write = interests[i].write && ((came & POLLOUT) != 0 || broken != 0);
    }
    Seen seen;
    seen.stop = std::exchange(seen_stop, 0) != 0;
    seen.reload = std::exchange(seen_reload, 0) != 0;
    seen.child = std::exchange(seen_child, 0) != 0;
    return seen;
}

void Signals::note(const Seen& seen) {
    if (seen.stop && !std::exchange(stop_, true)) stopped_ = stopwatch();
}

Deadline Signals::within(Deadline deadline, base::Millis grace) const {
    return stop_ ? Deadline::earlier(deadline, Deadline::in(grace - since(stopped_))) : deadline;
}

bool Signals::wait_output(int fd, Deadline deadline, base::Millis grace) {
    for (;;) {
        Interest room{fd, false, true};
        note(wait_both({&room, 1}, within(deadline, grace)));
        if (room.write) return true;
        if (within(deadline, grace).passed()) return false;
    }
}

Signals::Woke Signals::wait_input(int fd, Deadline deadline) {
    for (;;) {
        if (stop_) return Woke::stop;
        const Seen seen = wait({&fd, 1}, deadline);
        note(seen);
        if (stop_) return Woke::stop;
        if (!seen.ready.empty()) return Woke::input;
        if (deadline.passed()) return Woke::timeout;
    }
}

}  // namespace greylag::sys
