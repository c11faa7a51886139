// No polling where the kernel can say that a process ended (pidfd_open on Linux); short sleeps elsewhere.
#include "sys/child_wait.hh"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace greylag::sys {

namespace {

constexpr base::Millis grace{500};             // between SIGTERM and SIGKILL
constexpr base::Millis kernel_patience{5000};  // for a process that SIGKILL does not end at once
constexpr base::Millis longest_nap{20};
constexpr std::size_t last_words = 1 << 20;  // a pipe's worth at most: a grandchild may go on for ever

Fd watch(int pid) {
#ifdef SYS_pidfd_open
    return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
#else
    static_cast<void>(pid);
    return Fd();
#endif
}

// Whether it is a zombie by now. It stays one, so that its number, and its group's, cannot go to somebody else before we killed
// what is left of the group.
Result<bool> ended(int pid) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
        if (errno == EINTR) return false;
        return os_fail("waiting for a program", errno);
    }
    return info.si_pid == pid;
}

// False when there is nothing more to come.
bool hear(Ear& ear, std::size_t most) {
    char block[2048];  // it has little to say, and every page of a larger one would be touched
    for (std::size_t heard = 0; heard < most;) {
        const ssize_t count = ::read(ear.fd.get(), block, sizeof block);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN;
        if (count == 0) return false;
        heard += static_cast<std::size_t>(count);
        const std::size_t room = ear.limit - std::min(ear.limit, ear.text->size());
        ear.text->append(block, std::min(room, static_cast<std::size_t>(count)));
    }
    return true;
}

// Waits for the end of `pid` until the deadline, all ears meanwhile.
Result<bool> wait_and_hear(int pid, const Fd& process, Deadline deadline, std::span<Ear> ears) {
    base::Millis nap{1};
    std::vector<pollfd> entries;
    for (;;) {
        if (TRY(ended(pid))) {
            for (Ear& ear : ears) {
                if (ear.fd) hear(ear, last_words);
            }
            return true;
        }
        if (deadline.passed()) return false;

        entries.assign(1, pollfd{process.get(), POLLIN, 0});
        for (const Ear& ear : ears) entries.push_back(pollfd{ear.fd.get(), POLLIN, 0});
        const Deadline wake = process ? deadline : Deadline::earlier(deadline, Deadline::in(nap));
        nap = std::min(nap * 2, longest_nap);
        if (::poll(entries.data(), static_cast<nfds_t>(entries.size()), wake.poll_timeout()) <= 0) continue;
        for (std::size_t i = 0; i < ears.size(); ++i) {
            if (entries[i + 1].revents != 0 && !hear(ears[i], last_words)) ears[i].fd.reset();
        }
    }
}

Ending reap(int pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (WIFSIGNALED(status)) return {Ending::How::signalled, WTERMSIG(status)};
    return {Ending::How::exited, WEXITSTATUS(status)};
}

}  // namespace

Result<Ending> attend(int pid, Deadline deadline, std::span<Ear> ears) {
    const Fd process = watch(pid);
    if (TRY(wait_and_hear(pid, process, deadline, ears))) return reap(pid);

    ::kill(-pid, SIGTERM);
    const bool gone = TRY(wait_and_hear(pid, process, Deadline::in(grace), ears));
    ::kill(-pid, SIGKILL);
    if (gone || TRY(wait_and_hear(pid, process, Deadline::in(kernel_patience), ears))) reap(pid);
    return Ending{Ending::How::timed_out, 0};
}

void wait_until_gone(int pid) {
    const auto gone = wait_and_hear(pid, watch(pid), Deadline::in(kernel_patience), {});
    if (gone && *gone) reap(pid);
}

}  // namespace greylag::sys
