// Log lines on their way out. A full disk or a dead logger must never stop mail.
#include "sys/log.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/ascii.hh"
#include "sys/clock.hh"

namespace greylag::sys {

namespace {

constexpr int patience_ms = 1000;  // for a reader of standard error that does not read

int severity(base::Word word) {
    using base::Word;
    switch (word) {
        case Word::connect:
        case Word::accept:
        case Word::greylist:
        case Word::whitelist:
        case Word::auth_ok:
        case Word::tls:
        case Word::deliver:
        case Word::disconnect: return LOG_INFO;
        case Word::reject:
        case Word::drop: return LOG_NOTICE;
        case Word::auth_failed:
        case Word::note: return LOG_WARNING;
        case Word::deliver_failed: return LOG_ERR;
    }
    return LOG_WARNING;
}

bool kept_when_quiet(base::Word word) {
    using base::Word;
    return word == Word::note || word == Word::reject || word == Word::drop || word == Word::auth_failed ||
           word == Word::deliver_failed;
}

// syslog(3) drops lines without a word when nobody listens.
bool syslog_listens() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, _PATH_LOG, sizeof _PATH_LOG);
    const void* place = &address;
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
        const Fd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (fd && ::connect(fd.get(), static_cast<const sockaddr*>(place), sizeof address) == 0) return true;
    }
    return false;
}

// RFC 3339 with the local offset.
std::string timestamp() {
    const base::WallTime now = wall_now();
    const int offset = std::abs(now.offset_minutes);
    return base::show_calendar(base::calendar(now)) + (now.offset_minutes < 0 ? '-' : '+') + base::padded(offset / 60, 2) + ':' +
           base::padded(offset % 60, 2);
}

// One write: lines of many processes in one file never mix.
void write_once(int fd, std::string line) {
    line += '\n';
    [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
}

// Whoever reads our standard error may have stopped; then the line is lost, not the session.
void write_stderr(std::string line) {
    pollfd entry{2, POLLOUT, 0};
    if (::poll(&entry, 1, patience_ms) > 0) write_once(2, std::move(line));
}

}  // namespace

Log::Log(Settings settings) : settings_(std::move(settings)) {}

Log::~Log() {
    release();
    if (opened_ && settings_.to == To::syslog) ::closelog();
}

// At the first line only: a session that says nothing pays nothing.
void Log::open() {
    opened_ = true;
    std::string why;
    if (settings_.to == To::syslog) {
        if (syslog_listens()) {
            ::openlog(settings_.program.c_str(), LOG_PID, LOG_MAIL);
        } else {
            why = "no syslog socket";
        }
    } else if (settings_.to == To::file) {
        file_.reset(::open(settings_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0640));
        if (!file_) why = os_error(settings_.path, errno).text;
    }
    if (why.empty()) return;
    settings_.to = To::stderr_;
    write_stderr(settings_.program + ": " + why + ": the log goes to standard error");
}

std::string Log::line(const base::Event& event) const {
    const bool json = settings_.format == Format::json;
    if (settings_.to == To::syslog) return json ? base::show_json(event, id_) : base::show_text(event, id_);
    if (json) {
        base::Event timed{event.word, {}};
        timed.with("time", timestamp());
        timed.fields.insert(timed.fields.end(), event.fields.begin(), event.fields.end());
        return base::show_json(timed, id_);
    }
    const std::string text = settings_.program + "[" + std::to_string(::getpid()) + "]: " + base::show_text(event, id_);
    return settings_.to == To::file ? timestamp() + " " + text : text;
}

void Log::write(const base::Event& event) {
    if (settings_.to == To::nowhere || (settings_.quiet && !kept_when_quiet(event.word))) return;
    if (!opened_) open();
    std::string text = line(event);
    if (holding_)
        held_.emplace_back(event.word, std::move(text));
    else
        put(event.word, text);
}

void Log::release() {
    for (const auto& [word, text] : held_) put(word, text);
    held_.clear();
}

void Log::put(base::Word word, const std::string& text) {
    switch (settings_.to) {
        case To::syslog: ::syslog(severity(word), "%s", text.c_str()); return;
        case To::file: write_once(file_.get(), text); return;
        case To::stderr_: write_stderr(text); return;
        case To::nowhere: return;
    }
}

}  // namespace greylag::sys
