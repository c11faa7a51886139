#include "mail/mailbox.hh"

#include <algorithm>
#include <optional>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/utf8.hh"

namespace greylag::mail {
namespace {

using base::fail;
constexpr std::size_t longest_local = 64;

bool is_atext(char c) {
    constexpr std::string_view specials = "!#$%&'*+-/=?^_`{|}~";
    return base::is_alnum(c) || base::is_8bit(c) || specials.find(c) != std::string_view::npos;
}

bool is_dot_string(std::string_view text) {
    for (const std::string_view atom : base::split(text, '.'))
        if (atom.empty() || !std::all_of(atom.begin(), atom.end(), is_atext)) return false;
    return true;
}

std::string wire(std::string_view local) {
    if (is_dot_string(local)) return std::string{local};
    std::string out = "\"";
    for (const char c : local) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

// The octets of the local part at the front of `text` as written, or nothing.
std::optional<std::size_t> local_size(std::string_view text) {
    if (!text.starts_with('"')) {
        const std::size_t size = std::min(text.find('@'), text.size());
        return is_dot_string(text.substr(0, size)) ? std::optional{size} : std::nullopt;
    }
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1;
        if (text[i] == '\\' && (++i == text.size() || base::is_8bit(text[i]))) return std::nullopt;
        if (base::is_ctl(text[i])) return std::nullopt;
    }
    return std::nullopt;
}

std::string meaning(std::string_view written) {
    if (!written.starts_with('"')) return std::string{written};
    std::string out;
    for (std::size_t i = 1; i + 1 < written.size(); ++i) {
        if (written[i] == '\\') ++i;
        out += written[i];
    }
    return out;
}

Result<Host> parse_host(std::string_view text, Domain::Allow allow) {
    if (text.starts_with('[')) return Host{TRY(IpAddress::parse_literal(text))};
    return Host{TRY(Domain::parse(text, allow))};
}

}  // namespace

std::string text(const Host& host) {
    if (const auto* domain = std::get_if<Domain>(&host)) return domain->text();
    if (const auto* address = std::get_if<IpAddress>(&host)) return address->literal();
    return {};
}

bool same_host(const Host& a, const Host& b) { return a == b; }

Result<Mailbox> Mailbox::parse(std::string_view text, Domain::Allow allow, Unqualified unqualified) {
    const auto bad = [&](std::string_view why) {
        return fail(Kind::syntax, "bad address " + base::quoted(text, 100) + ": " + std::string{why});
    };
    if (!base::is_ascii(text)) {
        if (allow == Domain::Allow::ascii) return bad("not ASCII");
        if (!base::is_utf8(text)) return bad("not UTF-8");
    }
    const auto size = local_size(text);
    if (!size) return bad("no local part that can be read");
    if (*size > longest_local) return bad("local part longer than 64 octets");
    std::string local = meaning(text.substr(0, *size));
    if (local.empty()) return bad("empty local part");
    if (*size == text.size()) {
        if (unqualified == Unqualified::refused) return bad("no domain");
        return Mailbox(std::move(local), {});
    }
    if (text[*size] != '@') return bad("something behind the quoted local part");
    return Mailbox(std::move(local), TRY(parse_host(text.substr(*size + 1), allow)));
}

Result<Mailbox> Mailbox::make(std::string_view local, Host host) {
    const auto bad = [&](std::string_view why) {
        return fail(Kind::syntax, "bad local part " + base::quoted(local, 100) + ": " + std::string{why});
    };
    if (local.empty()) return bad("empty");
    if (std::any_of(local.begin(), local.end(), base::is_ctl)) return bad("a control character");
    if (!base::is_utf8(local)) return bad("not UTF-8");
    if (wire(local).size() > longest_local) return bad("longer than 64 octets");
    return Mailbox(std::string{local}, std::move(host));
}

std::string Mailbox::local_text() const { return wire(local_); }

bool Mailbox::is_postmaster() const { return base::iequals(local_, "postmaster"); }

bool Mailbox::is_utf8() const { return !base::is_ascii(local_) || !base::is_ascii(mail::text(host_)); }

std::string Mailbox::text() const { return is_qualified() ? local_text() + "@" + mail::text(host_) : local_text(); }

std::string Mailbox::key() const { return base::lower(text()); }

bool operator==(const Mailbox& a, const Mailbox& b) { return a.local_ == b.local_ && same_host(a.host_, b.host_); }

}  // namespace greylag::mail
