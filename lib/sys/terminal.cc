#include "sys/terminal.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "base/scope.hh"
#include "base/wipe.hh"
#include "sys/fd.hh"
#include "sys/io.hh"

namespace greylag::sys {

namespace {
constexpr std::size_t longest = 1024;
// A person may look for the note with the password.
constexpr base::Millis patience{600'000};
}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

Result<std::string> read_line(int fd, std::size_t limit) {
    const auto deadline = Deadline::in(patience);
    std::string line;
    for (;;) {
        char c = 0;
        const std::size_t got = TRY(read_some(fd, {&c, 1}, deadline));
        if (got == 0 && line.empty()) return base::fail(Kind::closed, "no line came");
        if (got == 0 || c == '\n') break;
        if (line.size() == limit) {
            base::wipe(line);
            return base::fail(Kind::limit, "the line is too long");
        }
        line += c;
    }
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

Result<std::string> ask_password(const std::string& prompt) {
    const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal) return os_fail("/dev/tty", errno);
    termios shown{};
    if (::tcgetattr(terminal.get(), &shown) != 0) return os_fail("/dev/tty", errno);
    // An interrupt between the two would leave the person without an echo: it waits until the echo is back.
    sigset_t stops, before;
    ::sigemptyset(&stops);
    for (const int one : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) ::sigaddset(&stops, one);
    ::sigprocmask(SIG_BLOCK, &stops, &before);
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    hidden.c_lflag |= ECHONL;
    ::tcsetattr(terminal.get(), TCSAFLUSH, &hidden);
    const base::Scope restore([&] {
        ::tcsetattr(terminal.get(), TCSAFLUSH, &shown);
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
    });
    TRY(write_all(terminal.get(), prompt, Deadline::in(patience)));
    auto line = TRY(read_line(terminal.get(), longest));
    // Control-C is a character while signals are off.
    if (line.find('\x03') != std::string::npos) return base::fail(Kind::closed, "given up");
    return line;
}

struct TerminalMode::Saved {
    int fd = -1;
    termios before{};
};

Result<TerminalMode> TerminalMode::enter(int fd, Kind kind) {
    auto saved = std::make_unique<Saved>();
    saved->fd = fd;
    if (::tcgetattr(fd, &saved->before) != 0) return os_fail("the terminal", errno);
    termios wanted = saved->before;
    wanted.c_lflag &= ~static_cast<tcflag_t>(kind == Kind::keys ? ICANON | ECHO | ISIG | IEXTEN : ICANON);
    wanted.c_iflag &= ~static_cast<tcflag_t>(ICRNL | INLCR | IXON);
    wanted.c_cc[VMIN] = 1;
    wanted.c_cc[VTIME] = 0;
    if (::tcsetattr(fd, TCSADRAIN, &wanted) != 0) return os_fail("the terminal", errno);
    return TerminalMode(std::move(saved));
}

TerminalMode::TerminalMode(std::unique_ptr<Saved> saved) : saved_(std::move(saved)) {}
TerminalMode::TerminalMode(TerminalMode&&) noexcept = default;

TerminalMode& TerminalMode::operator=(TerminalMode&& other) noexcept {
    std::swap(saved_, other.saved_);
    return *this;
}

TerminalMode::~TerminalMode() {
    if (saved_) ::tcsetattr(saved_->fd, TCSADRAIN, &saved_->before);
}

unsigned terminal_width(int fd) {
    constexpr unsigned usual = 80;
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

}  // namespace greylag::sys
