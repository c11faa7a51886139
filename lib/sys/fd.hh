// Every descriptor has an owner.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hh"

namespace greylag::sys {

// Owns one descriptor and closes it. -1 owns nothing.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() { reset(); }
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1);

private:
    int fd_ = -1;
};

struct Pipe {
    Fd read, write;
};
Result<Pipe> make_pipe();                     // close-on-exec
Result<std::pair<Fd, Fd>> make_socketpair();  // AF_UNIX stream, close-on-exec

// An Error of Kind::io (not_found for ENOENT, denied for EACCES and EPERM) from errno: "WHAT: reason". Temporary for what
// time or an administrator cures (ENOSPC, EMFILE, EIO, ENOMEM, EAGAIN, EDQUOT ...), permanent for the rest.
Error os_error(std::string_view what, int code);
std::string_view os_reason(int code);  // "No such file or directory": never a bare number
inline std::unexpected<Error> os_fail(std::string_view what, int code) { return std::unexpected(os_error(what, code)); }

// First thing in main: 0, 1 and 2 are open (on /dev/null where they were not; to read from 0 stays an error), SIGPIPE and SIGXFSZ
// are ignored (a write says EPIPE or EFBIG), and SIGCHLD is not (a parent may leave it so, and no exit status is ever seen).
void sane_process();

}  // namespace greylag::sys
