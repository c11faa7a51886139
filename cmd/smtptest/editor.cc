#include "cmd/smtptest/editor.hh"

#include <algorithm>
#include <utility>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/utf8.hh"

namespace greylag::smtptest {

namespace {

constexpr std::size_t most_remembered = 500;
constexpr std::size_t longest_line = 8192;
constexpr std::size_t longest_sequence = 16;
constexpr char escape_key = '\x1b', rubout = '\x7f';

constexpr char ctrl(char letter) { return static_cast<char>(letter & 0x1f); }
bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

// How many octets a character that begins so has; 0: none does.
std::size_t octets_of(char first) {
    const auto c = static_cast<unsigned char>(first);
    return c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 0;
}

}  // namespace

std::size_t Editor::before(std::size_t at) const {
    if (at == 0) return 0;
    do --at;
    while (at > 0 && continues(line_[at]));
    return at;
}

std::size_t Editor::after(std::size_t at) const {
    if (at == line_.size()) return at;
    do ++at;
    while (at < line_.size() && continues(line_[at]));
    return at;
}

std::size_t Editor::word_before(std::size_t at) const {
    while (at > 0 && line_[at - 1] == ' ') --at;
    while (at > 0 && line_[at - 1] != ' ') --at;
    return at;
}

Editor::Out Editor::feed(std::string_view& keys) {
    Out out;
    bool drawn = false;
    while (!keys.empty() && !out.line && !out.end && !out.interrupt) {
        const char c = keys.front();
        keys.remove_prefix(1);
        // CR and LF of a pasted line end are one.
        if (std::exchange(after_cr_, false) && c == '\n') continue;
        key(c, out);
        drawn = true;
    }
    if (drawn && !out.line && !out.end && !out.interrupt) out.screen += show();
    return out;
}

void Editor::key(char c, Out& out) {
    if (!escape_.empty()) {
        escape_ += c;
        const bool opened = escape_.size() == 2 && (c == '[' || c == 'O');
        const bool over = escape_.size() > 2 ? c >= '@' && c <= '~' : !opened;
        if (over) sequence(std::exchange(escape_, {}));
        if (escape_.size() > longest_sequence) escape_.clear();
        return;
    }
    if (c == escape_key) {
        escape_ = c;
        return;
    }
    if (base::is_8bit(c)) {
        partial_ = continues(c) ? partial_ + c : std::string(1, c);
        const std::size_t whole = octets_of(partial_.front());
        if (whole == 0 || partial_.size() > whole) return partial_.clear();
        if (partial_.size() < whole) return;
        if (base::is_utf8(partial_)) insert(partial_);
        return partial_.clear();
    }
    partial_.clear();
    if (base::is_ctl(c)) return control(c, out);
    insert({&c, 1});
}

void Editor::control(char c, Out& out) {
    switch (c) {
        case '\r': after_cr_ = true; return finish(out);
        case '\n': return finish(out);
        case ctrl('A'): at_ = 0; return;
        case ctrl('B'): at_ = before(at_); return;
        case ctrl('C'):
            out.screen += show() + "^C\r\n";
            out.interrupt = true;
            line_.clear();
            at_ = 0;
            return;
        case ctrl('D'):
            out.end = line_.empty();
            if (out.end) out.screen += "\r\n";
            return erase(at_, after(at_));
        case ctrl('E'): at_ = line_.size(); return;
        case ctrl('F'): at_ = after(at_); return;
        case ctrl('H'):
        case rubout: return erase(before(at_), at_);
        case ctrl('K'): return erase(at_, line_.size());
        case ctrl('L'): out.screen += "\x1b[H\x1b[2J"; return;
        case ctrl('N'): return recall(1);
        case ctrl('P'): return recall(-1);
        case ctrl('U'): return erase(0, at_);
        case ctrl('W'): return erase(word_before(at_), at_);
        case '\t': return insert("\t");
        default: return;
    }
}

void Editor::sequence(std::string_view code) {
    struct Row {
        std::string_view code;
        char key;
    };
    static constexpr Row rows[] = {{"[A", 'P'},  {"[B", 'N'},  {"[C", 'F'},  {"[D", 'B'}, {"[H", 'A'}, {"[F", 'E'},
                                   {"OA", 'P'},  {"OB", 'N'},  {"OC", 'F'},  {"OD", 'B'}, {"OH", 'A'}, {"OF", 'E'},
                                   {"[1~", 'A'}, {"[7~", 'A'}, {"[4~", 'E'}, {"[8~", 'E'}};
    Out none;
    if (code.substr(1) == "[3~") return erase(at_, after(at_));
    for (const Row& row : rows)
        if (code.substr(1) == row.code) return control(ctrl(row.key), none);
}

void Editor::insert(std::string_view text) {
    if (line_.size() + text.size() > longest_line) return;
    line_.insert(at_, text);
    at_ += text.size();
}

void Editor::erase(std::size_t from, std::size_t to) {
    line_.erase(from, to - from);
    at_ = from;
}

void Editor::recall(int step) {
    if (step < 0 ? recalled_ == 0 : recalled_ == history_.size()) return;
    if (recalled_ == history_.size()) written_ = line_;
    recalled_ = step < 0 ? recalled_ - 1 : recalled_ + 1;
    line_ = recalled_ == history_.size() ? written_ : history_[recalled_];
    at_ = line_.size();
}

void Editor::finish(Out& out) {
    at_ = line_.size();
    out.screen += show() + "\r\n";
    out.line = std::exchange(line_, {});
    at_ = 0;
    recalled_ = history_.size();
}

void Editor::remember(const std::string& line) {
    if (line.empty() || (!history_.empty() && history_.back() == line)) return;
    history_.push_back(line);
    if (history_.size() > most_remembered) history_.erase(history_.begin());
    recalled_ = history_.size();
}

// A line longer than the terminal is wide is looked at through a window that holds the cursor.
std::string Editor::show() const {
    const std::size_t taken = columns(prompt_);
    const std::size_t room = width_ > taken + 2 ? width_ - taken - 1 : 1;
    std::size_t from = 0;
    while (columns(std::string_view(line_).substr(from, at_ - from)) >= room) from = after(from);
    std::size_t to = from;
    for (std::size_t shown = 0; to < line_.size() && shown < room; ++shown) to = after(to);
    std::string text = line_.substr(from, to - from);
    std::replace(text.begin(), text.end(), '\t', ' ');
    const std::size_t column = taken + columns(std::string_view(line_).substr(from, at_ - from));
    std::string out = "\r" + prompt_ + text + "\x1b[K\r";
    if (column > 0) out += "\x1b[" + std::to_string(column) + "C";
    return out;
}

}  // namespace greylag::smtptest
