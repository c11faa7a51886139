// A set of networks as sorted, disjoint intervals of addresses. Pure; IPv4 is kept in eight octets an interval, so that ten
// million of them fit into a small process.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "mail/ip.hh"

namespace greylag::grey {

struct Interval6 {
    std::array<std::uint8_t, 16> first, last;
    auto operator<=>(const Interval6&) const = default;
};

class Intervals {
public:
    void add(const mail::Cidr& network);
    void finish();  // sorts and joins what overlaps; nothing is added after it

    const std::vector<std::uint64_t>& v4() const { return v4_; }  // first address in the upper half, last in the lower
    const std::vector<Interval6>& v6() const { return v6_; }

private:
    std::vector<std::uint64_t> v4_;
    std::vector<Interval6> v6_;
};

}  // namespace greylag::grey
