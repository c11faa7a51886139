// The same octets in other pieces, for the property that a split changes nothing.
#pragma once
#include <random>
#include <string_view>
#include <vector>

namespace greylag::test {

// seed 0: whole; 1: octet by octet; else cut at random, the same way for the same seed. The pieces point into `octets`.
inline std::vector<std::string_view> pieces(std::string_view octets, unsigned seed) {
    if (seed == 0) return {octets};
    std::vector<std::string_view> out;
    std::minstd_rand random(seed);
    const unsigned longest = seed == 1 ? 1 : 1 + seed % 17;
    while (!octets.empty()) {
        out.push_back(octets.substr(0, 1 + random() % longest));
        octets.remove_prefix(out.back().size());
    }
    return out;
}
constexpr unsigned piece_seeds = 202;  // whole, single octets, 200 at random

}  // namespace greylag::test
