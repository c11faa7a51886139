#include "cmd/smtp-sink/rules.hh"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "cmd/load_options.hh"

namespace greylag::sink {

namespace {

using cmd::bad;
using cmd::number;

constexpr std::array<std::string_view, points> names{"CONNECT", "HELO", "EHLO", "LHLO", "MAIL", "RCPT",     "DATA", ".",
                                                     "BDAT",    "RSET", "NOOP", "QUIT", "VRFY", "STARTTLS", "AUTH", ""};

// The values of one option, however often it was given.
template <class Name, class Take>
Result<void> each(const base::CommandLine& line, Name letter_or_name, Take take) {
    for (const auto& given : line.options) {
        bool same = false;
        if constexpr (std::is_same_v<Name, char>) {
            same = given.option->letter == letter_or_name;
        } else {
            same = given.option->name == letter_or_name;
        }
        if (same) TRY(take(given.value));
    }
    return {};
}

template <class Name, class Do>
Result<void> each_point(const base::CommandLine& line, Name option, std::string_view shown, Do act) {
    return each(line, option, [&](std::string_view value) -> Result<void> {
        for (const auto word : base::words(value, ",")) {
            const auto point = find_point(word);
            if (!point) return bad(shown, word, "no command");
            act(static_cast<std::size_t>(*point));
        }
        return {};
    });
}

Result<base::Millis> seconds(std::string_view option, std::string_view text) {
    const auto value = base::parse_duration(text);
    if (!value) return bad(option, text, "no time (5, 200ms)");
    return *value;
}

Result<void> read_delay(std::string_view value, Rules& out) {
    const auto parts = base::split(value, ':');
    const auto point = find_point(parts[0]);
    if (!point || parts.size() < 2 || parts.size() > 3) return bad("-W", value, "not command:seconds[:odds]");
    Delay& delay = out.delays[static_cast<std::size_t>(*point)];
    delay.wait = TRY(seconds("-W", parts[1]));
    if (parts.size() == 2) return {};
    const auto odds = base::parse_number<unsigned>(parts[2]);
    if (!odds || *odds == 0 || *odds > 99) return bad("-W", value, "odds are 1 to 99");
    delay.odds = *odds;
    return {};
}

// A reply that -b and -B give: three digits of the class that they stand for.
Result<void> read_reply(const base::CommandLine& line, char letter, char digit, std::string& out) {
    if (!line.has(letter)) return {};
    const std::string_view text = line.value(letter);
    const bool good = text.size() >= 3 && text[0] == digit && base::is_digit(text[1]) && base::is_digit(text[2]) &&
                      (text.size() == 3 || text[3] == ' ') && std::none_of(text.begin(), text.end(), base::is_ctl);
    if (!good) return bad(std::string("-") + letter, text, std::string("no reply of the class ") + digit);
    out = text;
    return {};
}

Result<void> read_deeds(const base::CommandLine& line, Rules& out) {
    const std::pair<char, Deed> letters[] = {{'r', Deed::soft}, {'f', Deed::hard}, {'q', Deed::drop}, {'Q', Deed::say421}};
    for (const auto& [letter, deed] : letters) {
        const std::string shown = std::string("-") + letter;
        TRY(each_point(line, letter, shown, [&, d = deed](std::size_t at) { out.deeds[at] = d; }));
    }
    const std::pair<std::string_view, Deed> words[] = {
        {"stall", Deed::stall}, {"garbage", Deed::garbage}, {"half", Deed::half}, {"reset", Deed::reset}};
    for (const auto& [word, deed] : words) {
        const std::string shown = "--" + std::string(word);
        TRY(each_point(line, word, shown, [&, d = deed](std::size_t at) { out.deeds[at] = d; }));
    }
    TRY(each_point(line, 's', "-s", [&](std::size_t at) { out.logged[at] = true; }));
    TRY(each(line, 'W', [&](std::string_view value) { return read_delay(value, out); }));
    if (line.has('w')) out.delays[static_cast<std::size_t>(Point::data)].wait = TRY(seconds("-w", line.value('w')));
    if (line.has('A')) out.abort_after_data = TRY(seconds("-A", line.value('A')));
    if (line.has('H')) out.hold_after_data = TRY(seconds("-H", line.value('H')));
    TRY(read_reply(line, 'b', '4', out.soft));
    TRY(read_reply(line, 'B', '5', out.hard));
    return {};
}

Result<void> read_offers(const base::CommandLine& line, Rules& out) {
    if (line.has('4') && line.has('6')) return base::fail(Kind::usage, "-4 and -6 exclude each other");
    out.v4 = !line.has('6');
    out.v6 = !line.has('4');
    out.lmtp = line.has('L');
    out.pix = line.has('P');
    out.extended = !line.has('e') && !out.pix;
    out.eight_bit = !line.has('8');
    out.auth = !line.has('a');
    out.xclient = !line.has('C');
    out.xforward = !line.has('F');
    out.enhanced = !line.has('E');
    out.dsn = !line.has('N');
    out.pipelining = !line.has('p') && !line.has('f') && !line.has('r');
    out.host = line.value('h', out.host);
    if (out.host.empty() || !base::all_printable(out.host)) return bad("-h", out.host, "no name");
    out.count = line.has('c');
    out.json = line.has("json");
    out.verbose = line.has('v');
    return {};
}

Result<void> read_limits(const base::CommandLine& line, Rules& out) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    TRY(number<unsigned>(line, 'm', out.connections, 1, 1'000'000));
    TRY(number<std::uint64_t>(line, 'M', out.most_messages, 1, most));
    TRY(number<std::uint64_t>(line, 'n', out.most_sessions, 1, most));
    TRY(cmd::read_window(line, out.window));
    if (line.has('t')) out.timeout = TRY(seconds("-t", line.value('t')));
    if (out.timeout.count() == 0) return bad("-t", "0", "a time is needed");
    return cmd::read_threads(line, out.threads);
}

Result<void> read_files(const base::CommandLine& line, Rules& out) {
    out.dump_one = line.value('d');
    out.dump_all = line.value('D');
    for (const auto* form : {&out.dump_one, &out.dump_all})
        if (!expand(*form, {})) return bad("-d", *form, "only %Y %m %d %H %M %S %y %j %% are known");
    out.dump_start = unescape(line.value('S'));
    out.root = line.value('R');
    out.user = line.value('u');
    out.certificate = line.value("cert");
    out.key = line.value("key");
    out.smtps = line.has("smtps");
    if (!out.tls() && (out.smtps || !out.key.empty())) return base::fail(Kind::usage, "--smtps and --key need --cert");
    return each(line, std::string_view("user"), [&](std::string_view value) -> Result<void> {
        const auto parts = base::cut(value, ':');
        if (!parts || parts->first.empty() || parts->second.empty())
            return bad("--user", parts ? parts->first : value, "not name:password");
        out.accounts.push_back({std::string(parts->first), std::string(parts->second)});
        return {};
    });
}

Result<Where> read_where(const base::CommandLine& line) {
    if (line.operands.empty() || line.operands.size() > 2) return base::fail(Kind::usage, "one address to listen on is needed");
    Where where;
    std::string_view text = line.operands[0];
    if (line.operands.size() == 2) {
        where.backlog = base::parse_number<unsigned>(line.operands[1]);
        if (!where.backlog || *where.backlog == 0) return bad("backlog", line.operands[1], "not a number from 1 on");
    }
    if (text.starts_with("unix:")) {
        where.path = text.substr(5);
        if (where.path.empty()) return base::fail(Kind::usage, "unix: names no socket");
        return where;
    }
    if (text.starts_with("inet:")) text.remove_prefix(5);
    const std::size_t colon = text.rfind(':');
    const auto port = base::parse_number<std::uint16_t>(text.substr(colon == std::string_view::npos ? 0 : colon + 1));
    if (!port) return bad("address", text, "not [host]:port");
    where.port = *port;
    std::string_view host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (!host.empty()) where.host = std::string(host);
    return where;
}

}  // namespace

