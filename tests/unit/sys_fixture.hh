// What the tests of sys share: counting our descriptors, and running a deed in a process of its own.
#pragma once
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <string>

namespace greylag::test {

inline std::size_t open_descriptors() {
    std::size_t count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1U : 0U;
    return count;
}

// Runs `deed` (its int is the exit status) in a fork: for what changes a process for good. -1 when it died.
template <class Deed>
int in_fork(Deed deed) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(deed());
    int status = 0;
    if (pid < 0 || ::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

// Bytes that tell a shifted, cut or repeated copy apart.
inline std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t state = 12345;
    for (char& byte : bytes) {
        state = state * 1103515245 + 12345;
        byte = static_cast<char>((state >> 16) & 0xff);
    }
    return bytes;
}

}  // namespace greylag::test
