// One thread's sessions: sockets and timers around many a Talk. No wait but one, for all of them.
#pragma once
#include <chrono>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <vector>

#include "cmd/load_wire.hh"
#include "cmd/smtp-source/report.hh"
#include "cmd/smtp-source/talk.hh"
#include "sys/dial.hh"
#include "sys/events.hh"
#include "tls/client.hh"

namespace greylag::source {

// Where to: a socket of this machine, or the addresses of one host in the order to be tried.
struct Place {
    std::string path;
    std::vector<sys::End> ends;
};

// What a thread lets the display see.
class Window {
public:
    struct View {
        Glance glance;
        std::uint64_t dots = 0;
    };
    void show(const View& view) {
        const std::lock_guard hold(lock_);
        view_ = view;
    }
    View look() {
        const std::lock_guard hold(lock_);
        return view_;
    }

private:
    std::mutex lock_;
    View view_;
};

class Loop {
public:
    // Sessions first, first + 1 ... of the run.
    Loop(const Plan& plan, Ledger& ledger, const Place& place, const sys::Loan& loan, Window& window,
         std::chrono::steady_clock::time_point start, unsigned first, unsigned sessions);

    // Until every session is over. An error is the system's: no session could go on.
    Result<void> run();
    const Stats& stats() const { return desk_.stats; }

private:
    struct Slot {
        Talk talk;
        cmd::LoadWire wire;
        std::size_t end = 0, tried = 0;  // of the place's
        bool dialling = false, wants_write = false;
        Tick last = 0;  // when octets moved, either way
    };

    Tick now() const { return sys::micros_since(start_).count(); }
    void drive(std::size_t which);
    bool dial(std::size_t which);
    bool dial_failed(Slot& slot, const Error& error);
    void settle(std::size_t which);
    bool flush(std::size_t which);
    bool secure(std::size_t which);
    Talk::Secured secured(const Slot& slot) const;
    void receive(Slot& slot);
    void close(Slot& slot);
    void hang_up(Slot& slot);
    void take_timers();
    void take_timeouts(Tick at);
    void publish(Tick at);

    const Place& place_;
    Window& window_;
    std::chrono::steady_clock::time_point start_;
    Desk desk_;
    sys::Lender lender_;  // of the plan's content
    std::vector<Slot> slots_;
    std::size_t active_ = 0, sources_ = 0;
    std::size_t good_end_ = 0;  // the one that answered last
    std::unique_ptr<sys::Events> events_;
    using Timer = std::pair<Tick, std::size_t>;
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
    std::unique_ptr<tls::ClientContext> tls_;
    std::vector<char> room_, plain_;
    Tick next_look_ = 0, next_show_ = 0;
};

}  // namespace greylag::source
