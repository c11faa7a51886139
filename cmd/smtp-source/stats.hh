// What was measured, as values: filled by one thread, added up afterwards. No clock is asked here.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace greylag::source {

using Tick = std::int64_t;  // microseconds since the run began

// Durations in microseconds. A bucket is a thirty-second of a power of two, so that no answer is off by more than 3%; least
// and most are exact. Recording is an addition, and never asks for memory.
class Histogram {
public:
    void add(Tick micros);
    void add(const Histogram& other);

    std::uint64_t count() const { return count_; }
    Tick least() const { return count_ == 0 ? 0 : least_; }
    Tick most() const { return most_; }
    double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
    Tick percentile(double percent) const;            // the highest duration of its bucket; 0 when nothing was recorded
    std::uint64_t between(Tick from, Tick to) const;  // in buckets that begin in [from, to)

    static constexpr unsigned sub_bits = 5;
    static constexpr std::size_t buckets = (40 - sub_bits) << sub_bits;  // up to a week
    static std::size_t bucket(Tick micros);
    static Tick lowest(std::size_t bucket);

private:
    std::array<std::uint64_t, buckets> counts_{};
    std::uint64_t count_ = 0;
    double sum_ = 0;
    Tick least_ = 0, most_ = 0;
};

// What is waited for. `message`: from the end of the body to its reply; `whole`: from MAIL to that reply.
enum class Phase : std::uint8_t { connect, tls, greeting, hello, auth, mail, rcpt, data, message, quit, whole };
inline constexpr std::array phases{Phase::connect, Phase::tls,  Phase::greeting, Phase::hello, Phase::auth, Phase::mail,
                                   Phase::rcpt,    Phase::data, Phase::message,  Phase::quit,  Phase::whole};
std::string_view name(Phase phase);

// Why a message was not taken; also what the exit status is made of.
enum class Failure : std::uint8_t { refused, later, lost, timeout, unreachable, protocol, tls, auth };
inline constexpr std::array failures{Failure::refused,     Failure::later,    Failure::lost, Failure::timeout,
                                     Failure::unreachable, Failure::protocol, Failure::tls,  Failure::auth};
std::string_view name(Failure failure);

struct Stats {
    std::array<Histogram, phases.size()> latency;
    std::uint64_t sent = 0;        // messages taken
    std::uint64_t recipients = 0;  // of these
    std::uint64_t bytes = 0;       // of messages taken, header and body as they travelled
    std::uint64_t connections = 0;
    std::array<std::uint64_t, failures.size()> failed{};  // messages that were not taken
    std::map<std::uint16_t, std::uint64_t> codes;         // replies that refused something, by code

    void timed(Phase phase, Tick micros) { latency[static_cast<std::size_t>(phase)].add(micros); }
    const Histogram& of(Phase phase) const { return latency[static_cast<std::size_t>(phase)]; }
    std::uint64_t failed_in_all() const;
    void add(const Stats& other);
};

// sysexits: 0 all taken; 77 authentication; 76 protocol or TLS; 75 anything that may succeed later; 69 the rest.
int verdict(const Stats& stats);

}  // namespace greylag::source
