#include "cmd/send/notice.hh"

#include "base/escape.hh"
#include "base/utf8.hh"
#include "mail/date.hh"

namespace greylag::send {

std::string notice(const std::vector<Delivery>& deliveries, const mail::Path& sender, std::string_view header,
                   std::string_view domain, std::string_view id, base::WallTime now) {
    const std::string host(domain);
    std::string text;
    text += "From: Mail delivery <postmaster@" + host + ">\n";
    text += "To: postmaster@" + host + "\n";
    text += "Subject: Mail not delivered to every recipient\n";
    text += "Date: " + mail::rfc5322_date(now) + "\n";
    text += "Message-ID: <" + std::string(id) + "@" + host + ">\n";
    text += "Auto-Submitted: auto-generated\n";  // RFC 3834: nobody answers it
    text += "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n";
    text += "A message from " + base::printable(sender.bracketed(), 400) +
            " reached some of its recipients and was refused for these:\n\n";
    for (const Delivery& delivery : deliveries) text += failure_line(delivery);
    text += "\nIts sender has not been told. The header of the message:\n\n";
    // Indented, so that no line of it can be taken for a part of this message.
    while (!header.empty()) {
        const std::string_view line = header.substr(0, header.find('\n'));
        text += "    " + (base::is_utf8(line) ? std::string(line.substr(0, line.find('\r'))) : base::printable(line)) + "\n";
        header.remove_prefix(std::min(header.size(), line.size() + 1));
    }
    return text;
}

}  // namespace greylag::send
