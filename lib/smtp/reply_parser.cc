// Refuses to know what a reply answers: that is the session's.
#include "smtp/reply_parser.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::smtp {

namespace {

// "5.7.1" at the front of `text`, of the class `digit`; empty when there is none (RFC 3463 2).
std::string_view enhanced_code(std::string_view text, char digit) {
    const std::string_view word = text.substr(0, text.find(' '));
    const auto parts = base::split(word, '.');
    if (parts.size() != 3 || parts[0].size() != 1 || parts[0].front() != digit) return {};
    for (const auto part : parts)
        if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), base::is_digit)) return {};
    return word;
}

void split_enhanced(Reply& reply) {
    const auto word = enhanced_code(reply.lines.front(), static_cast<char>('0' + reply.code / 100));
    if (word.empty()) return;
    reply.enhanced = word;
    const auto begins = [&](const std::string& line) { return enhanced_code(line, reply.enhanced.front()) == reply.enhanced; };
    if (!std::all_of(reply.lines.begin(), reply.lines.end(), begins)) return reply.enhanced.clear();
    for (auto& line : reply.lines) line.erase(0, std::min(line.size(), reply.enhanced.size() + 1));
}

}  // namespace

ReplyParser::Got ReplyParser::next(std::string_view& input, Reply& reply) {
    while (fault_.empty() && !input.empty()) {
        const std::size_t lf = input.find('\n');
        std::string_view piece = input.substr(0, lf == std::string_view::npos ? lf : lf + 1);
        octets_ += piece.size();
        if (octets_ > most_octets) {
            wrong("the reply is too long", reply_.lines.empty() ? "" : reply_.lines.front());
            break;
        }
        input.remove_prefix(piece.size());
        partial_ += piece;
        if (lf == std::string_view::npos) return Got::more;

        std::string line;
        line.swap(partial_);
        line.pop_back();
        if (line.ends_with('\r')) line.pop_back();
        bool last = false;
        if (!take(line, last)) break;
        if (!last) continue;
        split_enhanced(reply_);
        reply = std::move(reply_);
        reply_ = {};
        octets_ = 0;
        return Got::reply;
    }
    return fault_.empty() ? Got::more : Got::fault;
}

bool ReplyParser::take(std::string_view line, bool& last) {
    const auto code = line.size() < 3 ? std::nullopt : base::parse_number<std::uint16_t>(line.substr(0, 3));
    if (!code || *code < 200 || *code > 599) return wrong("the line begins with no reply code", line);
    if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return wrong("neither blank nor hyphen follows the code", line);
    if (!reply_.lines.empty() && *code != reply_.code) return wrong("the code changes within the reply", line);
    if (reply_.lines.size() == most_lines) return wrong("the reply has too many lines", line);
    reply_.code = *code;
    reply_.lines.emplace_back(line.substr(std::min<std::size_t>(line.size(), 4)));
    last = line.size() == 3 || line[3] == ' ';
    return true;
}

bool ReplyParser::wrong(std::string_view what, std::string_view line) {
    constexpr std::size_t shown = 120;
    fault_ = std::string(what) + ": " + base::quoted(line, shown);
    partial_.clear();
    return false;
}

}  // namespace greylag::smtp
