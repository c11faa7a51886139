#include "cmd/smtpd/debug.hh"

#include <unistd.h>

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/wipe.hh"
#include "smtp/command.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/io.hh"

namespace greylag::smtpd {

namespace {
constexpr std::string_view hidden = "(hidden)";
constexpr std::size_t longest_piece = 64 << 10;
}  // namespace

Result<Debug> Debug::open(const std::string& state, const std::string& id) {
    const std::string directory = sys::join(state, "log/smtpdb");
    TRY(sys::make_directories(directory));
    Debug debug;
    debug.fd_ = TRY(sys::create_file(sys::join(directory, id), 0600));
    debug.start_ = sys::stopwatch();
    return debug;
}

Debug::Debug(sys::Fd fd, base::Millis ago) : fd_(std::move(fd)), start_(sys::stopwatch() - ago) {}

sys::Fd Debug::share() const { return sys::Fd(fd_ ? ::dup(fd_.get()) : -1); }
void Debug::client(std::string_view bytes, Kind kind) {
    if (!fd_) return;
    if (kind != kind_ && !line_.empty()) client_line();  // a chunk of BDAT may end within a line
    if (kind != kind_) rest_hidden_ = false;
    kind_ = kind;
    while (!bytes.empty()) {
        const std::size_t lf = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, lf);
        line_ += piece;
        bytes.remove_prefix(std::min(bytes.size(), piece.size() + 1));
        if (lf == std::string_view::npos && line_.size() < longest_piece) return;
        client_line();
        if (lf != std::string_view::npos) rest_hidden_ = false;
    }
}

void Debug::hide_secrets() {
    const auto said = smtp::parse_command(line_.ends_with('\r') ? std::string_view(line_).substr(0, line_.size() - 1) : line_);
    const bool auth = said.verb == smtp::Verb::auth;
    if (kind_ == Kind::secret || rest_hidden_ || (authenticates_ && said.verb == smtp::Verb::unknown)) {
        base::wipe(line_);
        line_ = hidden;
    } else if (const std::size_t end = said.argument.find(' '); auth && end != std::string_view::npos) {
        std::string shown = "AUTH " + std::string(said.argument.substr(0, end + 1)) + std::string(hidden);
        base::wipe(line_);
        line_ = std::move(shown);
    }
    authenticates_ = authenticates_ || auth;
    rest_hidden_ = rest_hidden_ || auth;
}

void Debug::client_line() {
    if (kind_ != Kind::body) hide_secrets();
    write("< ", line_ + "\n");
    line_.clear();
}

void Debug::write(std::string_view mark, std::string_view bytes) {
    if (!fd_ || bytes.empty()) return;
    const auto ms = sys::since(start_).count();
    std::string fraction = std::to_string(ms % 1000);
    const std::string stamp =
        std::to_string(ms / 1000) + "." + std::string(3 - fraction.size(), '0') + fraction + " " + std::string(mark);
    if (bytes.ends_with('\n')) bytes.remove_suffix(1);
    std::string out;
    for (const auto line : base::split(bytes, '\n'))
        out += stamp + base::printable(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line, 1 << 20) + "\n";
    // A full disk must not end the session; the next line may fit again.
    (void)sys::write_all(fd_.get(), out, sys::Deadline::in(base::Millis{1000}));
}

}  // namespace greylag::smtpd
