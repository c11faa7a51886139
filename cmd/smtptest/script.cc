#include "cmd/smtptest/script.hh"

#include <sysexits.h>

#include <array>
#include <cstdio>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "cmd/smtptest/round.hh"
#include "smtp/dialogue_run.hh"
#include "sys/file.hh"
#include "sys/io.hh"

namespace greylag::smtptest {

namespace {

constexpr std::size_t largest_script = 16 << 20;
constexpr std::size_t largest_reply = 64 << 10;
// What is sent after a cut is a segment of its own once the server had the time to read what came before.
constexpr base::Millis between_segments{20};

Error of(const smtp_client::Failure& failure) { return {Kind::unavailable, Lasting::temporary, 0, failure.text}; }

class Live : public smtp::dialogue::Channel {
public:
    Live(Round& round, Report& report, base::Millis patience) : round_(round), report_(report), patience_(patience) {}

    Result<void> send(std::string_view octets) override {
        show(true, octets);
        (void)round_.server().write(octets);
        return {};
    }
    Result<void> cut() override {
        (void)sys::sleep_watching(-1, between_segments);
        return {};
    }
    Result<std::string> read_reply() override {
        std::string reply;
        for (;;) {
            const std::string line = TRY(read_line());
            reply += line;
            show(false, line);
            const bool numbered =
                line.size() >= 4 && base::parse_number<unsigned>(std::string_view(line).substr(0, 3)).has_value();
            if (!numbered) return base::fail(Kind::protocol, "no reply: \"" + base::printable(line) + "\"");
            if (line[3] != '-') break;
            if (reply.size() > largest_reply) return base::fail(Kind::limit, "a reply without an end");
        }
        remember(reply);
        return reply;
    }
    Result<bool> speaks_or_closes() override {
        if (!buffer_.empty() || round_.server().pending()) return true;
        return sys::readable(round_.server().descriptor(), sys::Deadline::in(patience_));
    }
    Result<std::string> read_to_end() override {
        while (fill().value_or(false)) {
            if (buffer_.size() > largest_reply) break;
        }
        return std::exchange(buffer_, {});
    }
    Result<void> half_close() override {
        (void)round_.server().half_close();
        return {};
    }
    Result<void> start_tls() override {
        if (!buffer_.empty()) return base::fail(Kind::protocol, "the server spoke on before the handshake of TLS");
        if (!round_.tls()) return base::fail(Kind::protocol, "no TLS");
        return {};
    }
    Result<void> authenticate(const std::vector<std::string>& words) override {
        round_.offer(mechanisms_);
        const auto reply = round_.authenticate_by(words);
        if (reply) {
            buffer_ = wire(*reply);
        } else {
            const auto& f = reply.error();
            if (f.code == 0) return std::unexpected(of(f));
            buffer_ = std::to_string(f.code) + " " + (f.enhanced.empty() ? "" : f.enhanced + " ") + f.text + "\r\n";
        }
        quiet_ = true;
        return {};
    }

private:
    Result<bool> fill() {
        const auto got = round_.server().read_some(room_);
        if (!got) return std::unexpected(of(got.error()));
        buffer_.append(room_.data(), *got);
        return *got > 0;
    }
    Result<std::string> read_line() {
        std::size_t end = 0;
        while ((end = buffer_.find('\n')) == std::string::npos) {
            if (buffer_.size() > largest_reply) return base::fail(Kind::limit, "a line without an end");
            if (!TRY(fill())) return base::fail(Kind::closed, "the server closed the connection");
        }
        std::string line = buffer_.substr(0, end + 1);
        buffer_.erase(0, end + 1);
        return line;
    }
    void remember(const std::string& reply) {
        for (const auto line : base::split(reply, '\n')) {
            const auto words = base::words(line.substr(std::min<std::size_t>(line.size(), 4)));
            if (words.empty() || !base::iequals(words[0], "AUTH")) continue;
            mechanisms_.clear();
            for (std::size_t i = 1; i < words.size(); ++i) mechanisms_.push_back(base::upper(words[i]));
        }
    }
    void show(bool ours, std::string_view octets) {
        // The exchange of AUTH was shown as it passed.
        if (!ours && std::exchange(quiet_, false)) return;
        for (auto line : base::split(octets, '\n')) {
            if (line.ends_with('\r')) line.remove_suffix(1);
            if (!line.empty()) report_.dialogue(ours, harmless(line));
        }
    }

    Round& round_;
    Report& report_;
    base::Millis patience_;
    std::string buffer_;
    std::vector<std::string> mechanisms_;
    bool quiet_ = false;
    std::array<char, 8192> room_;
};

int complain(const std::string& file, unsigned line, const std::string& what) {
    std::fprintf(stderr, "%s:%u: %s\n", file.c_str(), line, what.c_str());
    return 1;
}

}  // namespace

int run_script(const Order& order, Report& report) {
    const auto text = sys::read_file(order.script, largest_script);
    if (!text) return std::fprintf(stderr, "smtptest: %s\n", text.error().text.c_str()), EX_NOINPUT;
    for (const auto& section : smtp::dialogue::sections(*text)) {
        const auto script = smtp::dialogue::parse(section.text);
        if (!script) {
            for (const auto& fault : script.error()) complain(order.script, fault.line, fault.what);
            return EX_USAGE;
        }
        Round round(order, report);
        if (!section.title.empty()) report.say("=== " + harmless(section.title));
        if (!round.connect()) return report.status();
        Live channel(round, report, base::Millis(order.dial.timeout_ms));
        report.begin(section.title.empty() ? "script" : section.title);
        if (const auto fault = smtp::dialogue::run(*script, channel)) {
            report.failed({smtp_client::Failure::Kind::protocol,
                           0,
                           {},
                           order.script + ":" + std::to_string(fault->line) + ": " + fault->what});
            return 1;
        }
        report.done("as the script says");
    }
    return EX_OK;
}

}  // namespace greylag::smtptest
