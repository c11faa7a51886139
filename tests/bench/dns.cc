// A DNS question in a fresh process, against a server of our own on loopback, in turn with a hand-made packet.
//
//   dns RUNS            three lines: "MEDIAN LEAST CPU" of the first question through lib/dns with its start, of the second, and
//   of
//                       the hand-made one; wall time in us, CPU of the whole process
//   dns --ask PORT      what is run for it: prints the wall time of the first and the second question
//   dns --floor PORT
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/ascii.hh"
#include "dns/resolver.hh"
#include "sys/fd.hh"

using namespace greylag;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::string_view name = "mx.bench.test";

double since(Clock::time_point start) { return std::chrono::duration<double, std::micro>(Clock::now() - start).count(); }

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return to;
}

int ask(std::uint16_t port) {
    const auto start = Clock::now();
    dns::Resolver resolver({{{*mail::IpAddress::parse("127.0.0.1"), port}}});
    const bool first = resolver.take(resolver.ask_a(name)).has_value();
    const double took = since(start);
    const auto again = Clock::now();
    const bool second = resolver.take(resolver.ask_a(name)).has_value();
    std::printf("%.0f %.0f\n", took, since(again));
    return first && second ? 0 : 1;
}

int floor(std::uint16_t port) {
    const auto start = Clock::now();
    const auto question = *dns::make_question(name, 1);
    const auto to = loopback(port);
    const sys::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    char answer[512];
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return 1;
    if (::send(fd.get(), question.data(), question.size(), 0) < 0 || ::recv(fd.get(), answer, sizeof answer, 0) < 0) return 1;
    std::printf("%.0f 0\n", since(start));
    return 0;
}

// Answers every question with one address, until it is killed.
[[noreturn]] void serve(int fd) {
    char packet[512];
    for (;;) {
        sockaddr_in from{};
        socklen_t length = sizeof from;
        const auto size = ::recvfrom(fd, packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &length);
        if (size < 12) continue;
        constexpr std::string_view record("\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1", 16);
        std::string answer(packet, static_cast<std::size_t>(size));
        answer[2] = '\x81';
        answer[3] = '\x80';
        answer[7] = 1;
        answer += record;
        ::sendto(fd, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), length);
    }
}

struct Figures {
    std::vector<double> first, second, cpu;
};

bool run(const char* self, const char* how, std::uint16_t port, Figures& figures) {
    int ends[2];
    if (::pipe(ends) != 0) return false;
    const sys::Fd read(ends[0]), write(ends[1]);
    const std::string number = std::to_string(port);
    const pid_t pid = ::vfork();
    if (pid == 0) {
        ::dup2(write.get(), 1);
        ::execl(self, self, how, number.c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    if (pid < 0 || ::wait4(pid, &status, 0, &usage) != pid || status != 0) return false;
    char text[64]{};
    double first = 0, second = 0;
    if (::read(read.get(), text, sizeof text - 1) <= 0 || std::sscanf(text, "%lf %lf", &first, &second) != 2) return false;
    const auto us = [](const timeval& t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); };
    figures.first.push_back(first);
    figures.second.push_back(second);
    figures.cpu.push_back(us(usage.ru_utime) + us(usage.ru_stime));
    return true;
}

void print(std::vector<double> wall, std::vector<double> cpu) {
    std::sort(wall.begin(), wall.end());
    std::sort(cpu.begin(), cpu.end());
    std::printf("%.0f %.0f %.0f\n", wall[wall.size() / 2], wall.front(), cpu[cpu.size() / 2]);
}

int measure(const char* self, unsigned runs) {
    const sys::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    auto at = loopback(0);
    socklen_t length = sizeof at;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return 1;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &length) != 0) return 1;
    const pid_t server = ::fork();
    if (server == 0) serve(fd.get());
    Figures ours, hand;
    bool ok = server > 0;
    for (unsigned i = 0; ok && i < runs; ++i)
        ok = run(self, "--ask", ntohs(at.sin_port), ours) && run(self, "--floor", ntohs(at.sin_port), hand);
    if (server > 0) ::kill(server, SIGKILL);
    if (!ok) return std::fputs("dns: a question had no answer\n", stderr), 1;
    print(ours.first, ours.cpu);
    print(ours.second, ours.cpu);
    print(hand.first, hand.cpu);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view how = argc > 1 ? argv[1] : "";
    const auto number = base::parse_number<std::uint16_t>(argc > 2 ? argv[2] : how);
    if (number && *number > 0 && argc == 2) return measure(argv[0], *number);
    if (number && argc == 3 && how == "--ask") return ask(*number);
    if (number && argc == 3 && how == "--floor") return floor(*number);
    return std::fputs("usage: dns RUNS\n", stderr), 64;
}
