// Compares a reply with what a dialogue expects (dialogue.hh).
#include "base/ascii.hh"
#include "base/escape.hh"
#include "smtp/dialogue.hh"

namespace greylag::smtp::dialogue {

namespace {

std::string_view without_end(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    return line;
}

bool begins_with_words(std::string_view line, std::string_view words) {
    return base::istarts_with(line, words) && (line.size() == words.size() || base::is_blank(line[words.size()]));
}

std::string wanted(const Step& step) {
    switch (step.verb) {
        case Verb::reply: return std::to_string(step.code) + (step.text.empty() ? "" : " " + base::printable(step.text));
        case Verb::reply_begins: return "a reply that begins with " + base::quoted(step.text);
        case Verb::reply_contains: return "a reply that contains " + base::quoted(step.text);
        case Verb::has: return "a line " + base::quoted(step.text);
        case Verb::has_not: return "no line " + base::quoted(step.text);
        case Verb::send:
        case Verb::cut:
        case Verb::tls:
        case Verb::auth:
        case Verb::wait:
        case Verb::close:
        case Verb::closed: break;
    }
    return "no reply";
}

bool fits(const Step& step, std::string_view reply) {
    bool first = true;
    for (std::string_view line : base::split(without_end(reply), '\n')) {
        line = without_end(line);
        const std::string_view text = line.substr(line.size() < 4 ? line.size() : 4);
        if (first && step.verb == Verb::reply)
            return base::parse_number<std::uint16_t>(line.substr(0, 3)) == step.code &&
                   (line.size() == 3 || line[3] == ' ' || line[3] == '-') && text.starts_with(step.text);
        if (first && step.verb == Verb::reply_begins) return line.starts_with(step.text);
        if (step.verb == Verb::reply_contains && line.find(step.text) != std::string_view::npos) return true;
        if (step.verb == Verb::has && begins_with_words(text, step.text)) return true;
        if (step.verb == Verb::has_not && begins_with_words(text, step.text)) return false;
        first = false;
    }
    return step.verb == Verb::has_not;
}

}  // namespace

std::optional<std::string> mismatch(const Step& step, std::string_view reply) {
    if (fits(step, reply)) return std::nullopt;
    std::string got;
    for (const std::string_view line : base::split(without_end(reply), '\n'))
        got += (got.empty() ? "" : " / ") + base::printable(without_end(line));
    return "expected " + wanted(step) + ", got \"" + got + "\"";
}

}  // namespace greylag::smtp::dialogue
