#include "base/escape.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/hex.hh"
#include "base/utf8.hh"

namespace greylag::base {
namespace {

constexpr std::string_view ellipsis = "...";

std::string escaped(std::string_view text, std::size_t limit, bool escape_quote) {
    std::string out;
    std::size_t fits = 0;  // the end of the last whole piece that leaves room for the ellipsis
    for (const char c : text) {
        if (c == '\\' || (c == '"' && escape_quote)) {
            out += '\\';
            out += c;
        } else if (is_printable(c)) {
            out += c;
        } else {
            out += "\\x";
            append_hex(out, c, hex_lower);
        }
        if (out.size() > limit) {
            out.resize(fits);
            return out.append(ellipsis.substr(0, limit - fits));
        }
        if (out.size() + ellipsis.size() <= limit) fits = out.size();
    }
    return out;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) { return escaped(text, limit, false); }

std::string quoted(std::string_view text, std::size_t limit) { return '"' + escaped(text, limit, true) + '"'; }

std::string json_string(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const char c = text.front();
        const std::size_t size = utf8_length(text);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (size == 0 || is_ctl(c)) {
            out += "\\u00";
            append_hex(out, c, hex_lower);
        } else {
            out += text.substr(0, size);
        }
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return out += '"';
}

std::string file_name(std::string_view text) {
    constexpr std::string_view plain = "@._+=-";
    if (text.empty()) return "%";
    std::string out;
    for (const char c : text) {
        if (is_alnum(c) || (plain.find(c) != std::string_view::npos && !(c == '.' && out.empty()))) {
            out += to_lower(c);
        } else {
            out += '%';
            append_hex(out, c, hex_upper);
        }
    }
    return out;
}

}  // namespace greylag::base
