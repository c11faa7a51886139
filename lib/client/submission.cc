#include "client/submission.hh"

#include <algorithm>
#include <array>

#include "base/ascii.hh"
#include "client/connection_state.hh"
#include "client/draft.hh"
#include "client/message.hh"
#include "mail/date.hh"
#include "mail/qualify.hh"

namespace greylag::smtp_client {

namespace {

using base::iequals;

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return iequals(one, name); });
}

// RFC 5322 3.6: once at most.
constexpr std::array<std::string_view, 11> once{"From", "Sender",  "Reply-To",   "To",          "Cc",        "Bcc",
                                                "Date", "Subject", "Message-ID", "In-Reply-To", "References"};
constexpr std::array<std::string_view, 4> unseen{"Bcc", "Dcc", "Resent-Bcc", "Resent-Dcc"};

std::unexpected<Failure> unusable(const Error& error) {
    return std::unexpected(failure_of(Failure::Kind::usage, "the message: " + error.text));
}

// A field of the options takes the place of the message's.
bool replaced(const Draft& d, std::string_view name) {
    const auto is_it = [&](const auto& given) { return iequals(given.first, name); };
    return is_one_of(name, once) && std::any_of(d.options.headers.begin(), d.options.headers.end(), is_it);
}

// A field, folded at blanks so that no line is long without need (RFC 5322 2.2.3).
std::string field(std::string_view name, std::string_view value) {
    constexpr std::size_t wanted = 78;
    std::string out(name);
    out += ':';
    std::size_t line = out.size();
    while (!value.empty()) {
        const std::size_t end = std::min(value.find(' ', 1), value.size());
        const std::string_view word = value.substr(0, end);
        value.remove_prefix(end);
        const bool blank = word.front() == ' ';
        if (line + word.size() + 1 > wanted && line > name.size() + 1 && blank && word.size() > 1) {
            out += "\r\n";
            line = 0;
        }
        if (!blank) out += ' ';
        out += word;
        line += word.size() + (blank ? 0 : 1);
    }
    return out + "\r\n";
}

std::string supplied(const Draft& d) {
    std::string out;
    const auto add = [&](std::string_view name, std::string_view value) { out += field(d.named(name), value); };
    if (!d.from.empty()) add("From", mail::qualify(d.from, d.who.host));
    if (!d.sender_field.empty()) add("Sender", mail::qualify(d.sender_field, d.who.host));
    if (!d.values("To") && !d.values("Cc"))
        add("To", d.open.size() == 1 && !d.values("Dcc") ? d.open.front().text() : "undisclosed-recipients:;");
    if (!d.values("Date")) add("Date", mail::rfc5322_date(d.who.now));
    if (!d.values("Message-ID")) add("Message-ID", "<" + d.who.unique + "@" + d.who.host + ">");
    return out;
}

// Resent- fields stand in front of everything, the others behind what was there.
std::string header_of(const Draft& d) {
    std::string before, own, after;
    std::vector<std::string> done;
    for (const auto& [name, value] : d.options.headers) {
        if (is_one_of(name, unseen)) continue;
        std::string& to = is_resent(name) ? before : after;
        const std::string_view plain = is_resent(name) ? std::string_view(name).substr(7) : name;
        const std::string key = base::lower(name);
        if (!is_one_of(plain, once)) {
            to += field(name, base::trim(value));
        } else if (std::find(done.begin(), done.end(), key) == done.end()) {
            done.push_back(key);
            std::string all;
            for (const auto& [other, more] : d.options.headers)
                if (iequals(other, name)) all += (all.empty() ? "" : ", ") + std::string(base::trim(more));
            to += field(name, all);
        }
    }
    for (const auto& f : d.header.fields) {
        if (is_one_of(f.name, unseen) || replaced(d, f.name)) continue;
        own += f.whole;
        if (!own.ends_with('\n')) own += "\r\n";
    }
    (d.resent ? before : after).insert(0, supplied(d));
    return std::string(d.from_line) + before + own + after;
}

Result<void> convert(const Draft& d, Envelope& envelope, const std::string& header, std::string_view body) {
    client::Conversion how;
    how.host = d.who.host;
    how.unique = d.who.unique;
    how.now = d.who.now;
    how.sender = d.sender;
    client::MessageConverter converter(std::move(how));
    envelope.message.reserve(header.size() + body.size() + body.size() / 32);
    for (const std::string_view piece : {std::string_view(header), std::string_view("\n"), body})
        if (auto fed = converter.feed(piece, envelope.message); !fed) return unusable(fed.error());
    if (auto done = converter.finish(envelope.message); !done) return unusable(done.error());
    envelope.traits = converter.traits();
    return {};
}

// A digest of one (RFC 2046 5.1.5): whoever answers it to all does not betray that he was there.
Result<void> enclose(const Draft& d, Submission& out) {
    Envelope& blind = out.blind.emplace();
    blind.sender = d.sender;
    blind.recipients = d.blind;
    std::string boundary = "=_" + d.who.unique;
    while (out.open.message.find(boundary) != std::string::npos) boundary += "=_";
    std::string subject = "[" + d.named("Bcc") + "]";
    const auto* text = &d.options.headers;
    const auto given_subject =
        std::find_if(text->begin(), text->end(), [](const auto& h) { return iequals(h.first, "Subject"); });
    if (given_subject != text->end()) {
        subject += " " + given_subject->second;
    } else {
        for (const auto& f : d.header.fields)
            if (iequals(f.name, "Subject")) subject += " " + mail::unfold(f.value);
    }
    const std::string coding = out.open.traits.eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "";
    const std::string header = field("From", mail::qualify(d.originator, d.who.host)) +
                               "To: undisclosed-recipients:;\r\nBcc:\r\n" + field("Subject", subject) +
                               field("Date", mail::rfc5322_date(d.who.now)) +
                               field("Message-ID", "<" + d.who.unique + ".bcc@" + d.who.host + ">") +
                               "MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=\"" + boundary + "\"\r\n" + coding +
                               "Content-Description: Blind Carbon Copy\r\n";
    const std::string body = "--" + boundary + "\r\nContent-Type: message/rfc822\r\n" + coding +
                             "Content-Description: Original Message\r\n\r\n" + out.open.message + "\r\n--" + boundary + "--\r\n";
    return convert(d, blind, header, body);
}

}  // namespace

bool Envelope::needs_utf8() const {
    const auto wide = [](const mail::Path& path) { return !path.is_null() && path.mailbox().is_utf8(); };
    return wide(sender) || std::any_of(recipients.begin(), recipients.end(), wide);
}

Result<Submission> prepare(const Options& options, std::string_view message, const Identity& who) {
    const Draft draft = TRY(read_draft(options, message, who));
    Submission out;
    out.open.sender = draft.sender;
    out.open.recipients = draft.open.empty() ? draft.blind : draft.open;
    TRY(convert(draft, out.open, header_of(draft), draft.body));
    if (!draft.open.empty() && !draft.blind.empty()) TRY(enclose(draft, out));
    return out;
}

}  // namespace greylag::smtp_client
