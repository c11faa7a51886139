#include "sys/unix_door.hh"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "sys/io.hh"

namespace greylag::sys {

Result<UnixDoor> UnixDoor::open(const std::string& path) {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof place.sun_path)
        return base::fail(Kind::usage, path + ": no path for a socket, it is empty or too long");
    std::copy(path.begin(), path.end(), place.sun_path);
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return os_fail("socket", errno);
    const mode_t before = ::umask(0177);
    const int bound = ::bind(fd.get(), static_cast<const sockaddr*>(static_cast<const void*>(&place)), sizeof place);
    const int code = errno;
    ::umask(before);
    if (bound != 0) return os_fail(path, code);
    struct stat made {};
    if (::listen(fd.get(), 8) != 0 || ::lstat(path.c_str(), &made) != 0) return os_fail(path, errno);
    return UnixDoor(std::move(fd), path, static_cast<std::uint64_t>(made.st_dev), static_cast<std::uint64_t>(made.st_ino));
}

UnixDoor::~UnixDoor() {
    struct stat now {};
    if (!fd_ || ::lstat(path_.c_str(), &now) != 0) return;
    if (static_cast<std::uint64_t>(now.st_dev) == device_ && static_cast<std::uint64_t>(now.st_ino) == inode_)
        ::unlink(path_.c_str());
}

Result<Fd> UnixDoor::accept(Deadline deadline) const {
    for (;;) {
        Fd client(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (client) return client;
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) return os_fail(path_, errno);
        if (!TRY(readable(fd_.get(), deadline))) return base::fail_later(Kind::timeout, path_ + ": nobody came");
    }
}

}  // namespace greylag::sys
