#include "mail/ip.hh"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/hex.hh"

namespace greylag::mail {
namespace {

using base::fail;
constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::string named(std::string_view text) { return base::quoted(text, 80); }

// A leading zero is refused: half the world reads it as octal.
std::optional<unsigned> decimal(std::string_view text, unsigned most) {
    if (text.size() > 1 && text[0] == '0') return std::nullopt;
    const auto value = base::parse_number<unsigned>(text);
    return value && *value <= most ? value : std::nullopt;
}

struct Octets {
    std::array<std::uint8_t, 4> bytes{};
    std::size_t count = 0;
};

// One to four octets. Nothing is allocated: whitelists have millions of lines.
std::optional<Octets> octets(std::string_view text) {
    Octets out;
    for (;;) {
        const std::size_t dot = text.find('.');
        const auto value = decimal(text.substr(0, dot), 255);
        if (!value || out.count == 4) return std::nullopt;
        out.bytes[out.count++] = static_cast<std::uint8_t>(*value);
        if (dot == std::string_view::npos) return out;
        text.remove_prefix(dot + 1);
    }
}

std::optional<std::array<std::uint8_t, 4>> four_octets(std::string_view text) {
    const auto all = octets(text);
    return all && all->count == 4 ? std::optional(all->bytes) : std::nullopt;
}

std::optional<unsigned> group(std::string_view text) {
    if (text.empty() || text.size() > 4) return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        const auto digit = base::hex_value(c);
        if (!digit) return std::nullopt;
        value = value << 4 | *digit;
    }
    return value;
}

// The groups between single colons as bytes. Only the last piece of an address may be a dotted quad.
std::optional<std::vector<std::uint8_t>> groups(std::string_view text, bool quad_allowed) {
    std::vector<std::uint8_t> out;
    if (text.empty()) return out;
    const auto pieces = base::split(text, ':');
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (quad_allowed && i + 1 == pieces.size() && pieces[i].find('.') != std::string_view::npos) {
            const auto quad = four_octets(pieces[i]);
            if (!quad) return std::nullopt;
            out.insert(out.end(), quad->begin(), quad->end());
            break;
        }
        const auto value = group(pieces[i]);
        if (!value) return std::nullopt;
        out.push_back(static_cast<std::uint8_t>(*value >> 8));
        out.push_back(static_cast<std::uint8_t>(*value & 0xff));
    }
    return out;
}

unsigned group_at(const std::array<std::uint8_t, 16>& bytes, std::size_t i) {
    return static_cast<unsigned>(bytes[2 * i]) << 8 | bytes[2 * i + 1];
}

struct Run {
    std::size_t begin = 0, size = 0;
};

// RFC 5952 4.2: the longest run of zero groups, the first of equals, never a single group.
Run longest_zero_run(const std::array<std::uint8_t, 16>& bytes) {
    Run best, now;
    for (std::size_t i = 0; i < 8; ++i) {
        now = group_at(bytes, i) != 0 ? Run{i + 1, 0} : Run{now.begin, now.size + 1};
        if (now.size > best.size) best = now;
    }
    return best.size > 1 ? best : Run{};
}

void append_group(std::string& out, unsigned value) {
    bool begun = false;
    for (const unsigned shift : {12u, 8u, 4u, 0u}) {
        const unsigned digit = value >> shift & 15;
        begun = begun || digit != 0 || shift == 0;
        if (begun) out += base::hex_lower[digit];
    }
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
    IpAddress address;
    std::copy(bytes.begin(), bytes.end(), address.bytes_.begin() + 12);
    return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
    IpAddress address;
    address.bytes_ = bytes;
    address.family_ = std::equal(mapped.begin(), mapped.end(), bytes.begin()) ? Family::v4 : Family::v6;
    return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.find(':') != std::string_view::npos) return parse_v6(text);
    if (const auto bytes = four_octets(text)) return v4(*bytes);
    return fail(Kind::syntax, "bad IP address " + named(text));
}

