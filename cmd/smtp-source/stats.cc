#include "cmd/smtp-source/stats.hh"

#include <sysexits.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace greylag::source {

std::size_t Histogram::bucket(Tick micros) {
    const auto value = static_cast<std::uint64_t>(std::max<Tick>(micros, 0));
    if (value < (1U << sub_bits)) return static_cast<std::size_t>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - sub_bits;
    const std::size_t in_octave = static_cast<std::size_t>(value >> shift) - (1U << sub_bits);
    return std::min(((shift + 1U) << sub_bits) + in_octave, buckets - 1);
}

Tick Histogram::lowest(std::size_t bucket) {
    if (bucket < (1U << sub_bits)) return static_cast<Tick>(bucket);
    const std::size_t shift = (bucket >> sub_bits) - 1;
    const std::size_t in_octave = bucket & ((1U << sub_bits) - 1);
    return static_cast<Tick>(((1ULL << sub_bits) + in_octave) << shift);
}

void Histogram::add(Tick micros) {
    micros = std::max<Tick>(micros, 0);
    ++counts_[bucket(micros)];
    least_ = count_ == 0 ? micros : std::min(least_, micros);
    most_ = std::max(most_, micros);
    sum_ += static_cast<double>(micros);
    ++count_;
}

void Histogram::add(const Histogram& other) {
    if (other.count_ == 0) return;
    for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
    least_ = count_ == 0 ? other.least_ : std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
    sum_ += other.sum_;
    count_ += other.count_;
}

Tick Histogram::percentile(double percent) const {
    if (count_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100.0));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
        seen += counts_[i];
        if (seen >= std::max<std::uint64_t>(rank, 1)) return std::clamp(lowest(i + 1) - 1, least_, most_);
    }
    return most_;
}

std::uint64_t Histogram::between(Tick from, Tick to) const {
    std::uint64_t sum = 0;
    for (std::size_t i = bucket(from); i < buckets && lowest(i) < to; ++i)
        if (lowest(i) >= from) sum += counts_[i];
    return sum;
}

std::string_view name(Phase phase) {
    switch (phase) {
        case Phase::connect: return "connect";
        case Phase::tls: return "tls";
        case Phase::greeting: return "greeting";
        case Phase::hello: return "hello";
        case Phase::auth: return "auth";
        case Phase::mail: return "mail";
        case Phase::rcpt: return "rcpt";
        case Phase::data: return "data";
        case Phase::message: return "message";
        case Phase::quit: return "quit";
        case Phase::whole: return "whole";
    }
    return {};
}

std::string_view name(Failure failure) {
    switch (failure) {
        case Failure::refused: return "refused";
        case Failure::later: return "later";
        case Failure::lost: return "lost";
        case Failure::timeout: return "timeout";
        case Failure::unreachable: return "unreachable";
        case Failure::protocol: return "protocol";
        case Failure::tls: return "tls";
        case Failure::auth: return "auth";
    }
    return {};
}

std::uint64_t Stats::failed_in_all() const {
    std::uint64_t sum = 0;
    for (const auto count : failed) sum += count;
    return sum;
}

void Stats::add(const Stats& other) {
    for (std::size_t i = 0; i < latency.size(); ++i) latency[i].add(other.latency[i]);
    sent += other.sent;
    recipients += other.recipients;
    bytes += other.bytes;
    connections += other.connections;
    for (std::size_t i = 0; i < failed.size(); ++i) failed[i] += other.failed[i];
    for (const auto& [code, count] : other.codes) codes[code] += count;
}

int verdict(const Stats& stats) {
    const auto any = [&](std::initializer_list<Failure> kinds) {
        return std::any_of(kinds.begin(), kinds.end(), [&](Failure f) { return stats.failed[static_cast<std::size_t>(f)] != 0; });
    };
    if (any({Failure::auth})) return EX_NOPERM;
    if (any({Failure::tls, Failure::protocol})) return EX_PROTOCOL;
    if (any({Failure::later, Failure::lost, Failure::timeout, Failure::unreachable})) return EX_TEMPFAIL;
    return any({Failure::refused}) ? EX_UNAVAILABLE : EX_OK;
}

}  // namespace greylag::source