std::optional<Point> find_point(std::string_view name) {
    const auto at = std::find_if(names.begin(), names.end() - 1, [&](std::string_view n) { return base::iequals(n, name); });
    if (at == names.end() - 1) return std::nullopt;
    return static_cast<Point>(at - names.begin());
}

std::string_view name(Point point) { return names[static_cast<std::size_t>(point)]; }

Result<Rules> make_rules(const base::CommandLine& line) {
    Rules out;
    out.where = TRY(read_where(line));
    TRY(read_offers(line, out));
    TRY(read_deeds(line, out));
    TRY(read_limits(line, out));
    TRY(read_files(line, out));
    return out;
}

std::optional<std::string> expand(std::string_view form, const base::Calendar& when) {
    std::string out;
    const auto put = [&out](int number, std::size_t width) {
        const std::string digits = std::to_string(number);
        out.append(width > digits.size() ? width - digits.size() : 0, '0').append(digits);
    };
    for (std::size_t i = 0; i < form.size(); ++i) {
        if (form[i] != '%') {
            out += form[i];
            continue;
        }
        switch (++i < form.size() ? form[i] : '\0') {
            case 'Y': put(when.year, 4); break;
            case 'y': put(when.year % 100, 2); break;
            case 'm': put(when.month, 2); break;
            case 'd': put(when.day, 2); break;
            case 'H': put(when.hour, 2); break;
            case 'M': put(when.minute, 2); break;
            case 'S': put(when.second, 2); break;
            case 'j': {
                base::Calendar first = when;
                first.month = first.day = 1;
                put(static_cast<int>((base::seconds_of(when, 0) - base::seconds_of(first, 0)) / 86400) + 1, 3);
                break;
            }
            case '%': out += '%'; break;
            default: return std::nullopt;
        }
    }
    return out;
}

std::string unescape(std::string_view text) {
    constexpr std::string_view letters = "abfnrtv\\", meanings = "\a\b\f\n\r\t\v\\";
    std::string out;
    while (!text.empty()) {
        const char c = text.front();
        text.remove_prefix(1);
        if (c != '\\' || text.empty()) {
            out += c;
            continue;
        }
        std::size_t digits = 0;
        int octal = 0;
        while (digits < 3 && digits < text.size() && text[digits] >= '0' && text[digits] <= '7')
            octal = octal * 8 + (text[digits++] - '0');
        if (digits != 0) {
            out += static_cast<char>(octal & 0xff);
            text.remove_prefix(digits);
            continue;
        }
        const std::size_t known = letters.find(text.front());
        out += known == std::string_view::npos ? text.front() : meanings[known];
        text.remove_prefix(1);
    }
    return out;
}

}  // namespace greylag::sink
