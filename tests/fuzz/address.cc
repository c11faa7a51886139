// Everything of lib/mail that reads a stranger's text. What was read must be written so that it is read back the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/utf8.hh"
#include "mail/date.hh"
#include "mail/header.hh"
#include "mail/path.hh"

using namespace greylag;
using namespace greylag::mail;

namespace {

void must(bool holds) {
    if (!holds) __builtin_trap();
}

void fuzz_ip(std::string_view text) {
    if (const auto address = IpAddress::parse(text)) {
        must(IpAddress::parse(address->text()) == *address);
        must(IpAddress::parse_literal(address->literal()) == *address);
    }
    if (const auto literal = IpAddress::parse_literal(text)) must(IpAddress::parse_literal(literal->literal()) == *literal);
    if (const auto net = Cidr::parse(text)) {
        must(Cidr::parse(net->text()) == *net);
        must(net->contains(net->address()) && net->contains(net->last()));
    }
}

void fuzz_domain(std::string_view text, Domain::Allow allow) {
    if (const auto domain = Domain::parse(text, allow)) {
        must(Domain::parse(domain->text(), allow) == *domain);
        must(domain->text().size() <= 255 && domain->is_within(*domain));
        must(Domain::parse(domain->key(), allow) == *domain);
    }
    if (const auto pattern = DomainPattern::parse(text)) must(DomainPattern::parse(pattern->text())->text() == pattern->text());
}

void fuzz_mailbox(std::string_view text, Domain::Allow allow) {
    const auto mailbox = Mailbox::parse(text, allow, Mailbox::Unqualified::allowed);
    if (!mailbox) return;
    const std::string wire = mailbox->text();
    must(Mailbox::parse(wire, allow, Mailbox::Unqualified::allowed) == *mailbox);
    must(Mailbox::make(mailbox->local(), mailbox->host()) == *mailbox);
    must(!mailbox->local().empty() && mailbox->local_text().size() <= 64);
    must(mailbox->is_utf8() == !base::is_ascii(wire) && (allow == Domain::Allow::utf8 || !mailbox->is_utf8()));
    for (const char c : wire) must(!base::is_ctl(c));
}

void fuzz_path(std::string_view text, Domain::Allow allow) {
    if (const auto path = Path::parse(text, allow)) {
        must(Path::parse(path->text(), allow)->text() == path->text());
        must(path->is_null() == text.empty());
        must(path->is_null() || path->is_loopback() || path->mailbox().is_qualified() || path->mailbox().is_postmaster());
    }
    if (const auto path = Path::parse_argument(text)) {
        // A dotted piece of the local part is a hop in bang order, and a hop has no trailing dot: one round settles that.
        const auto again = Path::parse_argument(path->bang());
        const auto third = again ? Path::parse_argument(again->bang()) : again;
        must(!again || (third && third->bang() == again->bang() && third->text() == again->text()));
        for (const Domain& hop : path->route()) must(!hop.text().empty());
    }
}

void fuzz_header(std::string_view text) {
    const Header header = parse_header(text);
    must(header.end <= text.size());
    std::size_t at = 0;
    for (const HeaderField& field : header.fields) {
        must(field.whole.data() == text.data() + at && !field.name.empty());
        must(field.whole.starts_with(field.name) && field.value.size() < field.whole.size());
        at += field.whole.size();
    }
    must(header.end - at <= 2);

    FieldCounter whole("a"), bytes("A");
    whole.feed(text);
    for (std::size_t i = 0; i < text.size(); ++i) bytes.feed(text.substr(i, 1));
    must(whole.count() == bytes.count() && whole.in_header() == bytes.in_header());

    const auto found = addresses(text);
    std::string joined;
    for (const std::string& address : found) joined.append(joined.empty() ? "" : ", ").append(address);
    must(addresses(joined) == found);
    for (const char c : joined) must(!base::is_ctl(c));
}

void fuzz_date(std::string_view text) {
    const auto when = parse_date(text);
    if (!when) return;
    // The leap second that ends the year 9999.
    if (base::calendar(*when).year > 9999) return;
    must(parse_date(rfc5322_date(*when)) == *when);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz_ip(text);
    for (const auto allow : {Domain::Allow::ascii, Domain::Allow::utf8}) {
        fuzz_domain(text, allow);
        fuzz_mailbox(text, allow);
        fuzz_path(text, allow);
    }
    fuzz_header(text);
    fuzz_date(text);
    const std::string name = base::file_name(text);
    must(!name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos);
    return 0;
}
