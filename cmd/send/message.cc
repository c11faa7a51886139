#include "cmd/send/message.hh"

#include <algorithm>
#include <array>

#include "base/ascii.hh"
#include "mail/header.hh"
#include "sys/durable.hh"
#include "sys/io.hh"
#include "sys/spool.hh"

namespace greylag::send {
namespace {

constexpr std::size_t head_limit = 1 << 20;  // a longer header is read as far as this; Received loops are smtpd's to count
constexpr std::size_t shown_header = 16 * 1024;

Result<sys::Fd> spool(int fd, const std::string& directory, sys::Deadline deadline) {
    sys::Spool spool(directory);
    std::array<char, 64 * 1024> room;
    for (;;) {
        const std::size_t got = TRY(sys::read_some(fd, room, deadline));
        if (got == 0) return spool.finish();
        if (auto kept = spool.append({room.data(), got}); !kept) return std::unexpected(std::move(kept).error());
    }
}

}  // namespace

std::optional<mail::Path> from_line_sender(std::string_view line) {
    if (!line.starts_with("From ")) return std::nullopt;
    line = base::trim(line.substr(5));
    bool quoted = false;
    std::size_t end = 0;
    for (; end < line.size() && (quoted || !base::is_blank(line[end])); ++end) {
        if (line[end] == '"') quoted = !quoted;
        if (quoted && line[end] == '\\') ++end;
    }
    const auto path = mail::Path::parse_argument(line.substr(0, end));
    if (!path || line.empty()) return std::nullopt;
    return *path;
}

Result<Message> take_message(int fd, std::string_view sender, const std::string& directory, sys::Deadline deadline) {
    Message message;
    message.fd = fd;
    if (const auto at = sys::position(fd)) {
        message.start = *at;
    } else {
        message.spooled = TRY(spool(fd, directory, deadline));
        message.fd = message.spooled.get();
    }
    const std::string bytes = TRY(sys::read_at(message.fd, message.start, head_limit));
    std::string_view head = bytes;
    if (head.empty()) return base::fail(Kind::limit, "standard input holds no message");

    std::optional<mail::Path> named;
    if (head.starts_with("From ")) {
        const std::size_t end = head.find('\n');
        if (end == std::string_view::npos) return base::fail(Kind::limit, "the message is one line that names its sender");
        named = from_line_sender(head.substr(0, end));
        message.start += end + 1;
        head.remove_prefix(end + 1);
    }
    if (!named) {
        if (auto path = mail::Path::parse_argument(sender)) named = *std::move(path);
    }
    if (named) message.sender = *std::move(named);

    const mail::Header header = mail::parse_header(head);
    for (const auto& field : header.fields) {
        if (base::iequals(field.name, "Delivered-To")) message.delivered_to.push_back(base::lower(mail::unfold(field.value)));
    }
    message.header = head.substr(0, std::min(header.end, shown_header));
    return message;
}

}  // namespace greylag::send
