// The last gate before the client's eyes: whatever a reply was made from, what leaves here is lines of printable text.
#include "smtp/reply.hh"

#include "base/ascii.hh"
#include "base/utf8.hh"

namespace greylag::smtp {

namespace {
constexpr std::size_t longest = 512;  // RFC 5321 4.5.3.1.5, CRLF included

bool is_shown(char c, bool utf8) { return base::is_printable(c) || (utf8 && base::is_8bit(c)); }

std::string escape(char c) {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    return {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
}

// Never cuts inside an escape or a UTF-8 character.
void append_text(std::string& out, std::string_view text, std::size_t room) {
    const bool utf8 = base::is_utf8(text);
    const std::size_t end = out.size() + room;
    std::size_t whole = out.size();
    for (const char c : text) {
        const bool inside = utf8 && (static_cast<unsigned char>(c) & 0xc0) == 0x80;
        if (!inside) whole = out.size();
        if (is_shown(c, utf8)) {
            out += c;
        } else {
            out += escape(c);
        }
        if (out.size() > end) {
            out.resize(whole);
            return;
        }
    }
}
}  // namespace

std::string wire(const Reply& reply) {
    std::string out;
    const std::size_t count = reply.lines.empty() ? 1 : reply.lines.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t start = out.size();
        out += std::to_string(reply.code);
        out += i + 1 == count ? ' ' : '-';
        if (!reply.enhanced.empty()) {
            out += reply.enhanced;
            out += ' ';
        }
        if (i < reply.lines.size()) append_text(out, reply.lines[i], longest - 2 - (out.size() - start));
        out += "\r\n";
    }
    return out;
}

}  // namespace greylag::smtp
