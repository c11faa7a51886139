// The message on standard input: where it begins, who sent it, and which mailboxes it has been through.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "mail/path.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace greylag::send {

struct Message {
    sys::Fd spooled;          // owns `fd` when the message came through a pipe
    int fd = -1;              // seekable
    std::uint64_t start = 0;  // behind the "From " line
    mail::Path sender = mail::Path::null();
    std::vector<std::string> delivered_to;  // Delivered-To fields, lower case
    std::string header;                     // its beginning, for a notice
};

// The sender that a "From SENDER DATE remote from " line names; nothing when it names none that can be read.
std::optional<mail::Path> from_line_sender(std::string_view line);

// Takes what stands on `fd`: as it is when it can be positioned, else through a spool file in `directory`. `sender` is what
// the environment says, used when the message does not name its own. Kind::limit, permanent: no message at all, or a first
// line without end.
Result<Message> take_message(int fd, std::string_view sender, const std::string& directory, sys::Deadline deadline);

}  // namespace greylag::send