Result<IpAddress> IpAddress::parse_v6(std::string_view text) {
    const auto bad = [&] { return fail(Kind::syntax, "bad IPv6 address " + named(text)); };
    const std::size_t gap = text.find("::");
    const bool has_gap = gap != std::string_view::npos;
    const auto front = groups(text.substr(0, has_gap ? gap : text.size()), !has_gap);
    const auto back = groups(has_gap ? text.substr(gap + 2) : std::string_view{}, true);
    if (!front || !back) return bad();
    const std::size_t have = front->size() + back->size();
    if (has_gap ? have > 14 : have != 16) return bad();
    std::array<std::uint8_t, 16> bytes{};
    std::copy(front->begin(), front->end(), bytes.begin());
    std::copy_backward(back->begin(), back->end(), bytes.end());
    return v6(bytes);
}

Result<IpAddress> IpAddress::parse_literal(std::string_view text) {
    constexpr std::string_view tag = "IPv6:";
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
        const std::string_view inside = text.substr(1, text.size() - 2);
        if (base::istarts_with(inside, tag)) return parse_v6(inside.substr(tag.size()));
        if (const auto bytes = four_octets(inside)) return v4(*bytes);
    }
    return fail(Kind::syntax, "bad address literal " + named(text));
}

bool IpAddress::is_loopback() const {
    if (is_v4()) return bytes_[12] == 127;
    return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; });
}

std::string IpAddress::text() const {
    std::string out;
    if (is_v4()) {
        for (std::size_t i = 12; i < 16; ++i) {
            if (i > 12) out += '.';
            out += std::to_string(bytes_[i]);
        }
        return out;
    }
    const Run gap = longest_zero_run(bytes_);
    for (std::size_t i = 0; i < 8; ++i) {
        if (gap.size != 0 && i == gap.begin) {
            out += "::";
            i += gap.size - 1;
            continue;
        }
        if (!out.empty() && out.back() != ':') out += ':';
        append_group(out, group_at(bytes_, i));
    }
    return out;
}

std::string IpAddress::literal() const { return (is_v4() ? "[" : "[IPv6:") + text() + "]"; }

Cidr::Cidr(IpAddress address, int bits) : address_(address), bits_(std::clamp(bits, 0, address.bits())) {
    const int kept = bits_ + 128 - address_.bits();
    for (int i = kept / 8; i < 16; ++i) {
        const int here = i == kept / 8 ? kept % 8 : 0;
        address_.bytes_[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff00 >> here);
    }
}

Result<Cidr> Cidr::parse(std::string_view text) {
    const auto bad = [&] { return fail(Kind::syntax, "bad network " + named(text)); };
    if (const auto parts = base::cut(text, '/')) {
        const auto address = IpAddress::parse(parts->first);
        const auto bits = decimal(parts->second, 128);
        if (!address || !bits) return bad();
        // A network written in v4-mapped form counts its bits from the front of the IPv6 address.
        const bool is_mapped = address->is_v4() && parts->first.find(':') != std::string_view::npos;
        const int count = static_cast<int>(*bits) - (is_mapped ? 96 : 0);
        if (count < 0 || count > address->bits()) return bad();
        return Cidr(*address, count);
    }
    if (const auto address = IpAddress::parse(text)) return Cidr(*address, address->bits());
    const auto some = octets(text.ends_with('.') ? text.substr(0, text.size() - 1) : text);
    if (!some || some->count > 3) return bad();
    return Cidr(IpAddress::v4(some->bytes), static_cast<int>(some->count) * 8);
}

bool Cidr::contains(const IpAddress& address) const {
    return address.family() == address_.family() && Cidr(address, bits_).address_ == address_;
}

IpAddress Cidr::last() const {
    IpAddress out = address_;
    const int kept = bits_ + 128 - address_.bits();
    for (int i = 0; i < 16; ++i) {
        const int here = std::clamp(kept - 8 * i, 0, 8);
        out.bytes_[static_cast<std::size_t>(i)] |= static_cast<std::uint8_t>(0xff >> here);
    }
    return out;
}

std::string Cidr::text() const {
    if (bits_ == address_.bits()) return address_.text();
    return address_.text() + "/" + std::to_string(bits_);
}

}  // namespace greylag::mail
