#include "base/punycode.hh"

#include <algorithm>
#include <cstdint>

#include "base/ascii.hh"
#include "base/utf8.hh"

namespace greylag::base {

namespace {

// RFC 3492 5.
constexpr std::uint32_t base = 36, least = 1, most = 26, skew = 38, damp = 700, first_bias = 72, first_code = 128;

std::u32string code_points(std::string_view text) {
    std::u32string out;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        // The lead octet keeps what its length marks leave: 7, 5, 4 or 3 bits.
        auto point = static_cast<std::uint32_t>(static_cast<unsigned char>(text[0])) & (length == 1 ? 0x7fu : 0x7fu >> length);
        for (std::size_t i = 1; i < length; ++i) point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
        out += static_cast<char32_t>(point);
        text.remove_prefix(length);
    }
    return out;
}

std::uint32_t threshold(std::uint32_t place, std::uint32_t bias) {
    return std::clamp(place <= bias ? 0u : place - bias, least, most);
}

// A number whose digits end by themselves: each place has its own threshold below which a digit is the last (RFC 3492 3.3).
void append_number(std::string& out, std::uint32_t number, std::uint32_t bias) {
    constexpr std::string_view digits = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (std::uint32_t place = base;; place += base) {
        const std::uint32_t limit = threshold(place, bias);
        if (number < limit) {
            out += digits[number];
            return;
        }
        out += digits[limit + (number - limit) % (base - limit)];
        number = (number - limit) / (base - limit);
    }
}

std::uint32_t adapted(std::uint32_t delta, std::uint32_t points, bool first) {
    delta /= first ? damp : 2;
    delta += delta / points;
    std::uint32_t bias = 0;
    for (; delta > (base - least) * most / 2; bias += base) delta /= base - least;
    return bias + (base - least + 1) * delta / (delta + skew);
}

}  // namespace

std::optional<std::string> ascii_label(std::string_view label) {
    if (is_ascii(label)) return std::string(label);
    if (!is_utf8(label) || label.size() > 4u * 63u) return std::nullopt;
    const std::u32string points = code_points(label);
    const bool hidden = points.size() > 3 && points[2] == U'-' && points[3] == U'-';
    if (hidden || label.front() == '-' || label.back() == '-') return std::nullopt;
    std::string out = "xn--";
    for (const char32_t c : points)
        if (c < first_code) out += to_lower(static_cast<char>(c));
    const auto plain = static_cast<std::uint32_t>(out.size() - 4);
    if (plain > 0) out += '-';

    std::uint32_t code = first_code, delta = 0, bias = first_bias;
    for (std::uint32_t done = plain; done < points.size(); ++delta, ++code) {
        std::uint32_t next = 0x10ffff;
        for (const char32_t c : points)
            if (c >= code) next = std::min(next, static_cast<std::uint32_t>(c));
        // 252 points and 21 bits: 32 bits cannot overflow.
        delta += (next - code) * (done + 1);
        code = next;
        for (const char32_t c : points) {
            if (c < code) ++delta;
            if (c != code) continue;
            append_number(out, delta, bias);
            bias = adapted(delta, done + 1, done == plain);
            delta = 0;
            ++done;
        }
    }
    if (out.size() > 63) return std::nullopt;
    return out;
}

std::optional<std::string> ascii_name(std::string_view name) {
    if (is_ascii(name)) return std::string(name);
    std::string out;
    for (const std::string_view text : split(name, '.')) {
        const auto label = ascii_label(text);
        if (!label) return std::nullopt;
        out += *label + '.';
    }
    out.pop_back();
    return out;
}

}  // namespace greylag::base
