#include "client/submission.hh"

#include <algorithm>
#include <array>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "client/connection_state.hh"
#include "client/message.hh"
#include "mail/date.hh"
#include "mail/header.hh"
#include "mail/qualify.hh"

namespace greylag::smtp_client {

namespace {

using Fields = std::vector<mail::HeaderField>;
using base::iequals;

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return iequals(one, name); });
}

// What says how the body is to be read belongs to who made the body.
constexpr std::array<std::string_view, 4> not_ours{"Content-Type", "Content-Transfer-Encoding", "Content-MD5", "MIME-Version"};
// RFC 5322 3.6: once at most.
constexpr std::array<std::string_view, 11> once{"From", "Sender",  "Reply-To",   "To",          "Cc",        "Bcc",
                                                "Date", "Subject", "Message-ID", "In-Reply-To", "References"};
constexpr std::array<std::string_view, 4> unseen{"Bcc", "Dcc", "Resent-Bcc", "Resent-Dcc"};

std::unexpected<Failure> usage(std::string text) { return std::unexpected(failure_of(Failure::Kind::usage, std::move(text))); }

bool is_field_name(std::string_view name) {
    return !name.empty() && name.size() < 70 &&
           std::all_of(name.begin(), name.end(), [](char c) { return base::is_printable(c) && c != ' ' && c != ':'; });
}

bool is_resent(std::string_view name) { return base::istarts_with(name, "Resent-"); }

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

class Preparation {
public:
    Preparation(const Options& options, const Identity& who) : options_(options), who_(who) {}

    Result<Submission> run(std::string_view message) {
        read(message);
        for (const auto& step : {&Preparation::check_headers, &Preparation::find_sender, &Preparation::find_recipients})
            if (auto done = (this->*step)(); !done) return std::unexpected(std::move(done).error());
        Submission out;
        out.open.sender = sender_;
        out.open.recipients = open_.empty() ? blind_ : open_;
        auto made = convert(out.open, header(), body_);
        if (made && !open_.empty() && !blind_.empty()) made = enclose(out);
        if (!made) return std::unexpected(std::move(made).error());
        return out;
    }

private:
    void read(std::string_view message);
    Result<void> check_headers();
    Result<void> find_sender();
    Result<void> find_recipients();
    Result<std::vector<mail::Path>> addresses(std::string_view text, const std::string& where) const;
    std::string header() const;
    std::string supplied() const;
    Result<void> convert(Envelope& envelope, const std::string& header, std::string_view body) const;
    Result<void> enclose(Submission& out) const;

    std::string named(std::string_view name) const { return (resent_ ? "Resent-" : "") + std::string(name); }
    bool given(std::string_view name) const {
        return std::any_of(options_.headers.begin(), options_.headers.end(),
                           [&](const auto& h) { return iequals(h.first, name); });
    }
    // The values of From, To ... or of their Resent- kin, joined; nothing when there is none.
    std::optional<std::string> values(std::string_view plain) const;
    bool replaced(std::string_view name) const { return given(name) && is_one_of(name, once); }

    const Options& options_;
    const Identity& who_;
    std::string_view from_line_, body_;
    mail::Header header_;
    std::size_t top_ = 0;  // fields in front of the first Received
    bool resent_ = false, resent_given_ = false;
    mail::Path sender_ = mail::Path::null();
    std::string originator_;  // as it was written
    std::vector<mail::Path> open_, blind_;
    std::string from_, sender_field_;  // to be supplied; or empty
};

void Preparation::read(std::string_view message) {
    if (message.starts_with("From ") || message.starts_with(">From ")) {
        from_line_ = message.substr(0, std::min(message.find('\n'), message.size() - 1) + 1);
        message.remove_prefix(from_line_.size());
    }
    header_ = mail::parse_header(message);
    body_ = message.substr(header_.end);
    const auto received =
        std::find_if(header_.fields.begin(), header_.fields.end(), [](const auto& f) { return iequals(f.name, "Received"); });
    top_ = static_cast<std::size_t>(received - header_.fields.begin());
    resent_given_ =
        std::any_of(options_.headers.begin(), options_.headers.end(), [](const auto& h) { return is_resent(h.first); });
    resent_ = resent_given_ || std::any_of(header_.fields.begin(), received, [](const auto& f) { return is_resent(f.name); });
}

