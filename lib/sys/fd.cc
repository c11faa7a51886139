// Descriptors with owners, and errno as an Error that people can read.
#include "sys/fd.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace greylag::sys {

namespace {

bool cured_by_time(int code) {
    switch (code) {
        case EAGAIN:
        case EINTR:
        case ENOMEM:
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case EIO:
        case EROFS:
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case EBUSY:
        case ETXTBSY:
        case ESTALE:
        case EADDRINUSE:
        case ETIMEDOUT:
        case EPIPE:
        case ECONNRESET:
        case ECONNABORTED:
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ENETDOWN: return true;
        default: return false;
    }
}

Kind kind_of(int code) {
    if (code == ENOENT) return Kind::not_found;
    if (code == EACCES || code == EPERM) return Kind::denied;
    return Kind::io;
}

}  // namespace

void Fd::reset(int fd) {
    // After EINTR the descriptor is gone on Linux and unknown elsewhere: closing again could hit a stranger's.
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) return os_fail("pipe", errno);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<std::pair<Fd, Fd>> make_socketpair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return os_fail("socketpair", errno);
    return std::pair{Fd(ends[0]), Fd(ends[1])};
}

std::string_view os_reason(int code) {
#ifdef __GLIBC__
    const char* text = ::strerrordesc_np(code);  // strerror would put the number of an unknown error into its text
#else
    const char* text = std::strerror(code);
#endif
    return text != nullptr ? text : "unknown error";
}

Error os_error(std::string_view what, int code) {
    std::string text(what);
    text += ": ";
    text += os_reason(code);
    return Error{kind_of(code), cured_by_time(code) ? Lasting::temporary : Lasting::permanent, code, std::move(text)};
}

void sane_process() {
    // No input is not an empty one: a message that nobody gave is none.
    if (::fcntl(STDIN_FILENO, F_GETFD) < 0) (void)::open("/dev/null", O_WRONLY);
    int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= 2) {
        ::fcntl(fd, F_SETFD, 0);
        fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    if (fd > 2) ::close(fd);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);
    ::signal(SIGCHLD, SIG_DFL);
}

}  // namespace greylag::sys
