#include "cmd/smtptest/source.hh"

#include <unistd.h>

#include <algorithm>

#include "base/ascii.hh"
#include "sys/io.hh"
#include "sys/signals.hh"
#include "sys/terminal.hh"

namespace greylag::smtptest {

namespace {

constexpr std::size_t longest_line = 1 << 20;
constexpr base::Millis to_the_screen{10'000};

std::string without_cr(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return std::string(line);
}

}  // namespace

Result<std::optional<std::string>> Text::line(bool) {
    if (rest_.empty()) return std::optional<std::string>();
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    auto line = without_cr(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return std::optional(std::move(line));
}

Result<std::string> Text::octets(std::size_t count) {
    std::string out(rest_.substr(0, count));
    rest_.remove_prefix(out.size());
    return out;
}

Result<bool> Stream::fill() {
    for (;;) {
        std::array<sys::Interest, 2> both{sys::Interest{fd_, true, false}, sys::Interest{meanwhile_.server, true, false}};
        const bool here = meanwhile_.server_pending();
        (void)TRY(sys::wait_any(both, here ? sys::Deadline::in(base::Millis(0)) : sys::Deadline::never()));
        if (here || both[1].read) {
            if (!meanwhile_.server_speaks()) return false;
            continue;
        }
        if (!both[0].read) continue;
        const std::size_t got = TRY(sys::read_some(fd_, room_, sys::Deadline::in(to_the_screen)));
        buffer_.append(room_.data(), got);
        over_ = got == 0;
        return got > 0;
    }
}

Result<std::optional<std::string>> Stream::line(bool) {
    std::size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
        if (buffer_.size() > longest_line) return base::fail(Kind::limit, "the line is too long");
        if (over_ || !TRY(fill())) break;
    }
    if (end == std::string::npos) {
        cut_short_ = !buffer_.empty();
        if (buffer_.empty()) return std::optional<std::string>();
        end = buffer_.size();
    }
    auto line = without_cr(std::string_view(buffer_).substr(0, end));
    buffer_.erase(0, end + 1);
    return std::optional(std::move(line));
}

Result<std::string> Stream::octets(std::size_t count) {
    while (buffer_.size() < count && !over_)
        if (!TRY(fill())) break;
    std::string out = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return out;
}

Person::Person(Meanwhile meanwhile) : meanwhile_(std::move(meanwhile)), editor_("C: ", sys::terminal_width(STDOUT_FILENO)) {}

Result<std::optional<std::string>> Person::line(bool in_body) {
    const auto draw = [](const std::string& text) {
        return sys::write_all(STDOUT_FILENO, text, sys::Deadline::in(to_the_screen));
    };
    sys::Signals signals;
    const auto mode = TRY(sys::TerminalMode::enter(STDIN_FILENO, sys::TerminalMode::Kind::keys));
    editor_.width(sys::terminal_width(STDOUT_FILENO));
    TRY(draw(editor_.show()));
    for (;;) {
        if (!keys_.empty()) {
            std::string_view rest = keys_;
            const auto out = editor_.feed(rest);
            keys_.erase(0, keys_.size() - rest.size());
            TRY(draw(out.screen));
            if (out.end || out.interrupt) return std::optional<std::string>();
            if (!out.line) continue;
            const bool secret = out.line->starts_with(".auth") || out.line->starts_with(".b64");
            if (!in_body && !secret) editor_.remember(*out.line);
            return out.line;
        }
        const bool here = meanwhile_.server_pending();
        const int fds[] = {STDIN_FILENO, meanwhile_.server};
        const auto seen = signals.wait(fds, here ? sys::Deadline::in(base::Millis(0)) : sys::Deadline::never());
        if (seen.stop) return std::optional<std::string>();
        const auto ready = [&](int fd) { return std::find(seen.ready.begin(), seen.ready.end(), fd) != seen.ready.end(); };
        if (here || ready(meanwhile_.server)) {
            TRY(draw(Editor::hide()));
            if (!meanwhile_.server_speaks()) return std::optional<std::string>();
            TRY(draw(editor_.show()));
        } else if (ready(STDIN_FILENO)) {
            const std::size_t got = TRY(sys::read_some(STDIN_FILENO, room_, sys::Deadline::in(to_the_screen)));
            if (got == 0) return std::optional<std::string>();
            keys_.append(room_.data(), got);
        }
    }
}

Result<std::string> Person::octets(std::size_t count) {
    std::string out;
    while (out.size() < count) {
        const auto one = TRY(line(true));
        if (!one) break;
        out += *one + "\r\n";
    }
    return out.substr(0, count);
}

}  // namespace greylag::smtptest
