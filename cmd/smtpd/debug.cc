#include "cmd/smtpd/debug.hh"

#include <unistd.h>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/io.hh"

namespace greylag::smtpd {

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
