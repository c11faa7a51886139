// From exec to the first octet of the greeting: each program in turn, so that all of them see the same machine.
//
//   banner RUNS "PROGRAM ARGUMENT..."...      one line a program: median and least wall time, median CPU of a whole
//                                             session (220, QUIT), median minor faults
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/ascii.hh"
#include "sys/fd.hh"

using namespace greylag;

namespace {

using Clock = std::chrono::steady_clock;

struct Subject {
    std::string line;
    std::vector<std::string> words;
    std::vector<char*> argv;
    std::vector<double> wall, cpu, faults;
};

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double microseconds(const timeval& t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); }

// Nothing but system calls between vfork and exec: the parent's memory is shared.
pid_t start(char* const* argv, int connection) {
    static char* environment[] = {nullptr};
    const pid_t pid = ::vfork();
    if (pid != 0) return pid;
    const int null = ::open("/dev/null", O_WRONLY);
    if (::dup2(connection, 0) < 0 || ::dup2(connection, 1) < 0 || ::dup2(null, 2) < 0) ::_exit(126);
    ::close(null);
    ::execve(argv[0], argv, environment);
    ::_exit(127);
}

bool measure(Subject& subject) {
    auto ends = sys::make_socketpair();
    if (!ends) return false;
    char answer[512];
    const auto begin = Clock::now();
    const pid_t pid = start(subject.argv.data(), ends->second.get());
    ends->second.reset();
    const ssize_t count = ::read(ends->first.get(), answer, sizeof answer);
    const auto end = Clock::now();
    const bool greeted = count > 3 && std::memcmp(answer, "220", 3) == 0;
    if (greeted && ::write(ends->first.get(), "QUIT\r\n", 6) != 6) return false;
    while (::read(ends->first.get(), answer, sizeof answer) > 0) {}
    int status = 0;
    rusage usage{};
    ::wait4(pid, &status, 0, &usage);
    if (!greeted) {
        std::fprintf(stderr, "banner: %s: no greeting\n", subject.line.c_str());
        return false;
    }
    subject.wall.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
    subject.cpu.push_back(microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
    subject.faults.push_back(static_cast<double>(usage.ru_minflt));
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const auto runs = argc > 2 ? base::parse_number<unsigned>(argv[1]) : std::nullopt;
    if (!runs) return std::fputs("usage: banner RUNS \"PROGRAM ARGUMENT...\"...\n", stderr), 64;
    std::vector<Subject> subjects;
    for (int i = 2; i < argc; ++i) {
        auto& subject = subjects.emplace_back();
        subject.line = argv[i];
        for (const auto word : base::words(subject.line)) subject.words.emplace_back(word);
        for (auto& word : subject.words) subject.argv.push_back(word.data());
        subject.argv.push_back(nullptr);
    }
    for (unsigned run = 0; run < *runs; ++run)
        for (auto& subject : subjects)
            if (!measure(subject)) return 1;
    for (const auto& s : subjects)
        std::printf("%.0f %.0f %.0f %.0f %s\n", median(s.wall), *std::min_element(s.wall.begin(), s.wall.end()), median(s.cpu),
                    median(s.faults), s.line.c_str());
}
