#include "cmd/smtp-source/report.hh"

#include <algorithm>
#include <cstdio>
#include <initializer_list>

#include "base/escape.hh"

namespace greylag::source {

namespace {

constexpr std::size_t bar_width = 50;
struct Percentile {
    const char* name;
    double percent;
};
constexpr Percentile percentiles[] = {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}};

std::string number(double value, int digits) {
    char text[64];
    const int size = std::snprintf(text, sizeof text, "%.*f", digits, value);
    return {text, static_cast<std::size_t>(std::max(size, 0))};
}

void pad(std::string& out, std::string_view text, std::size_t width) {
    out.append(width > text.size() ? width - text.size() : 0, ' ').append(text);
}

double per_second(std::uint64_t count, Tick elapsed) {
    return elapsed <= 0 ? 0 : static_cast<double>(count) * 1e6 / static_cast<double>(elapsed);
}

std::string size_text(double octets) {
    for (const auto& [unit, name] :
         std::initializer_list<std::pair<double, const char*>>{{1e9, " GB"}, {1e6, " MB"}, {1e3, " kB"}})
        if (octets >= unit) return number(octets / unit, 1) + name;
    return number(octets, 0) + " B";
}

void failures_of(const Stats& stats, std::string& out) {
    out += "failed       " + std::to_string(stats.failed_in_all());
    const char* separator = " (";
    for (const Failure f : failures) {
        const auto count = stats.failed[static_cast<std::size_t>(f)];
        if (count == 0) continue;
        out.append(separator).append(name(f)).append(" ").append(std::to_string(count));
        separator = ", ";
    }
    out += *separator == ',' ? ")\n" : "\n";
    if (stats.codes.empty()) return;
    out += "refusals     ";
    separator = "";
    for (const auto& [code, count] : stats.codes) {
        out.append(separator).append(std::to_string(code)).append(": ").append(std::to_string(count));
        separator = ", ";
    }
    out += '\n';
}

void phase_row(std::string& out, std::string_view title, const Histogram& of) {
    out.append(title).append(title.size() < 9 ? 9 - title.size() : 1, ' ');
    pad(out, std::to_string(of.count()), 10);
    pad(out, show_time(of.least()), 11);
    for (const auto& p : percentiles) pad(out, show_time(of.percentile(p.percent)), 11);
    pad(out, show_time(of.most()), 11);
    out += '\n';
}

}  // namespace

