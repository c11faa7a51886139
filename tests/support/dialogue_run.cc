#include "tests/support/dialogue_run.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "smtp/dialogue_run.hh"

namespace greylag::test {

using smtp::dialogue::Script;

Result<void> Peer::start_tls() { return base::fail(Kind::usage, "tls: this peer cannot"); }
Result<void> Peer::authenticate(const std::vector<std::string>&) { return base::fail(Kind::usage, "auth: this peer cannot"); }

namespace {

using Fault = std::optional<std::string>;

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> out;
    for (const std::string_view line : base::split(text, '\n')) out.emplace_back(line);
    if (!out.empty() && out.back().empty()) out.pop_back();
    return out;
}

// A peer of a test as the channel of the room: every wait ends soon.
class Wired : public smtp::dialogue::Channel {
public:
    explicit Wired(Peer& peer) : peer_(peer) {}
    Result<void> send(std::string_view octets) override { return peer_.send(octets); }
    Result<void> cut() override { return peer_.cut(); }
    Result<std::string> read_reply() override { return peer_.read_reply(soon()); }
    Result<bool> speaks_or_closes() override { return peer_.speaks_or_closes(soon()); }
    Result<std::string> read_to_end() override { return peer_.read_to_end(soon()); }
    Result<void> half_close() override { return peer_.half_close(), Result<void>(); }
    Result<void> start_tls() override { return peer_.start_tls(); }
    Result<void> authenticate(const std::vector<std::string>& words) override { return peer_.authenticate(words); }

private:
    Peer& peer_;
};

// Without the From line and the first Received field, whether they stand there as they are or as "~ " beginnings.
void drop_front(std::vector<std::string>& message) {
    const auto line = [&](std::size_t i) {
        const std::string_view text = i < message.size() ? std::string_view(message[i]) : std::string_view();
        return text.starts_with("~ ") ? text.substr(2) : text;
    };
    std::size_t n = 0;
    if (line(n).starts_with("From ")) ++n;
    if (line(n).starts_with("Received:")) do
            ++n;
        while (!line(n).empty() && base::is_blank(line(n).front()));
    message.erase(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(n));
}

Fault compare_delivered(const World::Delivered& wanted, const Peer::Aftermath& after) {
    if (!wanted.text) return after.delivered ? Fault("expected no delivery, and the mailer got a message") : std::nullopt;
    if (!after.delivered) return "expected a delivery, and the mailer was not started";
    auto want = lines_of(*wanted.text);
    auto got = lines_of(*after.delivered);
    const bool front = !want.empty() && (want[0].starts_with("From ") || want[0].starts_with("~ From "));
    if (front && !after.front) drop_front(want);
    if (!front && after.front) drop_front(got);
    for (std::size_t i = 0; i < std::max(want.size(), got.size()); ++i) {
        const std::string at = "delivered line " + std::to_string(i + 1) + ": ";
        if (i >= got.size()) return at + "expected " + base::quoted(want[i]) + ", and the message ends";
        if (i >= want.size()) return at + "expected the end, got " + base::quoted(got[i]);
        const bool fits = want[i].starts_with("~ ") ? got[i].starts_with(want[i].substr(2)) : got[i] == want[i];
        if (!fits) return at + "expected " + base::quoted(want[i]) + ", got " + base::quoted(got[i]);
    }
    return std::nullopt;
}

bool fits(const World::LogLine& wanted, std::string_view line) {
    // "smtpd[1]: word key=value key="two words"", with or without the program in front.
    std::vector<std::string> tokens;
    bool quoted = false, open = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '"') {
            quoted = !quoted;
            continue;
        }
        if (c == ' ' && !quoted) {
            open = false;
            continue;
        }
        if (!open) tokens.emplace_back();
        open = true;
        const bool escaped = quoted && c == '\\' && i + 1 < line.size() && (line[i + 1] == '"' || line[i + 1] == '\\');
        tokens.back() += escaped ? line[++i] : c;
    }
    bool word = false;
    for (const std::string& t : tokens) {
        if (t.find('=') != std::string::npos) break;
        word = word || t == wanted.word;
    }
    for (const std::string& field : wanted.fields) word = word && std::find(tokens.begin(), tokens.end(), field) != tokens.end();
    return word;
}

// What the pure session cannot know, because the driver around it writes it.
bool of_the_driver(const World::LogLine& wanted) {
    return wanted.word == "connect" || wanted.word == "deliver" || wanted.word == "deliver-failed" || wanted.word == "note";
}

Fault compare_log(const World::LogLine& wanted, const std::vector<std::string>& log) {
    std::string all;
    bool found = false;
    for (const std::string& line : log) {
        found = found || fits(wanted, line);
        all += "\n    " + line;
    }
    if (found != wanted.absent) return std::nullopt;
    return std::string(wanted.absent ? "a log line is there that must not be:" : "no such log line among") + all;
}

}  // namespace

std::optional<std::string> run(const std::string& file, const Script& script, const World& world, Peer& peer) {
    const auto at = [&](unsigned line, const std::string& what) { return file + ":" + std::to_string(line) + ": " + what; };
    Wired channel(peer);
    if (const auto fault = smtp::dialogue::run(script, channel)) return at(fault->line, fault->what);
    const unsigned last = script.steps.empty() ? 0 : script.steps.back().line;
    const auto after = peer.finish(soon());
    if (!after) return at(last, "after the last step: " + after.error().text);
    if (!after->unread.empty()) return at(last, "behind the last step came \"" + base::printable(after->unread) + "\"");
    if (!after->fault.empty()) return at(last, after->fault);
    for (const World::Delivered& wanted : world.delivered)
        if (const Fault fault = compare_delivered(wanted, *after)) return at(wanted.line, *fault);
    for (const World::LogLine& wanted : world.log)
        if (const Fault fault = compare_log(wanted, after->log); fault && (after->driver_log || !of_the_driver(wanted)))
            return at(wanted.line, *fault);
    return std::nullopt;
}

}  // namespace greylag::test
