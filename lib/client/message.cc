#include "client/message.hh"

#include <algorithm>
#include <cstring>

#include "base/ascii.hh"
#include "base/utf8.hh"
#include "mail/date.hh"
#include "mail/header.hh"
#include "mail/qualify.hh"

namespace greylag::client {

namespace {

constexpr std::size_t longest_line = 998;
constexpr std::size_t piece_limit = 256 << 10;  // of a body at a time: what it may grow to is claimed before

bool any_8bit(std::string_view text) {
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + i, sizeof word);
        if ((word & 0x8080808080808080u) != 0) return true;
    }
    return std::any_of(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), base::is_8bit);
}

const char* find(std::string_view text, char c) {
    return text.empty() ? nullptr : static_cast<const char*>(std::memchr(text.data(), c, text.size()));
}

bool is_field(std::string_view line) { return !mail::parse_header(line).fields.empty(); }

// A phrase fit to stand before <address>.
std::string phrase(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (base::is_ctl(c)) continue;
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

// Whether the field of the header may go out, and how.
std::string converted(const mail::HeaderField& field, const Conversion& how) {
    if (base::iequals(field.name, "Bcc") || base::iequals(field.name, "Resent-Bcc")) return {};
    if (!mail::holds_addresses(field.name)) return std::string(field.whole);
    const std::size_t front = static_cast<std::size_t>(field.value.data() - field.whole.data());
    std::string out(field.whole.substr(0, front));
    out += mail::qualify(field.value, how.host, how.suffix);
    out += field.whole.substr(front + field.value.size());
    return out;
}

}  // namespace

Result<void> MessageConverter::feed(std::string_view bytes, std::string& out) {
    while (!bytes.empty()) {
        if (at_ == At::body && !cr_) take_run(bytes, out);
        const auto* lf = find(bytes, '\n');
        const std::size_t size = lf == nullptr ? bytes.size() : static_cast<std::size_t>(lf - bytes.data());
        std::string_view text = bytes.substr(0, size);
        bytes.remove_prefix(size);
        if (cr_ && !text.empty()) cr_ = false;
        lines(text, out);
        if (lf != nullptr) {
            bytes.remove_prefix(1);
            if (!cr_) end_line(out);
            cr_ = false;
        }
        if (too_long_) return base::fail(Kind::limit, "the header of the message is longer than 4 MiB");
    }
    return {};
}

// The hot path: lines of the body that end in LF or CRLF and hold no other CR, as many as stand at the front of `bytes`.
void MessageConverter::take_run(std::string_view& bytes, std::string& out) {
    const std::string_view run = bytes.substr(0, piece_limit);
    const bool any_cr = find(run, '\r') != nullptr;
    const std::size_t before = out.size();
    const char* from = run.data();
    const char* const end = from + run.size();
    out.resize_and_overwrite(before + 2 * run.size(), [&](char* data, std::size_t) {
        char* to = data + before;
        while (from != end) {
            const std::string_view rest(from, static_cast<std::size_t>(end - from));
            const auto* lf = find(rest, '\n');
            if (lf == nullptr) break;
            std::string_view line(from, static_cast<std::size_t>(lf - from));
            if (any_cr && line.ends_with('\r')) line.remove_suffix(1);
            if (any_cr && find(line, '\r') != nullptr) break;
            if (octets_ == 0 && line.starts_with('.')) traits_.dots = true;
            if (octets_ + line.size() > longest_line) traits_.long_lines = true;
            std::memcpy(to, line.data(), line.size());
            to += line.size();
            *to++ = '\r';
            *to++ = '\n';
            octets_ = 0;
            from = lf + 1;
        }
        return static_cast<std::size_t>(to - data);
    });
    const std::string_view taken(out.data() + before, out.size() - before);
    traits_.octets += taken.size();
    if (!traits_.eight_bit && any_8bit(taken)) traits_.eight_bit = true;
    bytes.remove_prefix(static_cast<std::size_t>(from - run.data()));
}

// Up to the next LF: each CR ends a line of its own.
void MessageConverter::lines(std::string_view text, std::string& out) {
    for (;;) {
        const auto* cr = find(text, '\r');
        if (cr == nullptr) return piece(text, out);
        const auto size = static_cast<std::size_t>(cr - text.data());
        piece(text.substr(0, size), out);
        end_line(out);
        text.remove_prefix(size + 1);
        cr_ = text.empty();
    }
}

void MessageConverter::piece(std::string_view text, std::string& out) {
    if (at_ != At::body) {
        line_ += text;
        too_long_ = too_long_ || line_.size() + header_.size() > header_limit;
        return;
    }
    if (octets_ == 0 && text.starts_with('.')) traits_.dots = true;
    octets_ += text.size();
    if (octets_ > longest_line) traits_.long_lines = true;
    if (!traits_.eight_bit && any_8bit(text)) traits_.eight_bit = true;
    traits_.octets += text.size();
    out += text;
}

void MessageConverter::end_line(std::string& out) {
    if (at_ != At::body) return header_line(out);
    out += "\r\n";
    traits_.octets += 2;
    octets_ = 0;
}

void MessageConverter::header_line(std::string& out) {
    std::string line;
    line.swap(line_);
    if (at_ == At::start && line.starts_with("From ")) {
        from_line_date_ = from_line_date(line, how_.now);
        at_ = At::header;
        return;
    }
    at_ = At::header;
    if (line.empty()) return end_header(out);
    const bool continues = base::is_blank(line.front()) && !header_.empty();
    if (continues || is_field(line)) {
        header_.append(line).append("\r\n");
        return;
    }
    end_header(out);
    piece(line, out);
    end_line(out);
}

