#include "cmd/smtp/message.hh"

#include <cstdlib>
#include <vector>

#include "base/ascii.hh"
#include "smtp/dot.hh"
#include "sys/file.hh"
#include "sys/io.hh"
#include "sys/spool.hh"

namespace greylag::sender {

namespace {

constexpr base::Millis patience{3'600'000};  // for whoever writes the message
constexpr std::size_t first_block = 16 << 10, block = 256 << 10;

template <class Take>
Result<smtp::ClientFacts::Message> convert(int fd, client::Conversion how, Take take) {
    client::MessageConverter converter(std::move(how));
    const auto deadline = sys::Deadline::in(patience);
    std::string out;
    // A page that is never touched costs nothing: most messages are small.
    std::vector<char> room(first_block);
    for (;;) {
        const std::size_t got = TRY(sys::read_some(fd, room, deadline));
        if (got == 0) break;
        TRY(converter.feed({room.data(), got}, out));
        TRY(take(out));
        out.clear();
        if (got == room.size() && room.size() < block) room.resize(block);
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
    sys::Spool spool(spool_directory(std::move(directory)));
    Message message;
    message.traits = TRY(convert(fd, std::move(how), [&](const std::string& text) { return spool.append(text); }));
    message.fd = TRY(spool.finish());
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
