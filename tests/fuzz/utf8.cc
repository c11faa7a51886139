// SMTPUTF8 (RFC 6531): whatever octets an address has, what is taken is valid UTF-8 without controls, means the same when it is
// read again, and fits on one line of a reply and of the message's header; without SMTPUTF8 it is ASCII.
#include "base/utf8.hh"

#include <cstdlib>
#include <string>

#include "base/ascii.hh"
#include "smtp/command.hh"
#include "smtp/trace.hh"
#include "smtp/voice.hh"

using namespace greylag;

namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

// RFC 3629 once more, by code points.
bool plain_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto octet = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
        const unsigned first = octet(i);
        const std::size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
        if (length == 0) return false;
        std::uint32_t point = length == 1 ? first : first & (0x7fu >> length);
        for (std::size_t k = 1; k < length; ++k) {
            if (octet(i + k) >> 6 != 2) return false;
            point = point << 6 | (octet(i + k) & 0x3f);
        }
        constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
        i += length;
    }
    return true;
}

void check_line(const std::string& line) {
    for (const char c : line) must(!base::is_ctl(c));
    must(base::is_utf8(line));
}

void check_path(const mail::Path& path, bool utf8) {
    const std::string text = path.bracketed();
    check_line(text);
    must(utf8 || base::is_ascii(text));
    const auto again = smtp::parse_mail("FROM:" + text + (utf8 ? " SMTPUTF8" : ""), {true, true, true});
    if (!path.is_null() && path.mailbox().is_qualified()) must(again && again->sender.bracketed() == text);

    const std::string reply = smtp::wire(smtp::say(smtp::Voice::mail_ok, {path.text()}));
    must(reply.ends_with("\r\n") && reply.size() <= 512);
    check_line(reply.substr(0, reply.size() - 2));

    smtp::Trace trace;
    trace.helo = text;
    trace.by = "mx.example";
    trace.utf8 = utf8;
    trace.only_recipient = path;
    const std::string field = smtp::received_field(trace);
    for (std::size_t at = field.find('\n'); at + 1 < field.size(); at = field.find('\n', at + 1)) must(field[at + 1] == '\t');
    must(base::is_utf8(field) && (utf8 || base::is_ascii(field)));
}

}  // namespace

// The first octet chooses the verb and SMTPUTF8; the rest is what stands behind "FROM:" or "TO:".
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(data + 1, data + size);
    must(base::is_utf8(text) == plain_utf8(text));
    if ((data[0] & 1) != 0) {
        const bool utf8 = (data[0] & 2) != 0;
        const auto rcpt = smtp::parse_rcpt("TO:" + text, {true, true, true}, utf8);
        if (rcpt && !rcpt->recipient.is_loopback()) check_path(rcpt->recipient, utf8);
        if (!rcpt) check_line(rcpt.error().lines.front());
    } else {
        const auto mail = smtp::parse_mail("FROM:" + text, {true, true, true});
        if (mail) check_path(mail->sender, mail->utf8);
        if (!mail) check_line(mail.error().lines.front());
    }
    return 0;
}