void MessageConverter::end_header(std::string& out) {
    std::string text = supplied(header_);
    for (const auto& field : mail::parse_header(header_).fields) text += converted(field, how_);
    text += "\r\n";
    header_ = std::string();
    at_ = At::body;
    emit(text, out);
}

void MessageConverter::emit(std::string_view text, std::string& out) {
    traits_.octets += text.size();
    if (any_8bit(text)) {
        traits_.eight_bit = true;
        traits_.utf8_header = base::is_utf8(text);
    }
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = rest.find("\r\n");
        if (end > longest_line) traits_.long_lines = true;
        if (rest.front() == '.') traits_.dots = true;
        rest.remove_prefix(end + 2);
    }
    out += text;
}

std::string MessageConverter::supplied(std::string_view header) const {
    bool id = false, from = false, date = false, destination = false;
    for (const auto& field : mail::parse_header(header).fields) {
        const auto is = [&](std::string_view name) { return base::iequals(field.name, name); };
        id = id || is("Message-ID");
        from = from || is("From");
        date = date || is("Date");
        destination = destination || is("To") || is("Cc") || is("Bcc");
    }
    std::string out;
    if (!id) out += "Message-ID: <" + how_.unique + "@" + how_.host + ">\r\n";
    if (!from) out += from_field();
    if (!destination && !how_.recipients.empty()) out += to_field();
    if (!date) out += "Date: " + mail::rfc5322_date(from_line_date_.value_or(how_.now)) + "\r\n";
    return out;
}

std::string MessageConverter::from_field() const {
    if (how_.sender.is_null()) return "From: Postmaster@" + how_.host + "\r\n";
    const std::string address = how_.sender.text();
    if (how_.full_name.empty()) return "From: " + address + "\r\n";
    return "From: " + phrase(how_.full_name) + " <" + address + ">\r\n";
}

// Recipients must not learn of each other what no field told them.
std::string MessageConverter::to_field() const {
    if (how_.recipients.size() > 1) return "To: undisclosed-recipients:;\r\n";
    return "To: " + how_.recipients.front().text() + "\r\n";
}

Result<void> MessageConverter::finish(std::string& out) {
    if (at_ != At::body && !line_.empty()) header_line(out);
    if (at_ != At::body) end_header(out);
    if (octets_ != 0) end_line(out);
    return {};
}

std::optional<base::WallTime> from_line_date(std::string_view line, base::WallTime now) {
    const auto words = base::words(line);
    // From sender Sat Nov 21 23:44:04 [zone] 2026 [zone]
    for (std::size_t i = 2; i + 4 < words.size(); ++i) {
        const std::string_view time = words[i + 3];
        if (words[i].size() != 3 || words[i + 1].size() != 3 || std::count(time.begin(), time.end(), ':') == 0) continue;
        std::size_t year = i + 4;
        std::string zone;
        const auto is_year = [&](std::size_t k) {
            return k < words.size() && words[k].size() == 4 && base::parse_number<unsigned>(words[k]);
        };
        if (!is_year(year)) zone = words[year++];
        if (!is_year(year)) return std::nullopt;
        if (zone.empty() && year + 1 < words.size() && words[year + 1] != "remote") zone = words[year + 1];
        const std::string date =
            std::string(words[i + 2]) + " " + std::string(words[i + 1]) + " " + std::string(words[year]) + " ";
        if (!zone.empty()) {
            if (auto when = mail::parse_date(date + std::string(time) + " " + zone)) return when;
        }
        auto when = mail::parse_date(date + std::string(time) + " +0000");
        if (!when) return std::nullopt;
        return base::WallTime{when->seconds - now.offset_minutes * 60, now.offset_minutes};
    }
    return std::nullopt;
}

void LineFolder::feed(std::string_view bytes, std::string& out) {
    while (!bytes.empty()) {
        const std::size_t lf = bytes.find('\n');
        const bool ends = lf != std::string_view::npos;
        std::string_view text = bytes.substr(0, ends ? lf + 1 : lf);
        bytes.remove_prefix(text.size());
        while (!text.empty()) {
            const std::size_t room = std::min(text.size(), limit + 2 - line_.size());
            line_ += text.substr(0, room);
            text.remove_prefix(room);
            const bool whole = line_.ends_with("\r\n");
            if (!whole && line_.size() >= limit + 2) cut(out);
            if (!whole) continue;
            if (line_ == "\r\n" && !continued_) in_header_ = false;
            out += line_;
            line_.clear();
            continued_ = false;
        }
    }
}

void LineFolder::cut(std::string& out) {
    std::size_t at = limit - 1;
    if (in_header_) {
        const std::size_t blank = line_.find_last_of(" \t", at);
        const bool natural = blank != std::string::npos && blank > 1 && line_.find_first_not_of(" \t") < blank;
        if (natural) at = blank;
        out.append(line_, 0, at).append("\r\n");
        line_.erase(0, at);
        if (!natural) line_.insert(0, " ");
    } else {
        while (at > limit - 4 && (static_cast<unsigned char>(line_[at]) & 0xc0) == 0x80) --at;
        out.append(line_, 0, at).append("\r\n");
        line_.erase(0, at);
    }
    continued_ = true;
}

void LineFolder::finish(std::string& out) { out += line_; }

}  // namespace greylag::client
