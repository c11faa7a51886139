// ASCII text without locale: character classes, case, trimming, strict numbers.
//
// Every byte above 127 belongs to no class. Case folding touches A-Z only.
#pragma once
#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace greylag::base {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_alpha(char c) { return is_upper(c) || is_lower(c); }
constexpr bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_xdigit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_ctl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
constexpr bool is_8bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }
constexpr bool is_printable(char c) { return c >= 0x20 && c < 0x7f; }  // space included

constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - ('a' - 'A')) : c; }
bool all_printable(std::string_view text);  // true for nothing, too
std::string lower(std::string_view text);
std::string upper(std::string_view text);

// Equal but for ASCII case.
bool iequals(std::string_view a, std::string_view b);
bool istarts_with(std::string_view text, std::string_view prefix);
bool iends_with(std::string_view text, std::string_view suffix);

// Without the blanks (space, tab, CR, LF) at both ends. The result points into `text`.
std::string_view trim(std::string_view text);

// The pieces between `separator`, empty ones kept: split("a,,b", ',') is {"a", "", "b"}; split("", ',') is {""}.
// The pieces point into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
template <std::same_as<std::string> Temporary>
std::vector<std::string_view> split(Temporary&& text, char separator) = delete;  // they would point into nothing

// The pieces between runs of blanks and any of `extra`; no empty piece. The pieces point into `text`.
std::vector<std::string_view> words(std::string_view text, std::string_view extra = {});
template <std::same_as<std::string> Temporary>
std::vector<std::string_view> words(Temporary&& text, std::string_view extra = {}) = delete;

// The whole of `text` as an unsigned decimal number without sign or blanks, or nothing (also when it does not fit).
template <std::unsigned_integral T>
constexpr std::optional<T> parse_number(std::string_view text) {
    T value{};
    const char* end = text.data() + text.size();
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return value;
}

// A number that is not negative, as wide as that at least.
std::string padded(int number, std::size_t width, char fill = '0');

// Splits at the first `separator`: {before, after}; nothing when there is none.
std::optional<std::pair<std::string_view, std::string_view>> cut(std::string_view text, char separator);

}  // namespace greylag::base
