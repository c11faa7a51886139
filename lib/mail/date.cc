#include "mail/date.hh"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "base/ascii.hh"
#include "mail/comment.hh"

namespace greylag::mail {
namespace {

constexpr std::string_view days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Zone {
    std::string_view name;
    int hours;
};
constexpr Zone zones[] = {{"EDT", -4}, {"EST", -5}, {"CDT", -5}, {"CST", -6}, {"MDT", -6}, {"MST", -7}, {"PDT", -7}, {"PST", -8}};

std::string clock_text(const base::Calendar& c) {
    return base::padded(c.hour, 2) + ":" + base::padded(c.minute, 2) + ":" + base::padded(c.second, 2);
}

std::string_view day_name(const base::Calendar& c) { return days[static_cast<std::size_t>(c.weekday)]; }
std::string_view month_name(const base::Calendar& c) { return months[static_cast<std::size_t>(c.month - 1)]; }

// The words of a date, blanks and comments between them skipped. Each function takes what it names, or nothing.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(skip_comments(text)) {}

    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        advance(1);
        return true;
    }
    std::string_view digits(std::size_t least, std::size_t most) { return run(base::is_digit, least, most); }
    std::string_view word() { return run(base::is_alpha, 1, rest_.size()); }
    std::optional<int> number(std::size_t least, std::size_t most) {
        const auto value = base::parse_number<unsigned>(digits(least, most));
        return value ? std::optional{static_cast<int>(*value)} : std::nullopt;
    }
    bool at_end() const { return rest_.empty(); }

private:
    std::string_view run(bool (*is_in)(char), std::size_t least, std::size_t most) {
        std::size_t size = 0;
        while (size < rest_.size() && is_in(rest_[size])) ++size;
        if (size < least || size > most) return {};
        return advance(size);
    }
    std::string_view advance(std::size_t size) {
        const std::string_view taken = rest_.substr(0, size);
        rest_ = skip_comments(rest_.substr(size));
        return taken;
    }
    std::string_view rest_;
};

template <class Names>
std::optional<int> index_of(const Names& names, std::string_view word) {
    const auto* found =
        std::find_if(std::begin(names), std::end(names), [&](std::string_view n) { return base::iequals(n, word); });
    if (found == std::end(names)) return std::nullopt;
    return static_cast<int>(found - std::begin(names));
}

// RFC 5322 4.3: two and three digits are years of the last century but for 00-49.
std::optional<int> scan_year(Scanner& in) {
    const std::string_view digits = in.digits(2, 4);
    const auto value = base::parse_number<unsigned>(digits);
    if (!value) return std::nullopt;
    const int year = static_cast<int>(*value);
    if (digits.size() == 2) return year < 50 ? 2000 + year : 1900 + year;
    if (digits.size() == 3) return 1900 + year;
    return year >= 1900 ? std::optional{year} : std::nullopt;
}

// Minutes east of UTC. RFC 5322 4.3: an alphabetic zone nobody can know is UTC.
std::optional<int> scan_zone(Scanner& in) {
    const bool west = in.take('-');
    if (west || in.take('+')) {
        const auto value = in.number(4, 4);
        if (!value || *value / 100 > 23 || *value % 100 > 59) return std::nullopt;
        const int minutes = *value / 100 * 60 + *value % 100;
        return west ? -minutes : minutes;
    }
    const std::string_view word = in.word();
    if (word.empty()) return std::nullopt;
    for (const Zone& zone : zones)
        if (base::iequals(zone.name, word)) return zone.hours * 60;
    return 0;
}

bool scan_day(Scanner& in, base::Calendar& c) {
    if (const std::string_view weekday = in.word(); !weekday.empty() && (!index_of(days, weekday) || !in.take(','))) return false;
    const auto day = in.number(1, 2);
    const auto month = index_of(months, in.word());
    const auto year = scan_year(in);
    if (!day || !month || !year) return false;
    c.day = *day;
    c.month = *month + 1;
    c.year = *year;
    const base::Calendar same = base::calendar({base::seconds_of(c, 0), 0});
    return same.day == c.day && same.month == c.month;
}

bool scan_time(Scanner& in, base::Calendar& c) {
    constexpr int none = 99;
    c.hour = in.number(2, 2).value_or(none);
    c.minute = in.take(':') ? in.number(2, 2).value_or(none) : none;
    c.second = in.take(':') ? in.number(2, 2).value_or(none) : 0;
    return c.hour <= 23 && c.minute <= 59 && c.second <= 60;
}

}  // namespace

std::string rfc5322_date(base::WallTime when) {
    const base::Calendar c = base::calendar(when);
    const int offset = std::abs(when.offset_minutes);
    std::string out{day_name(c)};
    out.append(", ").append(base::padded(c.day, 2)).append(" ").append(month_name(c)).append(" ").append(base::padded(c.year, 4));
    out.append(" ").append(clock_text(c)).append(when.offset_minutes < 0 ? " -" : " +");
    return out.append(base::padded(offset / 60 * 100 + offset % 60, 4));
}

std::string ctime_date(base::WallTime when) {
    const base::Calendar c = base::calendar(when);
    std::string out{day_name(c)};
    out.append(" ").append(month_name(c)).append(" ").append(base::padded(c.day, 2, ' ')).append(" ").append(clock_text(c));
    return out.append(" ").append(base::padded(c.year, 4));
}

std::optional<base::WallTime> parse_date(std::string_view text) {
    Scanner in(text);
    base::Calendar c;
    if (!scan_day(in, c) || !scan_time(in, c)) return std::nullopt;
    const auto offset = scan_zone(in);
    if (!offset || !in.at_end()) return std::nullopt;
    return base::WallTime{base::seconds_of(c, *offset), *offset};
}

}  // namespace greylag::mail
