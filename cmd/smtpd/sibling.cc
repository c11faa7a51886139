#include "cmd/smtpd/sibling.hh"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "cmd/sibling.hh"
#include "sys/io.hh"

extern char** environ;

namespace greylag::smtpd {

namespace {

constexpr const char* variable = "GREYLAG_HANDOVER";
constexpr int channel_fd = 3, debug_fd = 4;
constexpr base::Millis start_wait{20'000};
constexpr std::size_t longest = 4096;

std::string tls_program(const Setup& setup) { return cmd::sibling_path(setup.settings.paths.libexec, "smtpd-tls"); }

// Up to the line end; the other process is ours, and may die.
Result<std::string> read_until(int fd, std::string_view end, sys::Deadline deadline) {
    std::string text;
    while (!text.ends_with(end)) {
        char room[512];
        const std::size_t got = TRY(sys::read_some(fd, room, deadline));
        if (got == 0 || text.size() > longest)
            return base::fail_later(Kind::closed, "the program for TLS ended before it was ready");
        text.append(room, got);
    }
    text.resize(text.size() - end.size());
    return text;
}

// The verbs heard, in the order of smtp::Verb.
std::string show_commands(const smtp::Counts& counts) {
    std::string text;
    for (const unsigned n : counts.commands) text += (text.empty() ? "" : ",") + std::to_string(n);
    return text;
}

bool parse_commands(std::string_view text, smtp::Counts& counts) {
    const auto parts = base::split(text, ',');
    if (parts.size() != counts.commands.size()) return false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto n = base::parse_number<unsigned>(parts[i]);
        if (!n) return false;
        counts.commands.at(i) = *n;
    }
    return true;
}

}  // namespace

std::string show(const Begun& h) {
    std::string text = "id=" + h.id + "\ncommands=" + show_commands(h.counts);
    const std::pair<std::string_view, std::int64_t> numbers[] = {{"messages", h.messages},
                                                                 {"elapsed", h.elapsed.count()},
                                                                 {"accepted", h.counts.messages},
                                                                 {"errors", h.counts.errors},
                                                                 {"debug", h.debug ? 1 : 0}};
    for (const auto& [name, value] : numbers) text += "\n" + std::string(name) + "=" + std::to_string(value);
    return text + "\n\n";
}

std::optional<Begun> parse_begun(std::string_view text) {
    Begun h;
    unsigned fields = 0, debug = 0, elapsed = 0;
    const std::pair<std::string_view, unsigned*> numbers[] = {{"messages", &h.messages},
                                                              {"elapsed", &elapsed},
                                                              {"accepted", &h.counts.messages},
                                                              {"errors", &h.counts.errors},
                                                              {"debug", &debug}};
    for (const auto line : base::split(text, '\n')) {
        if (line.empty()) continue;
        const auto pair = base::cut(line, '=');
        if (!pair) return std::nullopt;
        ++fields;
        if (pair->first == "id") {
            h.id = pair->second;
            continue;
        }
        if (pair->first == "commands") {
            if (!parse_commands(pair->second, h.counts)) return std::nullopt;
            continue;
        }
        const auto value = base::parse_number<unsigned>(pair->second);
        const auto* n =
            std::find_if(std::begin(numbers), std::end(numbers), [&](const auto& one) { return one.first == pair->first; });
        if (!value || n == std::end(numbers)) return std::nullopt;
        *n->second = *value;
    }
    if (h.id.empty() || fields != std::size(numbers) + 2) return std::nullopt;
    h.elapsed = base::Millis{elapsed};
    if (debug == 1) h.debug.reset(debug_fd);
    return h;
}

void Begun::ready() const {
    if (answer) (void)sys::write_all(answer.get(), "ready\n", sys::Deadline::in(start_wait));
}

void Begun::cannot(const std::string& why) const {
    if (answer) (void)sys::write_all(answer.get(), base::printable(why, 400) + "\n", sys::Deadline::in(start_wait));
}

std::optional<Begun> take_begun() {
    if (::getenv(variable) == nullptr) return std::nullopt;
    ::unsetenv(variable);
    sys::Fd channel(channel_fd);
    const auto text = read_until(channel.get(), "\n\n", sys::Deadline::in(start_wait));
    auto begun = text ? parse_begun(*text) : std::nullopt;
    if (begun) begun->answer = std::move(channel);
    return begun;
}

Result<Heir> hand_over(const Setup& setup, int in, int out, const Begun& begun) {
    auto [ours, theirs] = TRY(sys::make_socketpair());
    sys::Command command;
    command.path = tls_program(setup);
    command.arguments = setup.arguments;
    for (char** entry = environ; *entry != nullptr; ++entry) command.environment.emplace_back(*entry);
    command.environment.push_back(std::string(variable) + "=1");
    command.in = in;
    command.out = out;
    command.err = STDERR_FILENO;
    command.extra = {{theirs.get(), channel_fd}};
    if (begun.debug) command.extra.emplace_back(begun.debug.get(), debug_fd);
    sys::Child child = TRY(sys::Child::spawn(command));
    theirs.reset();
    const auto deadline = sys::Deadline::in(start_wait);
    TRY(sys::write_all(ours.get(), show(begun), deadline));
    const std::string answer = TRY(read_until(ours.get(), "\n", deadline));
    if (answer != "ready") return base::fail_later(Kind::unavailable, answer);
    return Heir{std::move(child), std::move(ours)};
}

bool needs_sibling(const Setup& setup, bool listens) {
    const auto& s = setup.settings;
    const bool md5 = std::find(s.auth.mechanisms.begin(), s.auth.mechanisms.end(), "CRAM-MD5") != s.auth.mechanisms.end();
    return setup.tls_first || (listens && !s.tls.certificate.empty()) || (md5 && !s.auth.users.empty());
}

Error become_sibling(const Setup& setup) { return cmd::become(tls_program(setup), setup.arguments); }

}  // namespace greylag::smtpd
