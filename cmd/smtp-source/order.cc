#include "cmd/smtp-source/order.hh"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "cmd/load_options.hh"
#include "mail/domain.hh"

namespace greylag::source {

namespace {

using cmd::bad;
using cmd::number;

constexpr unsigned most_sessions = 100'000;
constexpr unsigned most_recipients = 1'000'000;
constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

Result<void> duration(const base::CommandLine& line, std::string_view name, base::Millis& out) {
    if (!line.has(name)) return {};
    const auto value = base::parse_duration(line.value(name));
    if (!value || value->count() == 0) return bad("--" + std::string(name), line.value(name), "no time (30s, 5m, 200ms)");
    out = *value;
    return {};
}

Result<void> pause(const base::CommandLine& line, char letter, base::Millis& out) {
    if (!line.has(letter)) return {};
    const auto value = base::parse_duration(line.value(letter));
    if (!value) return bad(std::string("-") + letter, line.value(letter), "no time (5, 200ms)");
    out = *value;
    return {};
}

// What stands between the angle brackets. More is not asked: servers are to be tried with anything, but for a second command.
Result<std::string> address(char letter, std::string_view text, bool may_be_empty) {
    const bool whole = std::none_of(text.begin(), text.end(), base::is_ctl) && text.find_first_of("<>") == std::string_view::npos;
    if (!whole || (text.empty() && !may_be_empty)) return bad(std::string("-") + letter, text, "no address");
    return std::string(text);
}

Result<std::string> own_name(std::string_view text) {
    const bool literal = text.starts_with('[') && mail::IpAddress::parse_literal(text);
    if (!literal && !mail::Domain::parse(text)) return bad("-M", text, "neither a host's name nor an [address]");
    return std::string(text);
}

Result<client::Destination> destination(std::string_view text) {
    constexpr std::string_view inet = "inet:", local = "unix:";
    if (text.starts_with(local)) {
        client::Destination to;
        to.how = client::Destination::How::local;
        to.path = text.substr(local.size());
        if (to.path.empty()) return base::fail(Kind::usage, "unix: names no socket");
        return to;
    }
    if (text.starts_with(inet)) text.remove_prefix(inet.size());
    if (text.find('!') != std::string_view::npos) return base::fail(Kind::usage, base::quoted(text, 200) + ": this is no host");
    return client::parse_destination(text);
}

Result<void> read_flags(const base::CommandLine& line, Order& out) {
    if (line.has('4') && line.has('6')) return base::fail(Kind::usage, "-4 and -6 exclude each other");
    out.family = line.has('4') ? Family::v4 : line.has('6') ? Family::v6 : Family::any;
    out.carry_on = line.has('A');
    out.count = line.has('c');
    out.lmtp = line.has('L');
    out.number_all = line.has('N');
    out.old_mode = line.has('o');
    out.verbose = line.has('v');
    out.bdat = line.has("bdat");
    out.pipelining = line.has("pipelining");
    out.ehlo = line.has("ehlo") || out.bdat || out.pipelining;
    out.json = line.has("json");
    out.csv = line.value("csv");
    out.subject = line.value('S');
    if (std::any_of(out.subject.begin(), out.subject.end(), base::is_ctl)) return bad("-S", out.subject, "no subject");
    return {};
}

Result<void> read_numbers(const base::CommandLine& line, Order& out) {
    if (line.has("duration")) out.messages = endless;
    TRY(number<unsigned>(line, 'C', out.attempts, 1, 1'000'000));
    TRY(number<std::uint64_t>(line, 'm', out.messages, 1, endless));
    TRY(number<unsigned>(line, 'r', out.recipients, 1, most_recipients));
    TRY(number<unsigned>(line, 's', out.sessions, 1, most_sessions));
    TRY(cmd::read_window(line, out.window));
    if (line.has('l')) {
        std::uint64_t length = 0;
        TRY(number<std::uint64_t>(line, 'l', length, 1, SizeModel::most));
        out.length = length;
    }
    if (line.has('d')) out.per_connection = endless;
    if (line.has("connections-per")) {
        const auto value = base::parse_number<std::uint64_t>(line.value("connections-per"));
        if (!value || *value == 0) return bad("--connections-per", line.value("connections-per"), "not a number from 1 on");
        out.per_connection = *value;
    }
    return cmd::read_threads(line, out.threads);
}

Result<void> read_times(const base::CommandLine& line, Order& out) {
    if (line.has('R') && line.has('w')) return base::fail(Kind::usage, "-R and -w exclude each other");
    TRY(pause(line, 'R', out.random_pause));
    TRY(pause(line, 'w', out.pause));
    TRY(duration(line, "duration", out.duration));
    TRY(duration(line, "timeout", out.timeout));
    if (!line.has("rate")) return {};
    std::string_view text = line.value("rate");
    if (text.ends_with("/s")) text.remove_suffix(2);
    const auto parts = base::cut(text, '.');
    const auto whole = base::parse_number<std::uint32_t>(parts ? parts->first : text);
    const auto fraction = parts ? base::parse_number<std::uint32_t>(parts->second) : std::optional<std::uint32_t>(0);
    if (!whole || !fraction || (parts && parts->second.size() > 6))
        return bad("--rate", line.value("rate"), "not messages a second");
    out.rate = *whole + (parts ? *fraction / std::pow(10.0, static_cast<double>(parts->second.size())) : 0.0);
    if (out.rate <= 0) return bad("--rate", line.value("rate"), "not messages a second");
    return {};
}

Result<void> read_content(const base::CommandLine& line, Order& out) {
    out.file = line.value('F');
    out.template_file = line.value("template");
    if (line.has("size")) out.size = TRY(SizeModel::parse(line.value("size")));
    if (out.length && out.size) return base::fail(Kind::usage, "-l and --size exclude each other");
    if (line.has('F') && (out.length || out.size)) return base::fail(Kind::usage, "-l and --size cannot be used with -F");
    if (line.has('F') && line.has("template")) return base::fail(Kind::usage, "-F and --template exclude each other");
    out.sender = TRY(address('f', line.value('f', "foo@" + out.name), true));
    out.recipient = TRY(address('t', line.value('t', "foo@" + out.name), false));
    const std::string_view form = line.value("numbering", "prefix");
    if (form != "prefix" && form != "suffix") return bad("--numbering", form, "neither prefix nor suffix");
    out.numbering = form == "prefix" ? Numbering::prefix : Numbering::suffix;
    return {};
}

Result<void> read_security(const base::CommandLine& line, Order& out) {
    if (line.has("tls")) {
        const std::string_view how = line.value("tls");
        if (how != "starttls" && how != "smtps") return bad("--tls", how, "neither starttls nor smtps");
        out.tls = how == "starttls" ? Tls::starttls : Tls::smtps;
    }
    out.ca = line.value("ca");
    if (line.has("ca") && out.tls == Tls::none) return base::fail(Kind::usage, "--ca needs --tls");
    out.user = line.value("auth");
    out.password_file = line.value("password-file");
    if (line.has("auth") != line.has("password-file"))
        return base::fail(Kind::usage, "--auth and --password-file need each other");
    out.password_in_clear = line.has("password-in-clear");
    if (out.password_in_clear && !line.has("auth")) return base::fail(Kind::usage, "--password-in-clear needs --auth");
    out.ehlo = out.ehlo || out.tls == Tls::starttls || line.has("auth");
    if (out.old_mode && (out.ehlo || out.lmtp)) return base::fail(Kind::usage, "-o cannot be used with -L or what needs EHLO");
    return {};
}

Result<void> read_sources(const base::CommandLine& line, Order& out) {
    if (!line.has("source")) return {};
    for (const auto text : base::split(line.value("source"), ',')) {
        const auto address = mail::IpAddress::parse(text);
        if (!address) return bad("--source", text, "no address");
        out.sources.push_back(*address);
    }
    return {};
}

}  // namespace

std::string Order::server() const {
    using How = client::Destination::How;
    return to.how == How::address ? to.address.text() : to.how == How::local ? "localhost" : to.host;
}

Result<Order> make_order(const base::CommandLine& line, const std::string& host_name) {
    if (line.operands.size() != 1) return base::fail(Kind::usage, "one server is needed");
    Order out;
    out.name = line.has('M') ? TRY(own_name(line.value('M'))) : host_name;
    TRY(read_flags(line, out));
    TRY(read_numbers(line, out));
    TRY(read_times(line, out));
    TRY(read_content(line, out));
    TRY(read_security(line, out));
    TRY(read_sources(line, out));
    out.to = TRY(destination(line.operands.front()));
    return out;
}

}  // namespace greylag::source
