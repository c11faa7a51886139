#include "cmd/send/remote.hh"

#include <sysexits.h>

#include <algorithm>

#include "base/ascii.hh"
#include "sys/durable.hh"
#include "sys/file.hh"

namespace greylag::send {
namespace {

constexpr std::size_t report_limit = 8u << 20;  // 1000 recipients with the longest replies

// The status a refusal of another host stands for: the receiving side knows these by their enhanced codes (RFC 3463).
int status_of(std::string_view code, std::string_view text) {
    if (code == "550" && text.starts_with("5.1.1")) return EX_NOUSER;
    if (text.starts_with("5.1.2")) return EX_NOHOST;
    if (code == "552" || text.starts_with("5.6.")) return EX_DATAERR;
    return EX_UNAVAILABLE;
}

Outcome from_line(char kind, std::string_view rest) {
    const auto parts = base::cut(rest, ' ');
    const std::string_view code = parts ? parts->first : rest, text = parts ? parts->second : std::string_view();
    if (kind == 'd') return delivered();
    if (kind == 'n') return never(status_of(code, text), std::string(code), std::string(text));
    return later(std::string(text), std::string(code));
}

std::string_view first_line(std::string_view text) { return base::trim(text.substr(0, text.find('\n'))); }

Outcome from_ending(const sys::Ending& ending, std::string_view complaint) {
    if (ending.ok()) return delivered();
    std::string text = "smtp: ";
    text += complaint.empty() ? "it said nothing" : first_line(complaint);
    if (ending.how == sys::Ending::How::timed_out) return later("smtp: it was still busy when the time was over");
    if (ending.how == sys::Ending::How::exited) {
        switch (ending.status) {
            case EX_DATAERR:
            case EX_NOUSER:
            case EX_NOHOST:
            case EX_UNAVAILABLE:
            case EX_PROTOCOL:
            case EX_NOPERM: return never(ending.status, "554 5.3.0", std::move(text));
            default: break;
        }
    }
    return later(std::move(text));
}

}  // namespace

std::string find_smtp(std::string_view argv0, const std::string& libexec, std::string_view path) {
    std::vector<std::string> places;
    if (const std::size_t slash = argv0.rfind('/'); slash != std::string_view::npos)
        places.emplace_back(argv0.substr(0, slash + 1));
    places.push_back(libexec);
    for (const auto part : base::split(path, ':')) {
        if (part.starts_with('/')) places.emplace_back(part);  // "." is wherever somebody else stands
    }
    for (const std::string& place : places) {
        const std::string program = sys::join(place, "smtp");
        const auto status = sys::status(program);
        if (status && status->regular && status->executable) return program;
    }
    return {};
}

std::vector<Outcome> read_report(std::string_view lines, std::span<const std::string> addresses, const sys::Ending& ending,
                                 std::string_view complaint) {
    std::vector<Outcome> outcomes(addresses.size(), from_ending(ending, complaint));
    // A last line without its end was cut by whatever ended the program.
    for (std::size_t end = 0; (end = lines.find('\n')) != std::string_view::npos; lines.remove_prefix(end + 1)) {
        const std::string_view line = lines.substr(0, end);
        if (line.size() < 2 || line[1] != ' ' || std::string_view("dln").find(line[0]) == std::string_view::npos) continue;
        for (std::size_t i = 0; i < addresses.size(); ++i) {
            // An address may hold a blank inside quotes, so it is compared and not cut out.
            std::string_view rest = line.substr(2);
            if (!rest.starts_with(addresses[i])) continue;
            rest.remove_prefix(addresses[i].size());
            if (!rest.empty() && rest.front() != ' ') continue;
            outcomes[i] = from_line(line[0], rest.substr(std::min<std::size_t>(1, rest.size())));
            break;
        }
    }
    return outcomes;
}

std::vector<Outcome> send_remote(const Courier& courier, const mail::Host& host, const mail::Path& sender,
                                 std::span<const std::string> addresses, int fd, std::uint64_t start, sys::Deadline deadline) {
    const auto all_later = [&](std::string text) { return std::vector<Outcome>(addresses.size(), later(std::move(text))); };
    if (courier.program.empty()) return all_later("smtp is not installed: mail for other hosts has to wait");
    if (deadline.passed()) return all_later("no time was left for this host");
    if (auto placed = sys::seek(fd, start); !placed) return all_later(placed.error().text);

    sys::Command command;
    command.path = courier.program;
    const auto* address = std::get_if<mail::IpAddress>(&host);
    command.arguments.emplace_back("-s");
    // Most servers show a certificate that nobody can check; it still keeps out who only listens.
    if (!courier.believed_only) command.arguments.emplace_back("-o");
    // Its standard output is otherwise silent, so the report needs no descriptor of its own.
    for (const char* word : {"-R", "1", "--"}) command.arguments.emplace_back(word);
    command.arguments.push_back(address != nullptr ? "[" + address->text() + "]" : mail::text(host));
    command.arguments.push_back(sender.is_null() ? "<>" : sender.text());
    command.arguments.insert(command.arguments.end(), addresses.begin(), addresses.end());
    command.environment = courier.environment;
    command.in = fd;
    const auto said = sys::run(command, deadline, report_limit, 4096);
    if (!said) return all_later(said.error().text);
    return read_report(said->out, addresses, said->ending, said->err);
}

}  // namespace greylag::send
