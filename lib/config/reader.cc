#include "config/reader.hh"

#include <ini.h>

#include <algorithm>
#include <cstring>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/utf8.hh"

namespace greylag::config {
namespace {

// inih keeps 50 bytes of a section's name and cuts the rest in silence.
constexpr std::size_t section_limit = 49;
// Stands for a header that names nothing: the keys below it belong to nobody, least of all to the section before.
constexpr std::string_view lost_section = "[?]";

bool is_plain(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return base::is_alnum(c) || c == '_' || c == '-'; });
}

bool begins_comment(std::string_view text) { return !text.empty() && (text.front() == '#' || text.front() == ';'); }

bool has_comment(std::string_view value) {
    if (begins_comment(value)) return true;
    for (std::size_t i = 1; i < value.size(); ++i) {
        if (base::is_blank(value[i - 1]) && begins_comment(value.substr(i))) return true;
    }
    return false;
}

std::string shown(std::string_view text) { return "'" + base::printable(text, 60) + "'"; }

class Source {
public:
    explicit Source(std::string_view bytes) : rest_(bytes) {
        constexpr std::string_view bom = "\xef\xbb\xbf";
        if (rest_.starts_with(bom)) rest_.remove_prefix(bom.size());
    }

    Reading read() {
        const int result = ini_parse_stream(&Source::next_line, this, &Source::take_entry, this);
        if (result != 0 && reading_.remarks.empty()) remark("cannot be read as sections and keys");
        return std::move(reading_);
    }

private:
    // fgets as inih wants it, without line end. Lines that say nothing are passed over: each process of a session reads a file
    // that is mostly comment.
    static char* next_line(char* out, int size, void* self) noexcept {
        auto& source = *static_cast<Source*>(self);
        const std::size_t room = static_cast<std::size_t>(std::max(size, 1)) - 1;
        while (!source.rest_.empty()) {
            const std::string text = source.screened(source.cut_line(), std::min(room, line_limit));
            if (text.empty()) continue;
            const std::size_t length = std::min(text.size(), room);
            std::memcpy(out, text.data(), length);
            out[length] = '\0';
            return out;
        }
        return nullptr;
    }

    static int take_entry(void* self, const char* section, const char* key, const char* value) noexcept {
        auto& source = *static_cast<Source*>(self);
        if (*section == '\0') {
            source.remark("key " + shown(key) + " stands before any [section]");
        } else {
            source.reading_.entries.push_back({source.line_, section, key, value});
        }
        return 1;
    }

    std::string_view cut_line() {
        ++line_;
        const std::size_t end = rest_.find('\n');
        const std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        return line;
    }

    void remark(std::string what) { reading_.remarks.push_back({line_, std::move(what)}); }
    std::string refuse(std::string what) {
        remark(std::move(what));
        return {};
    }

    // What inih may see of a line; empty for comments and for lines refused.
    std::string screened(std::string_view raw, std::size_t limit) {
        const std::string_view line = base::trim(raw);
        if (!base::all_printable(line)) {
            for (const char c : line) {
                if (c == '\0') return refuse("holds a NUL byte; this is not a line of text");
                if (base::is_ctl(c) && c != '\t') return refuse("holds a control character");
            }
            if (!base::is_utf8(line)) return refuse("is not UTF-8 text");
        }
        if (line.empty() || begins_comment(line)) return {};
        if (line.front() == '[') return header(line);
        return assignment(line, limit);
    }

    std::string header(std::string_view line) {
        const std::size_t end = line.find(']');
        const std::string_view name = base::trim(line.substr(1, end == std::string_view::npos ? end : end - 1));
        if (end == std::string_view::npos) {
            remark("section header without ']'");
        } else if (end + 1 != line.size()) {
            remark("text after ']': " + shown(base::trim(line.substr(end + 1))) + "; a section header has its line alone");
        }
        if (!is_plain(name) || name.size() > section_limit) {
            // A missing ']' has been named already; its rest of the line is no name to complain about.
            if (end != std::string_view::npos) remark(shown(name) + " is not the name of a section");
            return std::string(lost_section);
        }
        reading_.openings.push_back({line_, std::string(name)});
        return "[" + std::string(name) + "]";
    }

    std::string assignment(std::string_view line, std::size_t limit) {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            return refuse("neither 'key = value' nor [section]: " + shown(line) + "; a value cannot continue on the next line");
        }
        const std::string_view key = base::trim(line.substr(0, equals));
        const std::string_view value = base::trim(line.substr(equals + 1));
        if (!is_plain(key)) return refuse(shown(key) + " before '=' is not a key");
        if (has_comment(value)) return refuse("a comment needs a line of its own: " + shown(value));
        std::string clean = std::string(key) + " = " + std::string(value);
        if (clean.size() > limit) {
            return refuse("longer than " + std::to_string(limit) +
                          " bytes; a list may be given in several lines that repeat its key");
        }
        return clean;
    }

    std::string_view rest_;
    unsigned line_ = 0;
    Reading reading_;
};

}  // namespace

Reading read_entries(std::string_view bytes) { return Source(bytes).read(); }

}  // namespace greylag::config
