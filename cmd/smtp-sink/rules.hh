// What a sink says and does, as one value made from the command line. Pure.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.hh"
#include "base/time.hh"
#include "sys/listener.hh"

namespace greylag::sink {

// Where a rule can take hold: a command, a connection, the end of a message.
enum class Point : std::uint8_t {
    connect,
    helo,
    ehlo,
    lhlo,
    mail,
    rcpt,
    data,
    dot,
    bdat,
    rset,
    noop,
    quit,
    vrfy,
    starttls,
    auth,
    other
};
inline constexpr std::size_t points = 16;
std::optional<Point> find_point(std::string_view name);  // "MAIL", ".", case-blind
std::string_view name(Point point);

enum class Deed : std::uint8_t { answer, soft, hard, drop, say421, stall, garbage, half, reset };

struct Delay {
    base::Millis wait{0};
    unsigned odds = 0;  // 0: exactly `wait`; else a dice of 100 is rolled until it shows `odds` at least: that many times
};

struct Where {
    std::string path;  // a UNIX socket; else
    std::optional<std::string> host;
    std::uint16_t port = 0;
    std::optional<unsigned> backlog;
};

struct Account {
    std::string name, password;
};

struct Rules {
    Where where;
    bool v4 = true, v6 = true;
    bool lmtp = false, extended = true;  // -L, not -e
    bool eight_bit = true, auth = true, xclient = true, xforward = true, enhanced = true, dsn = true, pipelining = true,
         pix = false;
    std::array<Deed, points> deeds{};
    std::array<bool, points> logged{};
    std::array<Delay, points> delays{};
    std::optional<base::Millis> abort_after_data;  // -A
    base::Millis hold_after_data{0};               // -H
    std::string soft = "450 4.3.0 Error: command failed", hard = "500 5.3.0 Error: command failed";
    std::string host = "smtp-sink";
    bool count = false, json = false, verbose = false;
    std::string dump_one, dump_all, dump_start;          // -d -D -S
    std::uint64_t most_messages = 0, most_sessions = 0;  // 0: no end
    unsigned connections = 10'000;
    base::Millis timeout{100'000};
    int window = 0;
    std::string root, user;  // -R -u
    std::string certificate, key;
    bool smtps = false;
    unsigned threads = 0;
    std::vector<Account> accounts;

    bool tls() const { return !certificate.empty(); }
    Deed deed(Point p) const { return deeds[static_cast<std::size_t>(p)]; }
};

Result<Rules> make_rules(const base::CommandLine& line);  // Kind::usage

// "%Y%m%d%H/%M." of -d and -D (strftime(3): Y m d H M S y j %). Nothing when it asks for anything else.
std::optional<std::string> expand(std::string_view form, const base::Calendar& when);
std::string unescape(std::string_view text);  // the C escapes of -S

}  // namespace greylag::sink
