// The last gate before the client's eyes: whatever a reply was made from, what leaves here is lines of printable text.
#include "smtp/reply.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/hex.hh"
#include "base/utf8.hh"

namespace greylag::smtp {

namespace {
constexpr std::size_t longest = 512;  // RFC 5321 4.5.3.1.5, CRLF included

// One character: printable ASCII, or UTF-8 that is no control (U+0080 to U+009F are as good as ESC).
bool is_shown(std::string_view character) {
    if (character.size() == 1) return base::is_printable(character.front());
    return !(character.front() == '\xc2' && static_cast<unsigned char>(character.back()) < 0xa0);
}

// Never cuts inside an escape or a UTF-8 character.
void append_text(std::string& out, std::string_view text, std::size_t room) {
    const std::size_t end = out.size() + room;
    while (!text.empty()) {
        const std::string_view character = text.substr(0, std::max<std::size_t>(1, base::utf8_length(text)));
        const bool shown = is_shown(character);
        if (out.size() + (shown ? 1 : 4) * character.size() > end) return;
        if (shown) {
            out += character;
        } else {
            for (const char c : character) base::append_hex(out.append("\\x"), c, base::hex_lower);
        }
        text.remove_prefix(character.size());
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
