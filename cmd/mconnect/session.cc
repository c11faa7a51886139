#include "cmd/mconnect/session.hh"

#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/escape.hh"
#include "cmd/mconnect/options.hh"
#include "cmd/mconnect/wire.hh"
#include "smtp/typed.hh"
#include "sys/fd.hh"
#include "sys/file.hh"
#include "sys/io.hh"
#include "sys/signals.hh"
#include "sys/terminal.hh"

namespace greylag::mconnect {

namespace {

// So much may have been typed, or come through a pipe, before the server took it.
constexpr std::size_t most_waiting = 64 << 10;

int complain(int status, const std::string& text) { return program.complain(status, text); }
int complain(const smtp_client::Failure& failure) { return complain(smtp_client::exit_status(failure.kind), failure.text); }

class Session {
public:
    explicit Session(const Order& order) : order_(order), wire_(order.raw), patience_(order.dial.timeout_ms) {}

    int run() {
        if (!order_.transcript.empty()) {
            auto file = sys::create_file(order_.transcript, 0600);
            if (!file) return complain(EX_CANTCREAT, file.error().text);
            transcript_ = *std::move(file);
        }
        if (const int status = connect(); status != EX_OK) return status;
        sys::Signals signals;
        std::optional<sys::TerminalMode> mode;
        if (order_.raw && sys::is_terminal(STDIN_FILENO)) {
            auto entered = sys::TerminalMode::enter(STDIN_FILENO, sys::TerminalMode::Kind::octets);
            if (entered) mode.emplace(*std::move(entered));
        }
        std::optional<int> status;
        while (!status) status = step(signals);
        keep(text_.finish());
        return *status;
    }

private:
    int connect() {
        smtp_client::DialOptions dial = order_.dial;
        dial.trying = [](std::string_view name, std::string_view address, std::string_view failure) {
            announce(name, address, failure);
        };
        auto opened = smtp_client::Connection::open(order_.to, dial);
        if (!opened) return complain(opened.error());
        server_.emplace(*std::move(opened));
        if (order_.tls)
            if (const int status = start_tls(); status != EX_OK) return status;
        std::fputs("connection open\n", stdout);
        std::fflush(stdout);
        return EX_OK;
    }

    static void announce(std::string_view name, std::string_view address, std::string_view failure) {
        const std::size_t colon = address.rfind(':');
        const std::string host = base::printable(name), where = base::printable(address.substr(0, colon));
        if (!failure.empty())
            std::printf("connect to %s failed (%s)\n", where.c_str(), base::printable(failure).c_str());
        else if (name == address)
            std::printf("connecting to %s\n", host.c_str());
        else
            std::printf("connecting to host %s (%s), port %s\n", host.c_str(), where.c_str(),
                        base::printable(address.substr(colon + 1)).c_str());
        std::fflush(stdout);
    }

    int start_tls() {
        smtp_client::TlsOptions options;
        options.insist = false;  // a tool to look with: what is wrong is said
        const auto report = server_->start_tls(options);
        if (!report) return complain(report.error());
        std::printf(
            "%s, %s\n", report->description.c_str(),
            report->believed ? "certificate verified" : ("certificate not verified: " + base::printable(report->reason)).c_str());
        std::fflush(stdout);
        return EX_OK;
    }

    // What the last reply said is how it went.
    int verdict() const { return typed_.last_code() >= 500 ? EX_UNAVAILABLE : typed_.last_code() >= 400 ? EX_TEMPFAIL : EX_OK; }

    // Who refuses and leaves does not wait for what is on its way, and resets the connection: the refusal is what counts.
    int lost(const smtp_client::Failure& failure) const { return typed_.last_code() >= 400 ? verdict() : complain(failure); }

    bool held() const { return order_.raw ? typed_.waits_for_tls() : typed_.waits(); }

    std::optional<int> step(sys::Signals& signals) {
        const bool writes = !held() && wire_ready();
        if (wire_.done() && !piece_ && !said_end_) {
            said_end_ = true;
            if (const auto said = server_->half_close(); !said) return lost(said.error());
        }
        std::array<sys::Interest, 2> both{sys::Interest{server_->descriptor(), true, writes},
                                          sys::Interest{STDIN_FILENO, !at_end_ && wire_.waiting() < most_waiting, false}};
        const bool here = server_->pending();
        // A person may take an hour; a server that owes us a word may not.
        const bool waiting = said_end_ || (held() && (at_end_ || piece_ || wire_.waiting() > 0));
        const auto deadline = here      ? sys::Deadline::in(base::Millis(0))
                              : waiting ? sys::Deadline::in(base::Millis(patience_))
                                        : sys::Deadline::never();
        if (!both[1].read) both[1].fd = -1;
        if (signals.wait_both(both, deadline).stop) return EX_OK;
        if (here || both[0].read) return hear();
        if (both[1].read) return type();
        if (both[0].write) return send();
        if (waiting) return complain(EX_TEMPFAIL, "the server says nothing");
        return std::nullopt;
    }

    bool wire_ready() {
        if (!piece_) piece_ = wire_.next();
        return piece_.has_value();
    }

    std::optional<int> hear() {
        if (!server_->readable(0)) return std::nullopt;
        const auto count = server_->read_some(room_);
        if (!count) return lost(count.error());
        if (*count == 0) return verdict();
        const std::string_view octets(room_.data(), *count);
        const std::size_t taken = typed_.theirs(octets);
        keep(text_.add(Transcript::Side::theirs, octets.substr(0, taken)));
        const auto shown = sys::write_all(STDOUT_FILENO, octets.substr(0, taken), sys::Deadline::in(base::Millis(patience_)));
        if (!shown) return complain(EX_IOERR, "standard output: " + shown.error().text);
        if (!typed_.tls_now()) return std::nullopt;
        // Whoever speaks between the go-ahead and the handshake wants to be taken for what comes under TLS.
        if (taken < *count || server_->pending()) return complain(EX_PROTOCOL, "the server spoke on before the handshake of TLS");
        if (const int status = start_tls(); status != EX_OK) return status;
        return std::nullopt;
    }

    std::optional<int> type() {
        const auto count = sys::read_some(STDIN_FILENO, room_, sys::Deadline::in(base::Millis(patience_)));
        if (!count) return complain(EX_IOERR, "standard input: " + count.error().text);
        at_end_ = *count == 0;
        if (at_end_) wire_.end();
        wire_.typed({room_.data(), *count});
        return std::nullopt;
    }

    std::optional<int> send() {
        const auto sent = server_->write(piece_->octets);
        // A server that has closed may have said why: that is read first.
        if (!sent) broken_ = true;
        if (broken_) return hear();
        keep(text_.add(Transcript::Side::ours, piece_->octets));
        if (piece_->line) typed_.ours(*piece_->line);
        piece_.reset();
        return std::nullopt;
    }

    void keep(const std::string& text) {
        if (transcript_) (void)sys::write_all(transcript_.get(), text, sys::Deadline::in(base::Millis(patience_)));
    }

    const Order& order_;
    std::optional<smtp_client::Connection> server_;
    smtp::Typed typed_;
    ToWire wire_;
    std::optional<ToWire::Piece> piece_;
    Transcript text_;
    sys::Fd transcript_;
    std::uint32_t patience_;
    bool at_end_ = false, said_end_ = false, broken_ = false;
    std::array<char, 8192> room_;
};

}  // namespace

int run(const Order& order) { return Session(order).run(); }

}  // namespace greylag::mconnect
