#include "base/xtext.hh"

#include "base/ascii.hh"
#include "base/hex.hh"

namespace greylag::base {
namespace {

bool is_xchar(char c) { return is_printable(c) && c != ' ' && c != '+' && c != '='; }

}  // namespace

std::string xtext_encode(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        if (is_xchar(c)) {
            out += c;
        } else {
            out += '+';
            append_hex(out, c, hex_upper);
        }
    }
    return out;
}

std::optional<std::string> xtext_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_xchar(text[i])) {
            out += text[i];
            continue;
        }
        if (text[i] != '+' || text.size() - i < 3) return std::nullopt;
        const std::string_view digits = text.substr(i + 1, 2);
        if (is_lower(digits[0]) || is_lower(digits[1])) return std::nullopt;
        const auto high = hex_value(digits[0]), low = hex_value(digits[1]);
        if (!high || !low) return std::nullopt;
        out += static_cast<char>(*high << 4 | *low);
        i += 2;
    }
    return out;
}

}  // namespace greylag::base