Result<void> Preparation::check_headers() {
    for (const auto& [name, value] : options_.headers) {
        if (!is_field_name(name)) return usage(base::quoted(name, 80) + " is no name of a header field");
        if (is_one_of(name, not_ours)) return usage("the field " + name + " cannot be given: it belongs to the body");
        if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            return usage("a line end or NUL in the value of " + name);
    }
    return {};
}

std::optional<std::string> Preparation::values(std::string_view plain) const {
    const std::string name = named(plain);
    std::optional<std::string> out;
    const auto add = [&out](std::string_view value) {
        value = base::trim(value);
        if (!out) out.emplace();
        if (!out->empty() && !value.empty()) *out += ", ";
        *out += value;
    };
    for (const auto& [given_name, value] : options_.headers)
        if (iequals(given_name, name)) add(value);
    if (out) return out;
    // The message's own block of Resent- fields is another's when ours is given.
    const std::size_t end = resent_ ? (resent_given_ ? 0 : top_) : header_.fields.size();
    for (std::size_t i = 0; i < end; ++i)
        if (iequals(header_.fields[i].name, name)) add(mail::unfold(header_.fields[i].value));
    return out;
}

Result<std::vector<mail::Path>> Preparation::addresses(std::string_view text, const std::string& where) const {
    const auto list = mail::address_list(mail::qualify(text, who_.host));
    std::vector<mail::Path> out;
    if (list.unread != 0) return usage(where + ": an address cannot be read in " + base::quoted(text, 200));
    for (const auto& address : list.found) {
        auto mailbox = mail::Mailbox::parse(address, mail::Domain::Allow::utf8);
        if (!mailbox) return usage(where + ": " + mailbox.error().text);
        const auto same = [&](const mail::Path& known) { return known.mailbox() == *mailbox; };
        if (std::none_of(out.begin(), out.end(), same)) out.push_back(mail::Path::of(*std::move(mailbox)));
    }
    return out;
}

Result<void> Preparation::find_sender() {
    const auto from = values("From");
    originator_ = !options_.originator.empty() ? options_.originator : from ? *from : who_.login;
    if (!from) from_ = originator_;
    auto authors = addresses(from ? *from : originator_, from ? named("From") : "the originator");
    if (!authors) return std::unexpected(std::move(authors).error());
    if (from && authors->empty()) return usage(named("From") + " holds no address");
    if (options_.null_originator) return {};

    std::string where = "the originator";
    auto senders = std::move(authors);
    const auto author = senders->size() == 1 ? std::optional(senders->front()) : std::nullopt;
    if (!options_.originator.empty()) {
        senders = addresses(options_.originator, where);
    } else if (senders->size() > 1) {
        where = named("From");
        if (const auto sender = values("Sender")) senders = addresses(*sender, named("Sender"));
    }
    if (!senders) return std::unexpected(std::move(senders).error());
    if (senders->size() > 1) return usage("too many mailboxes in " + where + ": " + base::quoted(originator_, 200));
    if (senders->empty()) return usage("no address in " + where + ": " + base::quoted(originator_, 200));
    sender_ = senders->front();
    const bool same = author && author->mailbox() == sender_.mailbox();
    if (!same && !values("Sender")) sender_field_ = options_.originator.empty() ? sender_.text() : options_.originator;
    return {};
}

Result<void> Preparation::find_recipients() {
    if (!options_.recipients.empty()) {
        auto found = addresses(options_.recipients, "the recipients");
        if (!found) return std::unexpected(std::move(found).error());
        open_ = *std::move(found);
        return open_.empty() ? Result<void>(usage("no address in the recipients")) : Result<void>();
    }
    const auto add = [this](const char* name, std::vector<mail::Path>& to) -> Result<void> {
        const auto text = values(name);
        auto found = addresses(text ? *text : "", named(name));
        if (!found) return std::unexpected(std::move(found).error());
        for (auto& path : *found) {
            const auto same = [&](const mail::Path& known) { return known.mailbox() == path.mailbox(); };
            if (std::none_of(open_.begin(), open_.end(), same)) to.push_back(std::move(path));
        }
        return {};
    };
    for (const char* name : {"To", "Cc", "Dcc"})
        if (auto done = add(name, open_); !done) return done;
    if (auto done = add("Bcc", blind_); !done) return done;
    if (open_.empty() && blind_.empty())
        return usage("no recipient: there is none in " + named("To") + ", " + named("Cc") + " and " + named("Bcc"));
    return {};
}

