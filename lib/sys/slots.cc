#include "sys/slots.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "sys/io.hh"
#include "sys/tree.hh"

namespace greylag::sys {

namespace {
constexpr base::Millis pause{10};
}

// Nothing waits for the first of several locks: so they are asked in turn.
Result<Fd> take_slot(const std::string& name, unsigned count, Deadline deadline) {
    for (unsigned turn = static_cast<unsigned>(::getpid());; ++turn) {
        for (unsigned i = 0; i < count; ++i) {
            const std::string file = name + "." + std::to_string((turn + i) % count);
            Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
            if (!fd) return os_fail(file, errno);
            if (try_lock(fd.get())) return fd;
            if (errno != EWOULDBLOCK) return os_fail(file, errno);
        }
        if (deadline.passed()) return base::fail_later(Kind::timeout, name + ": every place is taken");
        sleep_watching(-1, pause);
    }
}

}  // namespace greylag::sys
