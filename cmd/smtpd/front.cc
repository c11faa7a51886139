#include "cmd/smtpd/front.hh"

#include "base/ascii.hh"

namespace greylag::smtpd {

bool Front::seen(std::string_view bytes) {
    const std::size_t room = header_limit - kept_.size();
    header_.feed(bytes.substr(0, room));
    const bool complete = !header_.in_header() || bytes.size() >= room;
    // The usual message comes with its header in one piece, and is not copied.
    if (!complete || !kept_.empty()) kept_ += bytes;
    return complete;
}

Result<void> Front::write(std::string_view tags, std::string_view bytes, sys::Spool& spool) {
    waiting_ = false;
    TRY(spool.append(trace_));
    TRY(spool.append(tags));
    const std::string_view first = header(bytes);
    // It would go on with the last of our fields (RFC 5322 2.2.3), whatever the client likes it to say: so it is body.
    if (!first.empty() && base::is_blank(first.front())) TRY(spool.append("\n"));
    TRY(spool.append(first));
    trace_ = kept_ = std::string();
    return {};
}

}  // namespace greylag::smtpd
