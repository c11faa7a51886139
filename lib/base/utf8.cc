#include "base/utf8.hh"

#include <algorithm>

#include "base/ascii.hh"

namespace greylag::base {
namespace {

struct Lead {
    unsigned char first, last;              // the lead byte
    unsigned char second_low, second_high;  // the byte behind it: where overlong, surrogate and too high forms differ
    std::size_t size;
};
constexpr Lead leads[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

}  // namespace

std::size_t utf8_length(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (const Lead& lead : leads) {
        if (byte(0) < lead.first || byte(0) > lead.last) continue;
        if (lead.size == 1) return 1;
        if (text.size() < lead.size || byte(1) < lead.second_low || byte(1) > lead.second_high) return 0;
        for (std::size_t i = 2; i < lead.size; ++i)
            if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
        return lead.size;
    }
    return 0;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        if (!is_8bit(text.front())) {
            text.remove_prefix(1);
            continue;
        }
        const std::size_t size = utf8_length(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

bool is_ascii(std::string_view text) { return std::none_of(text.begin(), text.end(), is_8bit); }

}  // namespace greylag::base
