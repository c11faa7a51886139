#include "cmd/smtp/message.hh"

#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "base/ascii.hh"
#include "smtp/dot.hh"
#include "sys/file.hh"
#include "sys/io.hh"
#include "sys/spool.hh"

namespace greylag::sender {

namespace {

constexpr base::Millis patience{3'600'000};  // for whoever writes the message
// A page that is never touched costs nothing, and most messages are small.
constexpr std::size_t first_block = 4 << 10, block = 256 << 10;
constexpr std::size_t small = 64 << 10;  // needs no file of any kind

template <class Take>
Result<smtp::ClientFacts::Message> convert(int fd, client::Conversion how, Take take) {
    client::MessageConverter converter(std::move(how));
    const auto deadline = sys::Deadline::in(patience);
    std::string out;
    std::size_t size = first_block;
    auto room = std::make_unique_for_overwrite<char[]>(size);
    for (;;) {
        const std::size_t got = TRY(sys::read_some(fd, {room.get(), size}, deadline));
        if (got == 0) break;
        TRY(converter.feed({room.get(), got}, out));
        TRY(take(out));
        out.clear();
        if (got == size && size < block) room = std::make_unique_for_overwrite<char[]>(size = block);
    }
    TRY(converter.finish(out));
    TRY(take(out));
    return converter.traits();
}

std::string spool_directory(std::string preferred) {
    if (sys::writable_directory(preferred)) return preferred;
    const char* temporary = std::getenv("TMPDIR");
    return temporary != nullptr && *temporary == '/' ? temporary : "/tmp";
}

}  // namespace

Result<Message> spool_message(int fd, client::Conversion how, std::string directory) {
    Message message;
    std::optional<sys::Spool> spool;
    const auto keep = [&](const std::string& text) -> Result<void> {
        if (!spool && message.text.size() + text.size() <= small) {
            message.text += text;
            return {};
        }
        if (!spool) {
            spool.emplace(spool_directory(std::move(directory)));
            TRY(spool->append(std::exchange(message.text, {})));
        }
        return spool->append(text);
    };
    message.traits = TRY(convert(fd, std::move(how), keep));
    if (spool) message.fd = TRY(spool->finish());
    return message;
}

Result<void> filter_message(int from, client::Conversion how, int to) {
    smtp::DotEncoder dots;
    std::string wire;
    const auto put = [&](const std::string& text) {
        wire.clear();
        dots.feed(text, wire);
        return sys::write_all(to, wire, sys::Deadline::in(patience));
    };
    auto done = convert(from, std::move(how), put);
    if (!done) return std::unexpected(std::move(done).error());
    return {};
}

std::string full_name(std::string_view account, std::string_view passwd) {
    for (const auto line : base::split(passwd, '\n')) {
        const auto fields = base::split(line, ':');
        if (fields.size() < 7 || fields[0] != account) continue;
        std::string name;
        for (const char c : fields[4].substr(0, fields[4].find(','))) {
            if (c != '&') {
                name += c;
                continue;
            }
            name += base::to_upper(account.front());
            name += account.substr(1);
        }
        return name;
    }
    return {};
}

}  // namespace greylag::sender
