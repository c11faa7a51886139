#include "cmd/greyctl/verbs.hh"

#include <sysexits.h>

#include <cstdio>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "grey/records.hh"
#include "grey/whitelist.hh"
#include "sys/clock.hh"
#include "sys/file.hh"

namespace greylag::greyctl {

namespace {

using config::Settings;
using grey::Whitelist;

constexpr int not_white = 1;

grey::Limits limits(const Settings& s) { return {s.grey.min, s.grey.max}; }
grey::Grouping grouping(const Settings& s) { return {s.grey.net4, s.grey.net6}; }
int failed(const Error& error) { return program.complain(EX_IOERR, error.text); }

void name_all(const std::vector<std::string>& lines) {
    for (const auto& line : lines) program.complain(0, line);
}

// What the whitelist accepts as the first word of a line.
std::optional<mail::Cidr> network(std::string_view text) {
    return text.find('#') == std::string_view::npos ? grey::read_line(text).network : std::nullopt;
}
int no_network(std::string_view text) { return program.complain(EX_USAGE, grey::complaint(text)); }

bool covers(const mail::Cidr& whole, const mail::Cidr& part) {
    return whole.bits() <= part.bits() && whole.contains(part.address());
}

// The first line that makes all of `part` white: "12: 192.0.2.0/24 # ...", empty when there is none.
Result<std::string> deciding_line(const Whitelist& whitelist, const mail::Cidr& part) {
    std::string found;
    (void)TRY(whitelist.each_line([&](std::uint64_t number, std::string_view text) {
        const auto line = grey::read_line(text);
        if (line.network && covers(*line.network, part)) found = std::to_string(number) + ": " + base::printable(text, 200);
        return found.empty();
    }));
    return found;
}

const char* word(grey::Call call) {
    switch (call) {
        case grey::Call::first: return "new";
        case grey::Call::early: return "early";
        case grey::Call::pass: return "in time";
        case grey::Call::first_again: return "late";
    }
    return "late";
}

void print_record_heading() {
    std::printf("%-22s %-9s %-8s %-16s %-24s %s\n", "FIRST CALL", "AGE", "STATE", "HOST", "CALLER", "RECIPIENT");
}

void print_record(const grey::Record& record, std::int64_t now, const grey::Limits& limits) {
    const std::int64_t age = (now - record.first_call) / 1000;
    std::printf("%-22s %-9s %-8s %-16s %-24s %s\n", grey::timestamp(record.first_call / 1000).c_str(),
                age < 0 ? "future" : base::show_duration(base::Seconds(age)).c_str(),
                word(grey::decide(now, record.first_call, limits).call), base::printable(record.name.local).c_str(),
                base::printable(record.name.remote).c_str(), base::printable(record.name.recipient).c_str());
}

int list_records(const Settings& settings) {
    const std::int64_t now = sys::wall_millis();
    std::vector<std::string> odd;
    print_record_heading();
    const auto walked = grey::Records(settings.paths.state)
                            .walk(
                                [&](std::vector<grey::Record> records) {
                                    for (const auto& record : records) print_record(record, now, limits(settings));
                                    return true;
                                },
                                odd);
    name_all(odd);
    return walked ? EX_OK : failed(walked.error());
}

int list_white(const Settings& settings) {
    std::printf("%-8s %-30s %s\n", "LINE", "NETWORK", "TEXT");
    const auto read = Whitelist(settings.paths.state).each_line([](std::uint64_t number, std::string_view text) {
        const auto line = grey::read_line(text);
        if (line.what == grey::Line::What::nothing) return true;
        // What is behind the first word; an unreadable line is shown whole.
        const std::size_t end = line.network ? text.find_first_of(" \t#", text.find_first_not_of(" \t")) : 0;
        const std::string_view rest = end == std::string_view::npos ? std::string_view() : base::trim(text.substr(end));
        std::printf("%-8s %-30s %s\n", std::to_string(number).c_str(),
                    line.network ? line.network->text().c_str() : "(unreadable)", base::printable(rest, 200).c_str());
        return true;
    });
    return read ? EX_OK : failed(read.error());
}

int list(const Settings& settings, Words arguments) {
    const std::string_view which = arguments.empty() ? "" : arguments[0];
    if (which != "" && which != "tmp" && which != "white") return program.complain(EX_USAGE, "list takes tmp or white");
    const int records = which == "white" ? EX_OK : list_records(settings);
    if (which == "") std::puts("");
    const int white = which == "tmp" ? EX_OK : list_white(settings);
    return records != EX_OK ? records : white;
}

int check(const Settings& settings, Words arguments) {
    const auto address = mail::IpAddress::parse(arguments[0]);
    if (!address) return program.complain(EX_USAGE, address.error().text);
    const Whitelist whitelist(settings.paths.state);
    const auto line = deciding_line(whitelist, mail::Cidr(*address, address->bits()));
    if (!line) return failed(line.error());
    if (!line->empty()) {
        std::printf("%s is white by %s:%s\n", address->text().c_str(), whitelist.path().c_str(), line->c_str());
        return EX_OK;
    }
    const std::string caller = grey::network_of(*address, grouping(settings)).address().text();
    std::uint64_t count = 0;
    std::vector<std::string> odd;
    const std::int64_t now = sys::wall_millis();
    const auto walked = grey::Records(settings.paths.state)
                            .walk(
                                [&](std::vector<grey::Record> records) {
                                    if (records.front().name.remote != caller) return true;
                                    if (count == 0)
                                        std::printf("%s is not white; its network has called:\n", address->text().c_str()),
                                            print_record_heading();
                                    for (const auto& record : records) print_record(record, now, limits(settings));
                                    count += records.size();
                                    return true;
                                },
                                odd);
    if (!walked) return failed(walked.error());
    if (count == 0) std::printf("%s is not white; no line names it and its network has not called\n", address->text().c_str());
    return not_white;
}

int allow(const Settings& settings, Words arguments) {
    for (const auto text : arguments)
        if (!network(text)) return no_network(text);
    Whitelist whitelist(settings.paths.state);
    for (const auto text : arguments) {
        const auto wanted = *network(text);
        const auto line = deciding_line(whitelist, wanted);
        if (!line) return failed(line.error());
        if (!line->empty()) {
            std::printf("%s is white already by %s:%s\n", wanted.text().c_str(), whitelist.path().c_str(), line->c_str());
            continue;
        }
        const auto added = whitelist.append(std::nullopt, grey::allowed_line(wanted, sys::wall_millis() / 1000));
        if (!added) return failed(added.error());
        std::printf("%s is white now\n", wanted.text().c_str());
    }
    return EX_OK;
}

int remove(const Settings& settings, Words arguments) {
    for (const auto text : arguments)
        if (!network(text)) return no_network(text);
    Whitelist whitelist(settings.paths.state);
    for (const auto text : arguments) {
        const auto wanted = *network(text);
        const auto gone = whitelist.take_out({wanted, std::nullopt});
        if (!gone) return failed(gone.error());
        const auto line = deciding_line(whitelist, wanted);
        if (!line) return failed(line.error());
        std::printf("%s: %llu %s taken out%s%s\n", wanted.text().c_str(), static_cast<unsigned long long>(*gone),
                    *gone == 1 ? "line" : "lines", line->empty() ? "" : "; still white by line ", line->c_str());
    }
    return EX_OK;
}

int expire(const Settings& settings, Words) {
    const std::int64_t now = sys::wall_millis();
    std::vector<std::string> odd;
    const auto records = grey::Records(settings.paths.state).expire(now, limits(settings), odd);
    name_all(odd);
    Whitelist whitelist(settings.paths.state);
    Result<std::uint64_t> lines = std::uint64_t{0};
    if (settings.grey.whitelist_age.count() > 0)
        lines = whitelist.take_out({std::nullopt, (now - settings.grey.whitelist_age.count()) / 1000});
    const auto refreshed = whitelist.refresh();
    if (!records) return failed(records.error());
    if (!lines) return failed(lines.error());
    if (!refreshed) return failed(refreshed.error());
    std::printf("records: %llu taken out, %llu kept; whitelist: %llu lines taken out\n",
                static_cast<unsigned long long>(records->records), static_cast<unsigned long long>(records->kept),
                static_cast<unsigned long long>(*lines));
    return EX_OK;
}

int print_index(const Whitelist& whitelist) {
    const auto state = whitelist.state();
    if (!state) return failed(state.error());
    const char* index = "missing";
    switch (state->index) {
        case Whitelist::Index::fresh: index = "fresh"; break;
        case Whitelist::Index::stale: index = "stale"; break;
        case Whitelist::Index::damaged: index = "damaged"; break;
        case Whitelist::Index::missing: break;
    }
    std::printf("whitelist    %s%s, %llu bytes\n", whitelist.path().c_str(), state->there ? "" : " (missing)",
                static_cast<unsigned long long>(state->size));
    std::printf("index        %s", index);
    if (state->index == Whitelist::Index::fresh)
        std::printf(": %llu lines, %llu IPv4 and %llu IPv6 intervals, %llu unreadable; %llu bytes behind it",
                    static_cast<unsigned long long>(state->header.lines), static_cast<unsigned long long>(state->header.v4),
                    static_cast<unsigned long long>(state->header.v6), static_cast<unsigned long long>(state->header.unreadable),
                    static_cast<unsigned long long>(state->size - state->header.covered));
    std::puts("");
    return EX_OK;
}

int status(const Settings& settings, Words) {
    const auto& g = settings.grey;
    std::printf("greylisting  %s, from %s to %s after the first call, callers by /%u and /%u\n",
                settings.smtpd.greylist ? "on" : "off", base::show_duration(g.min).c_str(), base::show_duration(g.max).c_str(),
                g.net4, g.net6);
    std::printf("expiry       whitelist %s\n",
                g.whitelist_age.count() == 0 ? "never" : base::show_duration(g.whitelist_age).c_str());
    std::printf("records      %s\n", sys::join(settings.paths.state, "grey/tmp").c_str());
    return print_index(Whitelist(settings.paths.state));
}

int rebuild(const Settings& settings, Words) {
    Whitelist whitelist(settings.paths.state);
    const auto done = whitelist.rebuild();
    if (!done) return failed(done.error());
    name_all(whitelist.take_complaints());
    return print_index(whitelist);
}

int stats(const Settings& settings, Words) {
    std::uint64_t records[4] = {}, callers = 0;
    std::vector<std::string> odd;
    const std::int64_t now = sys::wall_millis();
    const auto walked =
        grey::Records(settings.paths.state)
            .walk(
                [&](std::vector<grey::Record> all) {
                    ++callers;
                    for (const auto& record : all)
                        ++records[static_cast<unsigned>(grey::decide(now, record.first_call, limits(settings)).call)];
                    return true;
                },
                odd);
    if (!walked) return failed(walked.error());
    std::uint64_t own = 0, others = 0, unreadable = 0;
    const auto read = Whitelist(settings.paths.state).each_line([&](std::uint64_t, std::string_view text) {
        const auto line = grey::read_line(text);
        if (line.what == grey::Line::What::unreadable) ++unreadable;
        if (line.network) ++(grey::own_mark(text) ? own : others);
        return true;
    });
    if (!read) return failed(read.error());
    const struct {
        const char* name;
        std::uint64_t value;
    } rows[] = {{"callers waiting or passed", callers},
                {"records, too early to pass", records[static_cast<unsigned>(grey::Call::early)]},
                {"records, in time", records[static_cast<unsigned>(grey::Call::pass)]},
                {"records, too late", records[static_cast<unsigned>(grey::Call::first_again)]},
                {"what is no record", odd.size()},
                {"white lines of the greylist", own},
                {"white lines of people", others},
                {"white lines that cannot be read", unreadable}};
    for (const auto& row : rows) std::printf("%-34s %12llu\n", row.name, static_cast<unsigned long long>(row.value));
    return EX_OK;
}

constexpr std::size_t any = ~std::size_t{0};
constexpr Verb table[] = {
    {"status", "", "what is set, where it lies, how the index stands", 0, 0, status},
    {"check", "ADDRESS", "is it white, and by which line; exit 0 or 1", 1, 1, check},
    {"allow", "ADDRESS...", "put addresses or networks on the whitelist", 1, any, allow},
    {"remove", "ADDRESS...", "take the lines that name them from the whitelist", 1, any, remove},
    {"list", "[tmp|white]", "the records, the whitelist, or both", 0, 1, list},
    {"expire", "", "take out old records, and white lines past whitelist_age", 0, 0, expire},
    {"rebuild", "", "compile the whitelist anew and name unreadable lines", 0, 0, rebuild},
    {"stats", "", "how many of each", 0, 0, stats},
};

}  // namespace

std::span<const Verb> verbs() { return table; }

}  // namespace greylag::greyctl
