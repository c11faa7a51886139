#include "base/time.hh"

#include <algorithm>
#include <iterator>

#include "base/ascii.hh"

namespace greylag::base {
namespace {

constexpr std::int64_t day_seconds = 86400;
// std::chrono's years are 16 bits wide.
constexpr std::int64_t latest = std::int64_t{32000 - 1970} * 365 * day_seconds;

struct Unit {
    std::string_view name;
    std::int64_t millis;
};
constexpr Unit units[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}};
constexpr std::int64_t longest = std::int64_t{36525} * 86'400'000;

}  // namespace

Calendar calendar(WallTime when) {
    const std::int64_t local = std::clamp(when.seconds, -latest, latest) + std::int64_t{when.offset_minutes} * 60;
    const auto days = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{Seconds{local}});
    const std::chrono::year_month_day date{days};
    const int in_day = static_cast<int>(local - std::int64_t{days.time_since_epoch().count()} * day_seconds);
    return {.year = static_cast<int>(date.year()),
            .month = static_cast<int>(static_cast<unsigned>(date.month())),
            .day = static_cast<int>(static_cast<unsigned>(date.day())),
            .hour = in_day / 3600,
            .minute = in_day / 60 % 60,
            .second = in_day % 60,
            .weekday = static_cast<int>(std::chrono::weekday{days}.c_encoding())};
}

std::int64_t seconds_of(const Calendar& c, int offset_minutes) {
    const std::chrono::year_month_day date{std::chrono::year{c.year}, std::chrono::month{static_cast<unsigned>(c.month)},
                                           std::chrono::day{static_cast<unsigned>(c.day)}};
    const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
    return days * day_seconds + c.hour * 3600 + (c.minute - offset_minutes) * 60 + c.second;
}

std::optional<Millis> parse_duration(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_number<std::uint64_t>(text.substr(0, digits));
    if (!number) return std::nullopt;
    const std::string_view name = digits == text.size() ? std::string_view{"s"} : text.substr(digits);
    const auto* unit = std::find_if(std::begin(units), std::end(units), [&](const Unit& u) { return u.name == name; });
    if (unit == std::end(units) || *number > static_cast<std::uint64_t>(longest / unit->millis)) return std::nullopt;
    return Millis{static_cast<std::int64_t>(*number) * unit->millis};
}

std::string show_calendar(const Calendar& c) {
    return padded(c.year, 4) + '-' + padded(c.month, 2) + '-' + padded(c.day, 2) + 'T' + padded(c.hour, 2) + ':' +
           padded(c.minute, 2) + ':' + padded(c.second, 2);
}

std::string show_duration(Millis d) {
    if (d.count() == 0) return "0s";
    const auto* unit = std::find_if(std::begin(units), std::end(units), [&](const Unit& u) { return d.count() % u.millis == 0; });
    return std::to_string(d.count() / unit->millis).append(unit->name);
}

}  // namespace greylag::base
