#include "base/ascii.hh"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace greylag::base {

// Eight octets at a time: every start reads a configuration file that is mostly comments.
bool all_printable(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t tops = 0x80 * ones;
    for (; text.size() >= 8; text.remove_prefix(8)) {
        std::uint64_t octets = 0;
        std::memcpy(&octets, text.data(), 8);
        const std::uint64_t is_delete = octets ^ 0x7f * ones;
        // An octet below 0x20 borrows into its top bit, and so does a zero; what borrows from a neighbour only refuses more.
        if (((octets | (octets - 0x20 * ones) | (is_delete - ones)) & tops) != 0) break;
    }
    return std::all_of(text.begin(), text.end(), is_printable);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = to_lower(c);
    return out;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = to_upper(c);
    return out;
}

bool iequals(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool istarts_with(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

bool iends_with(std::string_view text, std::string_view suffix) {
    return text.size() >= suffix.size() && iequals(text.substr(text.size() - suffix.size()), suffix);
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return text.substr(0, 0);
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> pieces;
    while (const auto parts = cut(text, separator)) {
        pieces.push_back(parts->first);
        text = parts->second;
    }
    pieces.push_back(text);
    return pieces;
}

std::vector<std::string_view> words(std::string_view text, std::string_view extra) {
    std::vector<std::string_view> pieces;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && !is_blank(text[i]) && extra.find(text[i]) == std::string_view::npos) continue;
        if (i > begin) pieces.push_back(text.substr(begin, i - begin));
        begin = i + 1;
    }
    return pieces;
}

std::optional<std::pair<std::string_view, std::string_view>> cut(std::string_view text, char separator) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) return std::nullopt;
    return std::pair{text.substr(0, at), text.substr(at + 1)};
}

std::string padded(int number, std::size_t width, char fill) {
    std::string digits = std::to_string(number);
    if (digits.size() < width) digits.insert(0, width - digits.size(), fill);
    return digits;
}

}  // namespace greylag::base
