// Any line: a command or a refusal, and what was taken can be written down again and means the same. No control octet gets
// from a line into a path, a name or a reply.
#include "smtp/command.hh"

#include <cstdlib>
#include <string>

#include "base/ascii.hh"

using namespace greylag;
using namespace greylag::smtp;

namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

void must_be_clean(std::string_view text) {
    for (const char c : text) must(!base::is_ctl(c));
}

void check_refusal(const Reply& reply) {
    must(reply.code >= 500 && reply.code < 600 && reply.lines.size() == 1);
    must(reply.enhanced.starts_with("5."));
    const std::string line = wire(reply);
    must(line.size() <= 512 && line.ends_with("\r\n"));
    must_be_clean(std::string_view(line).substr(0, line.size() - 2));
}

void check_mail(std::string_view argument, const Offered& offered) {
    const auto mail = parse_mail(argument, offered);
    if (!mail) return check_refusal(mail.error());
    must(!mail->utf8 || (offered.utf8 && offered.extended));
    must(offered.extended || (!mail->size && mail->body == Body::seven_bit));
    must_be_clean(mail->sender.text());
    must(mail->utf8 || mail->sender.is_null() || !mail->sender.mailbox().is_utf8());
    const std::string again = "FROM:" + mail->sender.bracketed() + (mail->utf8 ? " SMTPUTF8" : "");
    const auto same = parse_mail(again, offered);
    must(same && same->sender.text() == mail->sender.text());
}

void check_rcpt(std::string_view argument, const Offered& offered, bool utf8) {
    const auto rcpt = parse_rcpt(argument, offered, utf8);
    if (!rcpt) return check_refusal(rcpt.error());
    must(!rcpt->recipient.is_null());
    must_be_clean(rcpt->recipient.text());
    must(utf8 || !rcpt->recipient.mailbox().is_utf8());
    const auto same = parse_rcpt("TO:" + rcpt->recipient.bracketed(), offered, utf8);
    must(same && same->recipient.text() == rcpt->recipient.text());
}

void check_helo(std::string_view argument) {
    const auto helo = parse_helo(argument);
    if (!helo) return check_refusal(helo.error());
    must(helo->text == argument && helo->host.index() != 0);
    for (const char c : helo->text) must(base::is_alnum(c) || std::string_view("-_.:[]").find(c) != std::string_view::npos);
}

}  // namespace

// The first octet chooses what was offered.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string line(data + 1, data + size);
    const Offered offered{(data[0] & 1) == 0, (data[0] & 2) == 0, (data[0] & 4) == 0};
    const Command command = parse_command(line);
    must(command.argument.size() <= line.size());
    must(!command.argument.starts_with(' ') && !command.argument.ends_with(' '));
    if (command.verb == Verb::mail) check_mail(command.argument, offered);
    if (command.verb == Verb::rcpt) check_rcpt(command.argument, offered, (data[0] & 8) != 0);
    if (command.verb == Verb::helo || command.verb == Verb::ehlo) check_helo(command.argument);
    return 0;
}
