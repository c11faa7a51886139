#include "cmd/smtp-source/desk.hh"

#include <limits>

namespace greylag::source {

Ledger::Ledger(std::uint64_t messages, double rate, base::Millis duration)
    : messages_(messages),
      rate_(rate),
      until_(duration.count() == 0 ? std::numeric_limits<Tick>::max() : duration.count() * 1000) {}

std::optional<Job> Ledger::claim(Tick now) {
    if (stopped() || now >= until_) return std::nullopt;
    const std::uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
    if (number >= messages_) return std::nullopt;
    const Tick due = rate_ > 0 ? static_cast<Tick>(static_cast<double>(number) * 1e6 / rate_) : 0;
    if (due >= until_) return std::nullopt;
    return Job{number, due};
}

}  // namespace greylag::source
