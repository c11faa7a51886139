// What one run of a command costs, from its start to its end: the command is run N times with a file as standard input.
//
//   start N FILE COMMAND ARGUMENT...     prints: median wall ms, least wall ms, mean CPU ms, most RSS KiB, mean minor
//                                          faults; fails when a run did
//   start -3 N FILE COMMAND ARGUMENT...  the file is descriptor 3, as nullmailer wants it
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "base/ascii.hh"

extern char** environ;

namespace {

double ms(const timeval& time) { return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3; }

}  // namespace

int main(int argc, char** argv) {
    const bool third = argc > 1 && std::string_view(argv[1]) == "-3";
    if (third) --argc, ++argv;
    const auto runs = argc > 3 ? greylag::base::parse_number<unsigned>(argv[1]) : std::nullopt;
    if (!runs || *runs == 0) return 64;
    std::vector<double> wall;
    double cpu = 0;
    long rss = 0, faults = 0;
    for (unsigned i = 0; i < *runs; ++i) {
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_addopen(&files, 0, third ? "/dev/null" : argv[2], O_RDONLY, 0);
        if (third) ::posix_spawn_file_actions_addopen(&files, 3, argv[2], O_RDONLY, 0);
        ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
        pid_t pid = 0;
        const auto begun = std::chrono::steady_clock::now();
        const int failed = ::posix_spawnp(&pid, argv[3], &files, nullptr, argv + 3, environ);
        ::posix_spawn_file_actions_destroy(&files);
        if (failed != 0) return 71;
        int status = 0;
        rusage usage{};
        if (::wait4(pid, &status, 0, &usage) != pid || status != 0) return 75;
        wall.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
        cpu += ms(usage.ru_utime) + ms(usage.ru_stime);
        rss = std::max(rss, usage.ru_maxrss);
        faults += usage.ru_minflt;
    }
    std::sort(wall.begin(), wall.end());
    std::printf("%.2f %.2f %.2f %ld %ld\n", wall[wall.size() / 2], wall.front(), cpu / *runs, rss, faults / *runs);
}
