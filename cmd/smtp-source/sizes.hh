// How large messages are, and the dice for it: pure, and the same for the same seed.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace greylag::source {

// Numbers that only have to look random (splitmix64).
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();
    std::uint64_t below(std::uint64_t limit);  // 0 when the limit is 0
    double unit();                             // in [0, 1)

private:
    std::uint64_t state_;
};

struct SizeModel {
    enum class Shape : std::uint8_t { fixed, uniform, exponential, normal, list };
    struct Weighed {
        std::uint64_t size = 0, weight = 1;
    };
    Shape shape = Shape::fixed;
    std::uint64_t a = 0, b = 0;  // the size; from and to; the mean; mean and deviation
    std::vector<Weighed> list;

    // "10k", "1k-100k", "exp:10k", "normal:10k,2k", "list:1k*9,1M*1". k, M and G are powers of 1000, as octets on the wire are.
    static Result<SizeModel> parse(std::string_view text);
    std::uint64_t draw(Dice& dice) const;  // never over `largest`
    std::uint64_t largest() const;

    static constexpr std::uint64_t most = 1'000'000'000;
};

}  // namespace greylag::source
