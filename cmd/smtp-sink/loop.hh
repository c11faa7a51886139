// One thread's clients of the sink: sockets and timers around many a Session.
#pragma once
#include <chrono>
#include <memory>
#include <queue>
#include <vector>

#include "cmd/load_wire.hh"
#include "cmd/smtp-sink/session.hh"
#include "sys/clock.hh"
#include "sys/events.hh"
#include "tls/server.hh"

namespace greylag::sink {

class Loop {
public:
    // `listeners` are all threads'; `room` is how many clients this one takes at a time.
    Loop(const House& house, std::vector<int> listeners, unsigned room, const tls::ServerContext* tls,
         std::chrono::steady_clock::time_point start);

    // Until `stop` is set or the totals say that it is enough.
    Result<void> run(const std::atomic<bool>& stop);

private:
    struct Slot {
        cmd::LoadWire wire;
        std::unique_ptr<Session> session;
        std::size_t written = 0;  // of the session's output
        bool reads = true, writes = false;
        Tick last = 0;
    };

    Tick now() const { return sys::micros_since(start_).count(); }
    bool enough() const;
    Result<void> welcome(int listener);
    void open(sys::Fd fd);
    void drive(std::size_t which);
    bool flush(Slot& slot);
    bool secure(Slot& slot);
    void receive(Slot& slot);
    void watch(std::size_t which);
    void end(std::size_t which, bool lost);
    void take_timers();
    void take_timeouts(Tick at);
    void crowd();

    House house_;
    std::vector<int> listeners_;
    unsigned most_;
    const tls::ServerContext* tls_;
    std::chrono::steady_clock::time_point start_;
    std::unique_ptr<sys::Events> events_;
    std::vector<Slot> slots_;
    std::vector<std::size_t> free_, ended_;
    bool listening_ = true;
    using Timer = std::pair<Tick, std::size_t>;
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
    std::vector<char> room_, plain_;
    Tick next_look_ = 0;
};

}  // namespace greylag::sink
