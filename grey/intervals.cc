#include "grey/intervals.hh"

#include <algorithm>

namespace greylag::grey {

namespace {

std::uint32_t v4_number(const mail::IpAddress& address) {
    std::uint32_t out = 0;
    for (std::size_t i = 12; i < 16; ++i) out = out << 8 | address.bytes()[i];
    return out;
}

std::uint64_t first_of(std::uint64_t v4) { return v4 >> 32; }
std::uint64_t last_of(std::uint64_t v4) { return v4 & 0xffff'ffff; }

}  // namespace

void Intervals::add(const mail::Cidr& network) {
    const auto& first = network.address();
    if (first.is_v4()) {
        const std::uint32_t begin = v4_number(first);
        const std::uint32_t hosts = network.bits() == 0 ? ~0u : (1u << (32 - network.bits())) - 1;
        v4_.push_back(static_cast<std::uint64_t>(begin) << 32 | (begin | hosts));
    } else {
        v6_.push_back({first.bytes(), network.last().bytes()});
    }
}

void Intervals::finish() {
    std::sort(v4_.begin(), v4_.end());
    std::size_t kept = 0;
    for (const std::uint64_t next : v4_) {
        if (kept > 0 && first_of(next) <= last_of(v4_[kept - 1])) {
            auto& before = v4_[kept - 1];
            before = first_of(before) << 32 | std::max(last_of(before), last_of(next));
        } else {
            v4_[kept++] = next;
        }
    }
    v4_.resize(kept);

    std::sort(v6_.begin(), v6_.end());
    kept = 0;
    for (const Interval6& next : v6_) {
        if (kept > 0 && next.first <= v6_[kept - 1].last)
            v6_[kept - 1].last = std::max(v6_[kept - 1].last, next.last);
        else
            v6_[kept++] = next;
    }
    v6_.resize(kept);
}

}  // namespace greylag::grey
