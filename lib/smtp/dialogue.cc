// Reads the dialogue language (dialogue.hh).
#include "smtp/dialogue.hh"

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::smtp::dialogue {

namespace {

constexpr const char* bad_escape = "an escape is one of \\r \\n \\t \\0 \\\\ \\xNN";

unsigned hex(char c) {
    if (base::is_digit(c)) return static_cast<unsigned>(c - '0');
    return static_cast<unsigned>(base::to_lower(c) - 'a') + 10;
}

// Appends the octets `text` stands for; false at an escape that is none.
bool unescape(std::string_view text, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        if (++i == text.size()) return false;
        switch (text[i]) {
            case 'r': out += '\r'; break;
            case 'n': out += '\n'; break;
            case 't': out += '\t'; break;
            case '0': out += '\0'; break;
            case '\\': out += '\\'; break;
            case 'x':
                if (i + 2 >= text.size() || !base::is_xdigit(text[i + 1]) || !base::is_xdigit(text[i + 2])) return false;
                out += static_cast<char>(hex(text[i + 1]) << 4 | hex(text[i + 2]));
                i += 2;
                break;
            default: return false;
        }
    }
    return true;
}

class Parser {
public:
    explicit Parser(std::string_view text) : rest_(text) {}

    std::expected<Script, std::vector<Fault>> run() {
        std::string_view line;
        while (next(line)) step(line);
        if (!faults_.empty()) return std::unexpected(std::move(faults_));
        return std::move(script_);
    }

private:
    bool next(std::string_view& line) {
        if (rest_.empty()) return false;
        ++number_;
        const std::size_t end = rest_.find('\n');
        line = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        return true;
    }

    void fault(unsigned line, std::string what) { faults_.push_back({line, std::move(what)}); }

    Step& add(Verb verb, std::string text = {}) {
        Step s;
        s.verb = verb;
        s.line = number_;
        s.text = std::move(text);
        return script_.steps.emplace_back(std::move(s));
    }

    bool sending() const { return !script_.steps.empty() && script_.steps.back().verb == Verb::send; }

    void step(std::string_view line) {
        while (!line.empty() && base::is_blank(line.front())) line.remove_prefix(1);
        if (line.empty() || line.front() == '#') return;
        const std::size_t blank = line.find_first_of(" \t");
        const std::string_view word = line.substr(0, blank);
        const std::string_view text = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
        if (word.front() == '@')
            world(word.substr(1), text);
        else if (word == "c:" || word == "c-" || word == "c+")
            send_line(word, text);
        else if (word == "data" || word == "raw")
            send_block(word, text);
        else if (word == "s:")
            reply(text);
        else if (word == "s~")
            first_line(text);
        else if (word == "s+" || word == "s!")
            keyword(word == "s+" ? Verb::has : Verb::has_not, text);
        else
            deed(word, text);
    }

    void send_line(std::string_view word, std::string_view text) {
        std::string octets;
        if (word == "c+" && !sending()) fault(number_, "c+ continues a group, and nothing is sent directly before it");
        if (!unescape(text, octets)) fault(number_, bad_escape);
        if (word != "c-") octets += "\r\n";
        send(number_, octets);
    }

    void send(unsigned line, const std::string& octets) {
        if (sending()) {
            script_.steps.back().text += octets;
            return;
        }
        add(Verb::send, octets).line = line;
    }

    void send_block(std::string_view word, std::string_view text) {
        const unsigned opened = number_;
        const std::string_view end = block_end(text);
        if (end.empty() || base::trim(text).size() != end.size() + 2) {
            fault(number_, std::string(word) + " takes one block: " + std::string(word) + " <<END");
            return;
        }
        std::string octets;
        const bool whole = block(end, [&](std::string_view line) {
            if (word == "raw") {
                if (!unescape(line, octets)) fault(number_, bad_escape);
                return;
            }
            if (!line.empty() && line.front() == '.') octets += '.';
            octets += line;
            octets += "\r\n";
        });
        if (!whole) fault(opened, "no line \"" + std::string(end) + "\" ends this block");
        if (word == "data") octets += ".\r\n";
        send(opened, octets);
    }

    // The WORD of a text that ends in <<WORD, or nothing.
    static std::string_view block_end(std::string_view text) {
        text = base::trim(text);
        const std::size_t at = text.rfind("<<");
        if (at == std::string_view::npos || (at > 0 && !base::is_blank(text[at - 1]))) return {};
        const std::string_view word = text.substr(at + 2);
        return word.find_first_of(" \t") == std::string_view::npos ? word : std::string_view();
    }

    // Hands every line before the one that equals `end` to `take`; false when the script ends first.
    template <class Take>
    bool block(std::string_view end, Take take) {
        std::string_view line;
        while (next(line)) {
            if (line == end) return true;
            take(line);
        }
        return false;
    }

    void reply(std::string_view text) {
        text = base::trim(text);
        const auto code = base::parse_number<std::uint16_t>(text.substr(0, 3));
        if (text.size() < 3 || !code || *code < 100 || (text.size() > 3 && base::is_alnum(text[3]))) {
            fault(number_, "s: takes a reply code of three digits, and the beginning of the text when wanted");
            return;
        }
        if (text.size() > 3 && !base::is_blank(text[3])) {
            fault(number_, "s: compares a whole reply, its lines are looked at with s+: write \"s: " +
                               std::string(text.substr(0, 3)) + "\"");
            return;
        }
        add(Verb::reply, std::string(base::trim(text.substr(3)))).code = *code;
    }

    void first_line(std::string_view text) {
        const bool anywhere = text.starts_with("...");
        if (anywhere) text.remove_prefix(3);
        if (text.empty())
            fault(number_, "s~ takes the beginning of the reply, or ... and a part of it");
        else
            add(anywhere ? Verb::reply_contains : Verb::reply_begins, std::string(text));
    }

    void keyword(Verb verb, std::string_view text) {
        text = base::trim(text);
        const bool after_reply =
            !script_.steps.empty() && (takes_reply(script_.steps.back().verb) || script_.steps.back().verb == Verb::has ||
                                       script_.steps.back().verb == Verb::has_not);
        const std::string word = verb == Verb::has ? "s+" : "s!";
        if (text.empty())
            fault(number_, word + " takes the words a line of the reply begins with");
        else if (!after_reply)
            fault(number_, word + " looks at the reply just compared, and there is none directly before it");
        else
            add(verb, std::string(text));
    }

    void deed(std::string_view word, std::string_view text) {
        struct Row {
            std::string_view word;
            Verb verb;
        };
        static constexpr Row rows[] = {{"cut", Verb::cut},   {"tls", Verb::tls},     {"auth", Verb::auth},
                                       {"wait", Verb::wait}, {"close", Verb::close}, {"closed", Verb::closed}};
        for (const Row& row : rows) {
            if (row.word != word) continue;
            const auto words = base::words(text);
            if (words.size() > (row.verb == Verb::auth ? 3u : 0u)) {
                fault(number_, row.verb == Verb::auth ? "auth takes a mechanism, a user and a password at most"
                                                      : std::string(word) + " takes nothing");
                return;
            }
            add(row.verb).words.assign(words.begin(), words.end());
            return;
        }
        fault(number_, "\"" + base::printable(word, 40) + "\" is no word of a dialogue");
    }

    void world(std::string_view name, std::string_view text) {
        WorldLine entry;
        entry.line = number_;
        entry.name = name;
        if (name.empty()) fault(number_, "a name stands directly behind the @");
        const std::string_view end = block_end(text);
        if (!end.empty()) {
            text = base::trim(text);
            text.remove_suffix(end.size() + 2);
            std::string lines;
            if (!block(end, [&](std::string_view line) { lines += line, lines += '\n'; }))
                fault(entry.line, "no line \"" + std::string(end) + "\" ends this block");
            entry.block = std::move(lines);
        }
        entry.text = base::trim(text);
        script_.world.push_back(std::move(entry));
    }

    std::string_view rest_;
    unsigned number_ = 0;
    Script script_;
    std::vector<Fault> faults_;
};

}  // namespace

std::expected<Script, std::vector<Fault>> parse(std::string_view text) { return Parser(text).run(); }

}  // namespace greylag::smtp::dialogue
