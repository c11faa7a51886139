// Refuses to know what the octets are.
#include "cmd/smtp-source/sizes.hh"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::source {

namespace {

std::optional<std::uint64_t> size_of(std::string_view text) {
    std::uint64_t unit = 1;
    if (!text.empty()) {
        switch (base::to_lower(text.back())) {
            case 'k': unit = 1000; break;
            case 'm': unit = 1'000'000; break;
            case 'g': unit = 1'000'000'000; break;
            default: break;
        }
        if (unit != 1) text.remove_suffix(1);
    }
    const auto number = base::parse_number<std::uint64_t>(text);
    if (!number || *number > SizeModel::most / unit) return std::nullopt;
    return *number * unit;
}

bool read_list(std::string_view text, SizeModel& out) {
    for (const auto entry : base::split(text, ',')) {
        const auto parts = base::cut(entry, '*');
        const auto size = size_of(parts ? parts->first : entry);
        const auto weight = parts ? base::parse_number<std::uint32_t>(parts->second) : std::optional<std::uint32_t>(1);
        if (!size || !weight || *weight == 0) return false;
        out.list.push_back({*size, *weight});
    }
    return true;
}

// Everything behind the four standard deviations is one message in thirty thousand.
constexpr std::uint64_t tail = 8;

}  // namespace

std::uint64_t Dice::next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

std::uint64_t Dice::below(std::uint64_t limit) { return limit == 0 ? 0 : next() % limit; }

double Dice::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

Result<SizeModel> SizeModel::parse(std::string_view text) {
    const auto bad = [text] { return base::fail(Kind::usage, base::quoted(text, 80) + ": no size"); };
    SizeModel model;
    const auto kind = base::cut(text, ':');
    const std::string_view rest = kind ? kind->second : text;
    std::optional<std::pair<std::string_view, std::string_view>> two;
    if (!kind) {
        two = base::cut(text, '-');
        if (two) model.shape = Shape::uniform;
    } else if (kind->first == "exp") {
        model.shape = Shape::exponential;
    } else if (kind->first == "normal") {
        model.shape = Shape::normal;
        two = base::cut(rest, ',');
        if (!two) return bad();
    } else if (kind->first == "list") {
        model.shape = Shape::list;
        return read_list(rest, model) ? Result<SizeModel>(model) : Result<SizeModel>(bad());
    } else {
        return bad();
    }
    const auto a = size_of(two ? two->first : rest);
    const auto b = two ? size_of(two->second) : a;
    if (!a || !b || (model.shape == Shape::uniform && *b < *a)) return bad();
    model.a = *a;
    model.b = *b;
    return model;
}

std::uint64_t SizeModel::largest() const {
    switch (shape) {
        case Shape::fixed: return a;
        case Shape::uniform: return b;
        case Shape::exponential: return std::min(a * tail, most);
        case Shape::normal: return std::min(a + b * tail, most);
        case Shape::list: break;
    }
    std::uint64_t size = 0;
    for (const auto& entry : list) size = std::max(size, entry.size);
    return size;
}

std::uint64_t SizeModel::draw(Dice& dice) const {
    const auto clamped = [this](double size) {
        return static_cast<std::uint64_t>(std::clamp(size, 0.0, static_cast<double>(largest())));
    };
    switch (shape) {
        case Shape::fixed: return a;
        case Shape::uniform: return a + dice.below(b - a + 1);
        case Shape::exponential: return clamped(-std::log(1.0 - dice.unit()) * static_cast<double>(a));
        case Shape::normal: {
            const double radius = std::sqrt(-2.0 * std::log(1.0 - dice.unit()));
            const double z = radius * std::cos(2.0 * std::numbers::pi * dice.unit());
            return clamped(static_cast<double>(a) + z * static_cast<double>(b));
        }
        case Shape::list: break;
    }
    std::uint64_t whole = 0;
    for (const auto& entry : list) whole += entry.weight;
    std::uint64_t at = dice.below(whole);
    for (const auto& entry : list) {
        if (at < entry.weight) return entry.size;
        at -= entry.weight;
    }
    return 0;
}

}  // namespace greylag::source
