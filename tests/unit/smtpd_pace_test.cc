#include "cmd/smtpd/pace.hh"

#include "tests/support/test.hh"

using namespace greylag;
using base::Millis;

TEST_CASE("pace: what is too slow") {
    struct Case {
        std::uint64_t octets;
        long seconds;
        bool slow;
    };
    const Case cases[] = {
        {0, 0, false},           {0, 29, false},           {0, 30, true},
        {1, 30, true},           {14'999, 30, true},       {15'000, 30, false},
        {15'000, 31, true},      {49'999, 100, true},      {50'000, 100, false},
        {1'799'999, 3600, true}, {1'800'000, 3600, false}, {~std::uint64_t{0}, 1L << 40, false},
    };
    for (const auto& c : cases) {
        CAPTURE(c.octets);
        CAPTURE(c.seconds);
        CHECK(smtpd::too_slow(c.octets, Millis{c.seconds * 1000}) == c.slow);
    }
    CHECK(!smtpd::too_slow(0, Millis{-1}));
    CHECK(!smtpd::too_slow(500, Millis{29'999}));
}
