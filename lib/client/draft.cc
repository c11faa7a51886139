#include "client/draft.hh"

#include <algorithm>
#include <array>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "client/connection_state.hh"
#include "mail/qualify.hh"

namespace greylag::smtp_client {

namespace {

using base::iequals;

// What says how the body is to be read belongs to who made the body.
constexpr std::array<std::string_view, 4> not_ours{"Content-Type", "Content-Transfer-Encoding", "Content-MD5", "MIME-Version"};

std::unexpected<Failure> usage(std::string text) { return std::unexpected(failure_of(Failure::Kind::usage, std::move(text))); }

bool is_field_name(std::string_view name) {
    return !name.empty() && name.size() < 70 &&
           std::all_of(name.begin(), name.end(), [](char c) { return base::is_printable(c) && c != ' ' && c != ':'; });
}

void read_message(Draft& d, std::string_view message) {
    if (message.starts_with("From ") || message.starts_with(">From ")) {
        d.from_line = message.substr(0, std::min(message.find('\n'), message.size() - 1) + 1);
        message.remove_prefix(d.from_line.size());
    }
    d.header = mail::parse_header(message);
    d.body = message.substr(d.header.end);
    const auto received =
        std::find_if(d.header.fields.begin(), d.header.fields.end(), [](const auto& f) { return iequals(f.name, "Received"); });
    d.top = static_cast<std::size_t>(received - d.header.fields.begin());
    d.resent_given =
        std::any_of(d.options.headers.begin(), d.options.headers.end(), [](const auto& h) { return is_resent(h.first); });
    d.resent = d.resent_given || std::any_of(d.header.fields.begin(), received, [](const auto& f) { return is_resent(f.name); });
}

Result<void> check_headers(const Options& options) {
    for (const auto& [name, value] : options.headers) {
        if (!is_field_name(name)) return usage(base::quoted(name, 80) + " is no name of a header field");
        if (std::any_of(not_ours.begin(), not_ours.end(), [&](auto one) { return iequals(one, name); }))
            return usage("the field " + name + " cannot be given: it belongs to the body");
        if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            return usage("a line end or NUL in the value of " + name);
    }
    return {};
}

Result<std::vector<mail::Path>> addresses(const Draft& d, std::string_view text, const std::string& where) {
    const auto list = mail::address_list(mail::qualify(text, d.who.host));
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

Result<void> find_sender(Draft& d) {
    const auto from = d.values("From");
    d.originator = !d.options.originator.empty() ? d.options.originator : from ? *from : d.who.login;
    if (!from) d.from = d.originator;
    auto authors = addresses(d, from ? *from : d.originator, from ? d.named("From") : "the originator");
    if (!authors) return std::unexpected(std::move(authors).error());
    if (from && authors->empty()) return usage(d.named("From") + " holds no address");
    if (d.options.null_originator) return {};

    std::string where = "the originator";
    auto senders = std::move(authors);
    const auto author = senders->size() == 1 ? std::optional(senders->front()) : std::nullopt;
    if (!d.options.originator.empty()) {
        senders = addresses(d, d.options.originator, where);
    } else if (senders->size() > 1) {
        where = d.named("From");
        if (const auto sender = d.values("Sender")) senders = addresses(d, *sender, d.named("Sender"));
    }
    if (!senders) return std::unexpected(std::move(senders).error());
    if (senders->size() > 1) return usage("too many mailboxes in " + where + ": " + base::quoted(d.originator, 200));
    if (senders->empty()) return usage("no address in " + where + ": " + base::quoted(d.originator, 200));
    d.sender = senders->front();
    const bool same = author && author->mailbox() == d.sender.mailbox();
    if (!same && !d.values("Sender")) d.sender_field = d.options.originator.empty() ? d.sender.text() : d.options.originator;
    return {};
}

Result<void> find_recipients(Draft& d) {
    if (!d.options.recipients.empty()) {
        auto found = addresses(d, d.options.recipients, "the recipients");
        if (!found) return std::unexpected(std::move(found).error());
        d.open = *std::move(found);
        return d.open.empty() ? Result<void>(usage("no address in the recipients")) : Result<void>();
    }
    const auto add = [&d](const char* name, std::vector<mail::Path>& to) -> Result<void> {
        const auto text = d.values(name);
        auto found = addresses(d, text ? *text : "", d.named(name));
        if (!found) return std::unexpected(std::move(found).error());
        for (auto& path : *found) {
            const auto same = [&](const mail::Path& known) { return known.mailbox() == path.mailbox(); };
            if (std::none_of(d.open.begin(), d.open.end(), same)) to.push_back(std::move(path));
        }
        return {};
    };
    for (const char* name : {"To", "Cc", "Dcc"})
        if (auto done = add(name, d.open); !done) return done;
    if (auto done = add("Bcc", d.blind); !done) return done;
    if (d.open.empty() && d.blind.empty())
        return usage("no recipient: there is none in " + d.named("To") + ", " + d.named("Cc") + " and " + d.named("Bcc"));
    return {};
}

}  // namespace

std::optional<std::string> Draft::values(std::string_view plain) const {
    const std::string name = named(plain);
    std::optional<std::string> out;
    const auto add = [&out](std::string_view value) {
        value = base::trim(value);
        if (!out) out.emplace();
        if (!out->empty() && !value.empty()) *out += ", ";
        *out += value;
    };
    for (const auto& [given_name, value] : options.headers)
        if (iequals(given_name, name)) add(value);
    if (out) return out;
    // The message's own block of Resent- fields is another's when ours is given.
    const std::size_t end = resent ? (resent_given ? 0 : top) : header.fields.size();
    for (std::size_t i = 0; i < end; ++i)
        if (iequals(header.fields[i].name, name)) add(mail::unfold(header.fields[i].value));
    return out;
}

Result<Draft> read_draft(const Options& options, std::string_view message, const Identity& who) {
    TRY(check_headers(options));
    Draft draft{options, who};
    read_message(draft, message);
    TRY(find_sender(draft));
    TRY(find_recipients(draft));
    return draft;
}

}  // namespace greylag::smtp_client
