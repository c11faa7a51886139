#include "mail/qualify.hh"

#include <algorithm>
#include <array>

#include "base/ascii.hh"
#include "mail/comment.hh"

namespace greylag::mail {
namespace {

// What stands between two commas, or inside one pair of angle brackets.
struct Entry {
    std::size_t end = 0;  // behind its last word
    unsigned words = 0, at_signs = 0;
    bool joined = true;      // the last token asks for a word
    bool broken = false;     // no address
    bool host_dot = false;   // behind the '@'
    bool literal = false;    // a word in brackets
    bool bang_host = false;  // host.example!user
};

bool is_atom(char c) {
    constexpr std::string_view specials = "()<>[]:;@\\,.\"";
    return (base::is_printable(c) || base::is_8bit(c)) && c != ' ' && specials.find(c) == std::string_view::npos;
}

class Qualifier {
public:
    Qualifier(std::string_view value, std::string_view host, std::string_view suffix)
        : value_(value), host_(host), suffix_(suffix) {}

    std::string run() {
        while (at_ < value_.size()) {
            const std::string_view rest = value_.substr(at_);
            at_ += rest.size() - skip_comments(rest).size();
            if (at_ < value_.size()) step(value_[at_]);
        }
        // A bracket that never closes holds no address.
        if (!in_angle_) end_entry();
        out_.append(value_.substr(copied_));
        return std::move(out_);
    }

private:
    void step(char c) {
        if (c == '"' || c == '[') return word(bracketed(c == '"' ? '"' : ']'), c == '[');
        if (is_atom(c)) {
            const std::string_view rest = value_.substr(at_);
            return word(static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_atom) - rest.begin()), false);
        }
        ++at_;
        switch (c) {
            case '.':
                if (entry_.at_signs != 0) entry_.host_dot = true;
                entry_.joined = true;
                dotted_ = entry_.at_signs == 0;
                break;
            case '@':
                ++entry_.at_signs;
                if (entry_.words == 0) entry_.broken = true;
                entry_.joined = true;
                break;
            case '<': begin_angle(); break;
            case '>':
                end_entry();
                in_angle_ = false;
                angle_done_ = true;
                break;
            case ':': entry_ = {}; break;  // a route inside < >, a group's name outside
            case ',':
                if (in_angle_) break;
                end_entry();
                angle_done_ = false;
                break;
            case ';':
                end_entry();
                in_angle_ = angle_done_ = false;
                break;
            default: entry_.broken = true; break;
        }
    }

    void begin_angle() {
        entry_ = {};
        entry_.broken = angle_done_ || in_angle_;
        in_angle_ = true;
        dotted_ = false;
    }

    void word(std::size_t size, bool literal) {
        const std::string_view text = value_.substr(at_, size);
        if (!entry_.joined) entry_.broken = true;
        entry_.joined = false;
        // The dot of host.example!user stands in a word before the one with the bang, or there is none before it.
        if (entry_.at_signs == 0 && dotted_ && text.find('!') != std::string_view::npos) entry_.bang_host = true;
        entry_.literal = entry_.literal || literal;
        ++entry_.words;
        at_ += size;
        entry_.end = at_;
    }

    // What never closes is no word: the entry is left alone.
    std::size_t bracketed(char end) {
        std::size_t size = 1;
        while (at_ + size < value_.size() && value_[at_ + size] != end) size += value_[at_ + size] == '\\' ? 2u : 1u;
        if (at_ + size >= value_.size()) {
            entry_.broken = true;
            return value_.size() - at_;
        }
        return size + 1;
    }

    void end_entry() {
        const bool whole = !entry_.broken && entry_.words != 0 && !entry_.joined && !angle_done_;
        if (whole && entry_.at_signs == 0 && !entry_.bang_host && !entry_.literal) insert("@", host_);
        if (whole && entry_.at_signs == 1 && !entry_.host_dot && !entry_.literal && !suffix_.empty()) insert("", suffix_);
        entry_ = {};
        dotted_ = false;
    }

    void insert(std::string_view mark, std::string_view text) {
        out_.append(value_.substr(copied_, entry_.end - copied_)).append(mark).append(text);
        copied_ = entry_.end;
    }

    std::string_view value_, host_, suffix_;
    std::string out_;
    std::size_t at_ = 0, copied_ = 0;
    Entry entry_;
    bool in_angle_ = false, angle_done_ = false, dotted_ = false;
};

}  // namespace

std::string qualify(std::string_view value, std::string_view host, std::string_view suffix) {
    return Qualifier(value, host, suffix).run();
}

bool holds_addresses(std::string_view field_name) {
    if (base::istarts_with(field_name, "resent-")) field_name.remove_prefix(7);
    constexpr std::array<std::string_view, 5> fields{"from", "sender", "reply-to", "to", "cc"};
    return std::any_of(fields.begin(), fields.end(), [&](std::string_view name) { return base::iequals(name, field_name); });
}

}  // namespace greylag::mail
