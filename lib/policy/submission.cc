#include "policy/submission.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "mail/date.hh"
#include "mail/header.hh"

namespace greylag::policy {

namespace {

bool ends_with_blank_line(std::string_view text) {
    return text == "\n" || text == "\r\n" || text.ends_with("\n\n") || text.ends_with("\n\r\n");
}

}  // namespace

std::string missing_fields(std::string_view header, bool whole, const Submission& submission) {
    const auto read = mail::parse_header(header);
    if (!whole && !ends_with_blank_line(header.substr(0, read.end))) return {};
    const auto lacks = [&](std::string_view name) {
        return std::none_of(read.fields.begin(), read.fields.end(),
                            [&](const mail::HeaderField& field) { return base::iequals(field.name, name); });
    };
    const std::string domain(submission.domain);
    std::string out;
    if (lacks("Date")) out += "Date: " + mail::rfc5322_date(submission.now) + "\n";
    if (lacks("From")) {
        const auto& sender = submission.sender;
        out += "From: " + (sender.is_null() ? "postmaster@" + domain : sender.mailbox().text()) + "\n";
    }
    if (lacks("Message-ID")) out += "Message-ID: <" + std::string(submission.id) + "@" + domain + ">\n";
    return out;
}

}  // namespace greylag::policy