std::string show_time(Tick micros) {
    if (micros < 1000) return std::to_string(micros) + " us";
    if (micros < 10'000) return number(static_cast<double>(micros) / 1e3, 2) + " ms";
    if (micros < 1'000'000) return number(static_cast<double>(micros) / 1e3, 1) + " ms";
    return number(static_cast<double>(micros) / 1e6, 2) + " s";
}

std::string histogram(const Histogram& of) {
    if (of.count() == 0) return {};
    struct Row {
        Tick from, to;
        std::uint64_t count;
    };
    Row rows[64];
    std::size_t size = 0;
    std::uint64_t most = 1;
    for (Tick from = 0, to = 1; from <= of.most() && size < std::size(rows); from = to, to *= 2) {
        const auto count = of.between(from, to);
        if (count == 0 && size == 0) continue;
        rows[size++] = {from, to, count};
        most = std::max(most, count);
    }
    std::string out;
    for (std::size_t i = 0; i < size; ++i) {
        out += "  <";
        pad(out, show_time(rows[i].to), 9);
        pad(out, std::to_string(rows[i].count), 10);
        const auto bar = static_cast<std::size_t>((rows[i].count * bar_width + most - 1) / most);
        if (bar != 0) out.append(" ").append(bar, '#');
        out += '\n';
    }
    return out;
}

std::string summary(const Run& run) {
    const Stats& s = run.stats;
    std::string out = run.stopped ? "stopped before the end\n" : "";
    out += "sent         " + std::to_string(s.sent) + " messages to " + std::to_string(s.recipients) + " recipients, " +
           size_text(static_cast<double>(s.bytes)) + "\n";
    failures_of(s, out);
    out += "connections  " + std::to_string(s.connections) + " in " + std::to_string(run.sessions) + " sessions, " +
           std::to_string(run.threads) + (run.threads == 1 ? " thread\n" : " threads\n");
    out += "elapsed      " + show_time(run.elapsed) + ": " + number(per_second(s.sent, run.elapsed), 1) + " messages/s, " +
           size_text(per_second(s.bytes, run.elapsed)) + "/s\n";
    out += "\nphase         count        min        p50        p90        p99      p99.9        max\n";
    for (const Phase p : phases)
        if (s.of(p).count() != 0) phase_row(out, name(p), s.of(p));
    if (s.of(Phase::whole).count() != 0)
        out += "\na whole message, from MAIL to the last reply\n" + histogram(s.of(Phase::whole));
    return out;
}

std::string json(const Run& run) {
    const Stats& s = run.stats;
    const auto field = [](std::string_view key, std::uint64_t value) {
        return base::json_string(key) + ":" + std::to_string(value);
    };
    std::string out = "{" + field("sent", s.sent) + "," + field("recipients", s.recipients) + "," + field("bytes", s.bytes) +
                      "," + field("failed", s.failed_in_all()) + "," + field("connections", s.connections) + "," +
                      field("sessions", run.sessions) + "," + field("threads", run.threads);
    out += ",\"elapsed\":" + number(static_cast<double>(run.elapsed) / 1e6, 6);
    out += ",\"messages_per_second\":" + number(per_second(s.sent, run.elapsed), 3);
    out += ",\"bytes_per_second\":" + number(per_second(s.bytes, run.elapsed), 1);
    out += run.stopped ? ",\"stopped\":true" : ",\"stopped\":false";
    out += ",\"failures\":{";
    bool first = true;
    for (const Failure f : failures) {
        out.append(first ? "" : ",").append(field(name(f), s.failed[static_cast<std::size_t>(f)]));
        first = false;
    }
    out += "},\"refusals\":{";
    first = true;
    for (const auto& [code, count] : s.codes) {
        out.append(first ? "" : ",").append(field(std::to_string(code), count));
        first = false;
    }
    out += "},\"latency_us\":{";
    first = true;
    for (const Phase p : phases) {
        const Histogram& h = s.of(p);
        if (h.count() == 0) continue;
        out.append(first ? "" : ",").append(base::json_string(name(p))).append(":{").append(field("count", h.count()));
        out += ",\"min\":" + std::to_string(h.least()) + ",\"mean\":" + number(h.mean(), 1);
        for (const auto& q : percentiles) out += "," + base::json_string(q.name) + ":" + std::to_string(h.percentile(q.percent));
        out += ",\"max\":" + std::to_string(h.most()) + "}";
        first = false;
    }
    return out + "}}\n";
}

std::string csv(const Run& run) {
    std::string out = "phase,count,min_us,mean_us,p50_us,p90_us,p99_us,p99.9_us,max_us\n";
    for (const Phase p : phases) {
        const Histogram& h = run.stats.of(p);
        out.append(name(p)).append(",").append(std::to_string(h.count())).append(",").append(std::to_string(h.least()));
        out += "," + number(h.mean(), 1);
        for (const auto& q : percentiles) out += "," + std::to_string(h.percentile(q.percent));
        out += "," + std::to_string(h.most()) + "\n";
    }
    return out;
}

std::string live_line(const Glance& now, const Glance& before, Tick between) {
    std::string out = std::to_string(now.sent) + " sent, " + number(per_second(now.sent - before.sent, between), 0) + "/s, p50 " +
                      show_time(now.median) + ", p99 " + show_time(now.p99);
    if (now.failed != 0) out += ", " + std::to_string(now.failed) + " failed";
    return out;
}

}  // namespace greylag::source
