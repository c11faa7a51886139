// Only Linux: the call of that name is another one on each of the BSDs, and theirs takes no file without a name everywhere.
#include "sys/send_file.hh"

#if defined(__linux__)
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>

#include "sys/io.hh"
#endif

namespace greylag::sys {

#if defined(__linux__)
std::uint64_t send_file(int socket, int file, std::uint64_t offset, std::uint64_t count, Deadline deadline) {
    constexpr std::uint64_t most = 1u << 30;
    // On a socket that blocks the deadline would mean nothing.
    const int flags = ::fcntl(socket, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK) == 0) return 0;
    off64_t at = static_cast<off64_t>(offset);
    const off64_t end = at + static_cast<off64_t>(count);
    while (at < end) {
        const auto wanted = static_cast<std::size_t>(std::min(most, static_cast<std::uint64_t>(end - at)));
        const ssize_t sent = ::sendfile64(socket, file, &at, wanted);
        if (sent > 0 || (sent < 0 && errno == EINTR)) continue;
        if (sent == 0 || errno != EAGAIN || !writable(socket, deadline).value_or(false)) break;
    }
    return static_cast<std::uint64_t>(at) - offset;
}
#else
std::uint64_t send_file(int, int, std::uint64_t, std::uint64_t, Deadline) { return 0; }
#endif

}  // namespace greylag::sys
