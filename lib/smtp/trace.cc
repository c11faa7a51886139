// Whatever the values are, exactly one field comes out: what its grammar cannot carry is written as '?' or left out.
#include "smtp/trace.hh"

#include "base/ascii.hh"
#include "base/utf8.hh"
#include "mail/date.hh"

namespace greylag::smtp {

namespace {

// Octets that could end the word, a comment or the line never pass.
std::string clean(std::string_view text, std::string_view also) {
    std::string out(text);
    for (char& c : out) {
        if (!base::is_alnum(c) && also.find(c) == std::string_view::npos) c = '?';
    }
    return out;
}
std::string clean_name(std::string_view text) { return clean(text, "-._:[]+"); }
std::string clean_comment(std::string_view text) { return clean(text, " -._:/,=+"); }

bool is_carried(std::string_view text, bool utf8) {
    for (const char c : text) {
        if (base::is_ctl(c)) return false;
    }
    return base::is_ascii(text) || (utf8 && base::is_utf8(text));
}

// RFC 5322 2.1.1: lines of 78 where words allow.
class Folder {
public:
    explicit Folder(std::string_view name) : text_(name), column_(name.size()) {}
    void add(const std::string& words) {
        if (column_ + 1 + words.size() > 78) {
            next_line(words);
        } else {
            text_ += ' ' + words;
            column_ += 1 + words.size();
        }
    }
    void next_line(const std::string& words) {
        text_ += "\n\t" + words;
        column_ = 1 + words.size();
    }
    std::string finish() && { return std::move(text_) + '\n'; }

private:
    std::string text_;
    std::size_t column_;
};

std::string peer_comment(const Trace& trace) {
    std::string out = "(";
    if (!trace.peer_name.empty()) out += clean_name(trace.peer_name) + ' ';
    return out + (trace.peer ? trace.peer->literal() : "unknown") + ')';
}

}  // namespace

std::string with_protocol(const Trace& trace) {
    if (!trace.extended) return "SMTP";
    std::string out = trace.utf8 ? "UTF8SMTP" : "ESMTP";
    if (trace.tls) out += 'S';
    if (trace.authenticated) out += 'A';
    return out;
}

std::string received_field(const Trace& trace) {
    Folder field("Received:");
    field.add("from " + clean_name(trace.helo));
    field.add(peer_comment(trace));
    if (!trace.tls_description.empty()) field.next_line("(using " + clean_comment(trace.tls_description) + ')');
    field.next_line("by " + clean_name(trace.by));
    field.add("with " + with_protocol(trace));
    std::string last = "id " + clean_name(trace.id);
    if (trace.only_recipient) {
        const std::string recipient = trace.only_recipient->bracketed();
        if (is_carried(recipient, trace.utf8)) {
            field.add(last);
            last = "for " + recipient;
        }
    }
    field.add(last + ';');
    field.add(mail::rfc5322_date(trace.when));
    return std::move(field).finish();
}

std::string from_line(const mail::Path& sender, bool bang, base::WallTime when) {
    std::string name = sender.is_null() ? "/dev/null" : bang ? sender.bang() : sender.text();
    for (char& c : name) {
        if (base::is_ctl(c)) c = '?';
    }
    return "From " + name + ' ' + mail::ctime_date(when) + " remote from \n";
}

}  // namespace greylag::smtp
