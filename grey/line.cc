#include "grey/line.hh"

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::grey {

namespace {

constexpr std::string_view mark = " greylist passed";

std::string_view first_word(std::string_view text) {
    text = base::trim(text.substr(0, text.find('#')));
    std::size_t end = 0;
    while (end < text.size() && !base::is_blank(text[end]) && text[end] != '\r') ++end;
    return text.substr(0, end);
}

std::optional<int> number(std::string_view text) {
    const auto value = base::parse_number<unsigned>(text);
    return value && *value < 10'000 ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

// Exactly what timestamp() writes.
std::optional<std::int64_t> moment(std::string_view t) {
    if (t.size() != 20) return std::nullopt;
    const auto year = number(t.substr(0, 4)), month = number(t.substr(5, 2)), day = number(t.substr(8, 2));
    const auto hour = number(t.substr(11, 2)), minute = number(t.substr(14, 2)), second = number(t.substr(17, 2));
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    base::Calendar c;
    c.year = *year, c.month = *month, c.day = *day, c.hour = *hour, c.minute = *minute, c.second = *second;
    if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31 || c.hour > 23 || c.minute > 59 || c.second > 60)
        return std::nullopt;
    const std::int64_t seconds = base::seconds_of(c, 0);
    return timestamp(seconds) == t ? std::optional(seconds) : std::nullopt;
}

}  // namespace

Line read_line(std::string_view text) {
    const std::string_view word = first_word(text);
    if (word.empty()) return {};
    if (word.find('/') != std::string_view::npos) {
        if (const auto network = mail::Cidr::parse(word)) return {Line::What::network, *network};
    } else if (const auto address = mail::IpAddress::parse(word)) {
        return {Line::What::network, mail::Cidr(*address, address->bits())};
    }
    return {Line::What::unreadable, std::nullopt};
}

std::string complaint(std::string_view text) {
    return "expected an address or a network with its bits, not " + base::quoted(first_word(text), 60);
}

std::string timestamp(std::int64_t seconds) { return base::show_calendar(base::calendar({seconds, 0})) + 'Z'; }

std::string own_line(const mail::Cidr& network, std::int64_t seconds) {
    return network.text() + " # " + timestamp(seconds).append(mark) + "\n";
}

std::string allowed_line(const mail::Cidr& network, std::int64_t seconds) {
    return network.text() + " # " + timestamp(seconds) + " allowed\n";
}

std::optional<std::int64_t> own_mark(std::string_view text) {
    const std::size_t hash = text.find('#');
    if (hash == std::string_view::npos) return std::nullopt;
    const std::string_view comment = text.substr(hash);
    if (!comment.starts_with("# ") || !comment.ends_with(mark) || comment.size() != 2 + 20 + mark.size()) return std::nullopt;
    return moment(comment.substr(2, 20));
}

}  // namespace greylag::grey
