#include "mail/header.hh"

#include <algorithm>

#include "base/ascii.hh"

namespace greylag::mail {
namespace {

// The line at the front of `text`, its end included.
std::string_view first_line(std::string_view text) {
    const std::size_t end = text.find('\n');
    return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

std::string_view without_end(std::string_view line) {
    if (!line.ends_with('\n')) return line;
    line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

// The octets of the field name at the front of `line`, or 0. Blanks before the colon are RFC 822's (RFC 5322 4.5).
std::size_t name_size(std::string_view line) {
    std::size_t size = 0;
    while (size < line.size() && base::is_printable(line[size]) && line[size] != ' ' && line[size] != ':') ++size;
    const std::size_t colon = std::min(line.find_first_not_of(" \t", size), line.size());
    return colon < line.size() && line[colon] == ':' ? size : 0;
}

}  // namespace

Header parse_header(std::string_view message) {
    Header header;
    while (header.end < message.size()) {
        const std::string_view rest = message.substr(header.end);
        std::string_view line = first_line(rest);
        if (line == "\n" || line == "\r\n") {
            header.end += line.size();
            break;
        }
        const std::size_t name = name_size(line);
        if (name == 0) break;
        std::size_t size = line.size();
        while (line.ends_with('\n') && size < rest.size() && base::is_blank(rest[size])) {
            line = first_line(rest.substr(size));
            size += line.size();
        }
        const std::string_view whole = rest.substr(0, size);
        header.fields.push_back({whole.substr(0, name), without_end(whole.substr(whole.find(':') + 1)), whole});
        header.end += size;
    }
    return header;
}

std::string unfold(std::string_view value) {
    std::string out;
    while (!value.empty()) {
        const std::string_view line = first_line(value);
        value.remove_prefix(line.size());
        out += !value.empty() && base::is_blank(value.front()) ? without_end(line) : line;
    }
    return std::string{base::trim(out)};
}

FieldCounter::FieldCounter(std::string_view name) : name_(base::lower(name)) {}

void FieldCounter::feed(std::string_view bytes) {
    std::size_t i = 0;
    for (; i < bytes.size() && in_header_; ++i) {
        if (at_ == At::rest) i = std::min(bytes.find('\n', i), bytes.size() - 1);
        step(bytes[i]);
    }
    octets_ += i;
}

void FieldCounter::step(char c) {
    if (c == '\n') {
        if (at_ == At::line_start || at_ == At::carriage_return) in_header_ = false;
        at_ = At::line_start;
        matched_ = 0;
    } else if (at_ == At::line_start && c == '\r') {
        at_ = At::carriage_return;
    } else if ((at_ == At::line_start || at_ == At::name) && matched_ < name_.size()) {
        at_ = base::to_lower(c) == name_[matched_++] ? At::name : At::rest;
        if (at_ == At::name && matched_ == name_.size()) at_ = At::colon;
    } else if (at_ == At::colon && base::is_blank(c)) {
        at_ = At::colon;
    } else {
        if (at_ == At::colon && c == ':') ++count_;
        at_ = At::rest;
    }
}

}  // namespace greylag::mail
