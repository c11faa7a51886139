#include "cmd/smtptest/report.hh"

#include <sysexits.h>

#include <cstdio>
#include <utility>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/hex.hh"
#include "sys/clock.hh"

namespace greylag::smtptest {

namespace {

// 4yz and 5yz as an exit status.
int status_of(int code) { return code >= 500 ? EX_UNAVAILABLE : code >= 400 ? EX_TEMPFAIL : EX_OK; }

std::string_view colour(char digit) {
    switch (digit) {
        case '2': return "\x1b[32m";
        case '4': return "\x1b[33m";
        case '5': return "\x1b[31m";
        default: return "";
    }
}

}  // namespace

std::string wire(const smtp_client::Reply& reply) {
    std::string out;
    for (std::size_t i = 0; i < reply.lines.size(); ++i) {
        out += std::to_string(reply.code) + (i + 1 < reply.lines.size() ? "-" : " ");
        if (!reply.enhanced.empty()) out += reply.enhanced + " ";
        out += reply.lines[i] + "\r\n";
    }
    return out;
}

std::string harmless(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (!base::is_ctl(c) || c == '\t') {
            out += c;
            continue;
        }
        out += "\\x";
        base::append_hex(out, c, base::hex_lower);
    }
    return out;
}

void Report::out(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void Report::dialogue(bool ours, std::string_view line) {
    if (style_.json) return;
    std::string text = ours ? "C: " : "S: ";
    const auto paint = style_.colours && !ours && !line.empty() ? colour(line.front()) : std::string_view();
    text.append(paint).append(line).append(paint.empty() ? "" : "\x1b[m");
    out(text + "\n");
}

void Report::words(const smtp_client::Reply& reply) {
    if (!style_.json) out(wire(reply));
}

void Report::say(std::string_view line) {
    if (!style_.json) out(std::string(line) + "\n");
}

void Report::begin(std::string name) {
    step_ = std::move(name);
    since_ = sys::stopwatch();
}

void Report::end(bool ok, int code, std::string_view enhanced, std::string_view text, std::string_view more) {
    if (step_.empty()) return;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(sys::stopwatch() - since_).count();
    char ms[32];
    std::snprintf(ms, sizeof ms, "%lld.%03lld", static_cast<long long>(took / 1000), static_cast<long long>(took % 1000));
    if (style_.json) {
        std::string line = "{\"step\":" + base::json_string(step_) + ",\"ok\":" + (ok ? "true" : "false") + ",\"ms\":" + ms;
        if (code != 0) line += ",\"code\":" + std::to_string(code);
        if (!enhanced.empty()) line += ",\"enhanced\":" + base::json_string(enhanced);
        if (!text.empty()) line += ",\"text\":" + base::json_string(text);
        out(line + std::string(more) + "}\n");
    } else if (style_.time) {
        out("T: " + step_ + " " + ms + " ms\n");
    }
    step_.clear();
}

void Report::done(const smtp_client::Reply& reply, std::string_view command) {
    std::string text, more;
    for (const auto& line : reply.lines) text += (text.empty() ? "" : "\n") + line;
    if (!command.empty()) more = ",\"command\":" + base::json_string(command);
    end(reply.ok(), reply.code, reply.enhanced, text, more);
}

void Report::done(std::string_view text) { end(true, 0, {}, text, {}); }

void Report::failed(const smtp_client::Failure& failure) {
    end(false, failure.code, failure.enhanced, failure.text, {});
    const std::string code = failure.code != 0 ? std::to_string(failure.code) + " " : "";
    std::fprintf(stderr, "smtptest: %s%s\n", code.c_str(), harmless(failure.text).c_str());
    worst(smtp_client::exit_status(failure.kind));
}

void Report::judge(const smtp_client::Reply& reply, bool last_counts) {
    const int status = status_of(reply.code);
    const bool worse = status == EX_UNAVAILABLE || verdict_ == EX_OK;
    if (last_counts || worse) verdict_ = status;
}

void Report::worst(int status) {
    if (status_ == 0) status_ = status;
}

}  // namespace greylag::smtptest
