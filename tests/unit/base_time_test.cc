#include <random>

#include "base/time.hh"
#include "tests/support/test.hh"

using namespace greylag::base;

namespace {

bool same(const Calendar& a, const Calendar& b) {
    return a.year == b.year && a.month == b.month && a.day == b.day && a.hour == b.hour && a.minute == b.minute &&
           a.second == b.second && a.weekday == b.weekday;
}

}  // namespace

TEST_CASE("time: known moments") {
    const struct {
        WallTime when;
        Calendar shown;
    } cases[] = {
        {{0, 0}, {1970, 1, 1, 0, 0, 0, 4}},          {{-1, 0}, {1969, 12, 31, 23, 59, 59, 3}},
        {{951782400, 0}, {2000, 2, 29, 0, 0, 0, 2}}, {{1795301044, 60}, {2026, 11, 21, 23, 44, 4, 6}},
        {{0, -1439}, {1969, 12, 31, 0, 1, 0, 3}},    {{4102444800, 0}, {2100, 1, 1, 0, 0, 0, 5}},
        {{-62135596800, 0}, {1, 1, 1, 0, 0, 0, 1}},  {{-62167219200, 0}, {0, 1, 1, 0, 0, 0, 6}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.when.seconds);
        CHECK(same(calendar(c.when), c.shown));
        CHECK(seconds_of(c.shown, c.when.offset_minutes) == c.when.seconds);
    }
    // A leap second is the first second of the next minute.
    CHECK(seconds_of({2016, 12, 31, 23, 59, 60, 0}, 0) == 1483228800);
}

TEST_CASE("time: the calendar goes there and back over 5000 years either way") {
    std::mt19937_64 random(6);
    constexpr std::int64_t span = std::int64_t{5000} * 366 * 86400;
    for (int i = 0; i < 100000; ++i) {
        const WallTime when{static_cast<std::int64_t>(random() % (2 * span)) - span, static_cast<int>(random() % 2879) - 1439};
        const Calendar c = calendar(when);
        REQUIRE(seconds_of(c, when.offset_minutes) == when.seconds);
        REQUIRE(c.month >= 1);
        REQUIRE(c.month <= 12);
        REQUIRE(c.day >= 1);
        REQUIRE(c.day <= 31);
        REQUIRE(c.second <= 59);
    }
}

TEST_CASE("time: days follow each other, and so do weekdays") {
    Calendar before = calendar({-86400 * 800, 0});
    for (std::int64_t day = -799; day < 40000; ++day) {
        const Calendar c = calendar({86400 * day, 0});
        REQUIRE(c.weekday == (before.weekday + 1) % 7);
        const bool next_day = c.day == before.day + 1 && c.month == before.month;
        const bool next_month = c.day == 1 && (c.month == before.month + 1 || (c.month == 1 && c.year == before.year + 1));
        REQUIRE((next_day || next_month));
        before = c;
    }
}

TEST_CASE("time: a moment beyond the calendar is shown as its end, not as nonsense") {
    CHECK(calendar({INT64_MAX, 1439}).year > 30000);
    CHECK(calendar({INT64_MIN, -1439}).year < -25000);
}

TEST_CASE("time: durations") {
    using namespace std::chrono_literals;
    const struct {
        std::string_view text;
        Millis value;
    } good[] = {{"15s", 15s},     {"5m", 5min}, {"14h", 14h}, {"36d", 864h},
                {"200ms", 200ms}, {"7", 7s},    {"0", 0s},    {"36525d", 876600h}};
    for (const auto& c : good) CHECK(parse_duration(c.text) == c.value);
    for (const std::string_view bad : {"", "s", "-1s", "+1s", "1 s", "1.5h", "1w", "1S", "1sm", "36526d", "99999999999999999999",
                                       "3155760001s", " 1s", "1s "}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_duration(bad));
    }
    const std::pair<Millis, std::string_view> shown[] = {{5min, "5m"}, {90s, "90s"}, {200ms, "200ms"}, {0s, "0s"},
                                                         {24h, "1d"},  {25h, "25h"}, {60000ms, "1m"},  {61001ms, "61001ms"}};
    for (const auto& [value, text] : shown) CHECK(show_duration(value) == text);
    for (std::int64_t ms = 0; ms < 400'000'000; ms = ms * 3 / 2 + 1)
        CHECK(parse_duration(show_duration(Millis{ms})) == Millis{ms});
}
