// Refuses to know what a reply answers: that is the session's.
#include "smtp/reply_parser.hh"

#include <algorithm>
#include <utility>

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::smtp {

namespace {

// "5.7.1" at the front of `text`, of the class `digit`; empty when there is none (RFC 3463 2).
std::string_view enhanced_code(std::string_view text, char digit) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (word.size() < 5 || word[0] != digit || word[1] != '.') return {};
    const auto number = [](std::string_view part) {
        return !part.empty() && part.size() <= 3 && std::all_of(part.begin(), part.end(), base::is_digit);
    };
    const auto rest = base::cut(word.substr(2), '.');
    return rest && number(rest->first) && number(rest->second) ? word : std::string_view{};
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
        std::string_view line = input.substr(0, lf == std::string_view::npos ? lf : lf + 1);
        octets_ += line.size();
        if (octets_ > most_octets) {
            wrong("the reply is too long", lines_ == 0 ? "" : reply_.lines.front());
            break;
        }
        input.remove_prefix(line.size());
        if (lf == std::string_view::npos || !partial_.empty()) partial_ += line;
        if (lf == std::string_view::npos) return Got::more;

        if (!partial_.empty()) line = partial_;
        line.remove_suffix(line.ends_with("\r\n") ? 2 : 1);
        bool last = false;
        if (!take(line, last)) break;
        partial_.clear();
        if (!last) continue;
        reply_.lines.resize(lines_);
        reply_.enhanced.clear();
        split_enhanced(reply_);
        std::swap(reply, reply_);
        lines_ = 0;
        octets_ = 0;
        return Got::reply;
    }
    return fault_.empty() ? Got::more : Got::fault;
}

bool ReplyParser::take(std::string_view line, bool& last) {
    const auto code = line.size() < 3 ? std::nullopt : base::parse_number<std::uint16_t>(line.substr(0, 3));
    if (!code || *code < 200 || *code > 599) return wrong("the line begins with no reply code", line);
    if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return wrong("neither blank nor hyphen follows the code", line);
    if (lines_ != 0 && *code != reply_.code) return wrong("the code changes within the reply", line);
    if (lines_ == most_lines) return wrong("the reply has too many lines", line);
    reply_.code = *code;
    const std::string_view text = line.substr(std::min<std::size_t>(line.size(), 4));
    if (lines_ < reply_.lines.size()) {
        reply_.lines[lines_] = text;
    } else {
        reply_.lines.emplace_back(text);
    }
    ++lines_;
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
