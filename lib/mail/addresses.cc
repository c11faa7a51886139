// The addresses of a From, To, Cc ... field (RFC 5322 3.4 and 4.4), read as people write them.
#include <algorithm>
#include <optional>

#include "base/ascii.hh"
#include "base/utf8.hh"
#include "mail/comment.hh"
#include "mail/header.hh"

namespace greylag::mail {
namespace {

// What stands between two commas. Words are joined to an address only where '.' or '@' joins them: "Bob b@x" is none.
class Entry {
public:
    void word(std::string_view text) {
        if (joined_) {
            text_ += text;
        } else {
            broken_ = true;
        }
        joined_ = false;
    }
    void join(char c) {
        at_signs_ += c == '@' ? 1 : 0;
        text_ += c;
        joined_ = true;
    }
    void spoil() { broken_ = true; }

    bool empty() const { return text_.empty() && !broken_; }
    bool has_at() const { return at_signs_ != 0; }

    std::optional<std::string> address() const {
        const bool whole = !text_.empty() && text_.front() != '@' && text_.back() != '@' && at_signs_ == 1;
        return whole && !broken_ && base::is_utf8(text_) ? std::optional{text_} : std::nullopt;
    }

private:
    std::string text_;
    unsigned at_signs_ = 0;
    bool joined_ = true;
    bool broken_ = false;
};

class AddressReader {
public:
    explicit AddressReader(std::string_view text) : rest_(text) {}

    AddressList run() {
        for (rest_ = skip_comments(rest_); !rest_.empty(); rest_ = skip_comments(rest_)) step(rest_.front());
        end_entry();
        return std::move(list_);
    }

private:
    void step(char c) {
        if (c == '"' || c == '[') return bracketed_word(c == '"' ? '"' : ']');
        if (is_atom(c)) return entry_.word(take(atom_size()));
        take(1);
        if (c == '.' || c == '@') {
            entry_.join(c);
        } else if (c == '<') {
            entry_ = {};
            in_angle_ = true;
        } else if (c == '>') {
            if (!in_angle_) ++list_.unread;
            if (entry_.empty()) entry_.spoil();
            in_angle_ = false;
            end_entry();
            angle_done_ = true;
        } else if (c == ':') {
            entry_ = {};  // what stood before it is a route inside < >, a group's name outside
        } else if ((c == ',' && !in_angle_) || c == ';') {
            end_entry();
        } else {
            entry_.spoil();
        }
    }

    void end_entry() {
        if (auto address = entry_.address(); address && !in_angle_ && !angle_done_) {
            list_.found.push_back(std::move(*address));
        } else if (in_angle_ || (angle_done_ ? entry_.has_at() : !entry_.empty())) {
            ++list_.unread;
        }
        entry_ = {};
        in_angle_ = angle_done_ = false;
    }

    void bracketed_word(char end) {
        std::size_t size = 1;
        while (size < rest_.size() && rest_[size] != end) size += rest_[size] == '\\' ? 2u : 1u;
        if (size >= rest_.size()) {
            entry_.spoil();
            rest_ = {};
            return;
        }
        const std::string_view word = take(size + 1);
        if (std::any_of(word.begin(), word.end(), base::is_ctl)) entry_.spoil();
        entry_.word(word);
    }

    static bool is_atom(char c) {
        constexpr std::string_view specials = "()<>[]:;@\\,.\"";
        return (base::is_printable(c) || base::is_8bit(c)) && c != ' ' && specials.find(c) == std::string_view::npos;
    }
    std::size_t atom_size() const {
        return static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_atom) - rest_.begin());
    }
    std::string_view take(std::size_t size) {
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }

    std::string_view rest_;
    Entry entry_;
    bool in_angle_ = false;
    bool angle_done_ = false;  // "Name <a@b> words": the words are nothing, "<a@b> c@d" lacks a comma
    AddressList list_;
};

}  // namespace

AddressList address_list(std::string_view value) {
    const std::string unfolded = unfold(value);
    return AddressReader(unfolded).run();
}

std::vector<std::string> addresses(std::string_view value) { return address_list(value).found; }

}  // namespace greylag::mail
