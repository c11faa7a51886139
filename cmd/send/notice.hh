// The message that tells postmaster what became of the recipients that were refused while others got their mail.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hh"
#include "cmd/send/outcome.hh"
#include "mail/path.hh"

namespace greylag::send {

// A complete message with LF line ends. `header` is the beginning of the message in question, `id` is unique.
std::string notice(const std::vector<Delivery>& deliveries, const mail::Path& sender, std::string_view header,
                   std::string_view domain, std::string_view id, base::WallTime now);

}  // namespace greylag::send