std::string Preparation::supplied() const {
    std::string out;
    const auto add = [&](std::string_view name, std::string_view value) { out += field(named(name), value); };
    if (!from_.empty()) add("From", mail::qualify(from_, who_.host));
    if (!sender_field_.empty()) add("Sender", mail::qualify(sender_field_, who_.host));
    if (!values("To") && !values("Cc"))
        add("To", open_.size() == 1 && !values("Dcc") ? open_.front().text() : "undisclosed-recipients:;");
    if (!values("Date")) add("Date", mail::rfc5322_date(who_.now));
    if (!values("Message-ID")) add("Message-ID", "<" + who_.unique + "@" + who_.host + ">");
    return out;
}

// Resent- fields stand in front of everything, the others behind what was there.
std::string Preparation::header() const {
    std::string before, own, after;
    std::vector<std::string> done;
    for (const auto& [name, value] : options_.headers) {
        if (is_one_of(name, unseen)) continue;
        std::string& to = is_resent(name) ? before : after;
        const std::string_view plain = is_resent(name) ? std::string_view(name).substr(7) : name;
        const std::string key = base::lower(name);
        if (!is_one_of(plain, once)) {
            to += field(name, base::trim(value));
        } else if (std::find(done.begin(), done.end(), key) == done.end()) {
            done.push_back(key);
            std::string all;
            for (const auto& [other, more] : options_.headers)
                if (iequals(other, name)) all += (all.empty() ? "" : ", ") + std::string(base::trim(more));
            to += field(name, all);
        }
    }
    for (const auto& f : header_.fields) {
        if (is_one_of(f.name, unseen) || replaced(f.name)) continue;
        own += f.whole;
        if (!own.ends_with('\n')) own += "\r\n";
    }
    (resent_ ? before : after).insert(0, supplied());
    return std::string(from_line_) + before + own + after;
}

Result<void> Preparation::convert(Envelope& envelope, const std::string& header, std::string_view body) const {
    client::Conversion how;
    how.host = who_.host;
    how.unique = who_.unique;
    how.now = who_.now;
    how.sender = sender_;
    client::MessageConverter converter(std::move(how));
    envelope.message.reserve(header.size() + body.size() + body.size() / 32);
    for (const std::string_view piece : {std::string_view(header), std::string_view("\n"), body})
        if (auto fed = converter.feed(piece, envelope.message); !fed) return usage("the message: " + fed.error().text);
    if (auto done = converter.finish(envelope.message); !done) return usage("the message: " + done.error().text);
    envelope.traits = converter.traits();
    return {};
}

// A digest of one (RFC 2046 5.1.5): whoever answers it to all does not betray that he was there.
Result<void> Preparation::enclose(Submission& out) const {
    Envelope& blind = out.blind.emplace();
    blind.sender = sender_;
    blind.recipients = blind_;
    std::string boundary = "=_" + who_.unique;
    while (out.open.message.find(boundary) != std::string::npos) boundary += "=_";
    std::string subject = "[" + named("Bcc") + "]";
    const auto* text = &options_.headers;
    const auto given_subject =
        std::find_if(text->begin(), text->end(), [](const auto& h) { return iequals(h.first, "Subject"); });
    if (given_subject != text->end()) {
        subject += " " + given_subject->second;
    } else {
        for (const auto& f : header_.fields)
            if (iequals(f.name, "Subject")) subject += " " + mail::unfold(f.value);
    }
    const std::string coding = out.open.traits.eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "";
    const std::string header = field("From", mail::qualify(originator_, who_.host)) + "To: undisclosed-recipients:;\r\nBcc:\r\n" +
                               field("Subject", subject) + field("Date", mail::rfc5322_date(who_.now)) +
                               field("Message-ID", "<" + who_.unique + ".bcc@" + who_.host + ">") +
                               "MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=\"" + boundary + "\"\r\n" + coding +
                               "Content-Description: Blind Carbon Copy\r\n";
    const std::string body = "--" + boundary + "\r\nContent-Type: message/rfc822\r\n" + coding +
                             "Content-Description: Original Message\r\n\r\n" + out.open.message + "\r\n--" + boundary + "--\r\n";
    return convert(blind, header, body);
}

}  // namespace

bool Envelope::needs_utf8() const {
    const auto wide = [](const mail::Path& path) { return !path.is_null() && path.mailbox().is_utf8(); };
    return wide(sender) || std::any_of(recipients.begin(), recipients.end(), wide);
}

Result<Submission> prepare(const Options& options, std::string_view message, const Identity& who) {
    return Preparation(options, who).run(message);
}

}  // namespace greylag::smtp_client
