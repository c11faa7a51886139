// Where the sessions of a run get their messages from and tell what became of them. The Ledger is all threads'; a Desk is one
// thread's. No clock, no system.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "cmd/smtp-source/content.hh"
#include "cmd/smtp-source/order.hh"
#include "cmd/smtp-source/stats.hh"
#include "sasl/mechanism.hh"

namespace greylag::source {

struct Job {
    std::uint64_t number = 0;  // from 0, once in a run
    Tick due = 0;              // not to begin before
};

class Ledger {
public:
    Ledger(std::uint64_t messages, double rate, base::Millis duration);

    // The next message; nothing when there is none left, or when it is too late to begin one.
    std::optional<Job> claim(Tick now);
    void stop() { stopped_.store(true, std::memory_order_relaxed); }
    bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> next_{0};
    std::atomic<bool> stopped_{false};
    std::uint64_t messages_;
    double rate_;
    Tick until_;
};

// Everything that stays the same for a whole run.
struct Plan {
    Order order;
    Content content;
    std::string password;
    sasl::Digests digests;
    std::string (*nonce)() = nullptr;
    std::function<void(std::string_view line)> say;  // a line for people, without its end
};

struct Desk {
    Desk(const Plan& p, Ledger& l, std::uint64_t seed) : plan(p), ledger(l), dice(seed) {}
    const Plan& plan;
    Ledger& ledger;
    Dice dice;
    Stats stats;
    std::uint64_t dots = 0;  // final dots said: what -c counts
    bool said_no_pipelining = false;
};

}  // namespace greylag::source
