// What a command costs a server: the command's wall time, and the CPU and the memory of the server with all its children.
//
//   meter PID COMMAND ARGUMENT...        prints: wall ms, CPU ms, most PSS in KiB of any moment looked at (0: not looked at)
//   meter -p PID COMMAND ARGUMENT...     looks at the memory, too, which costs the machine something
//   meter PID                            prints: processes below PID, their mean PSS in KiB
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "base/ascii.hh"
#include "sys/file.hh"
#include "sys/io.hh"

using namespace greylag;

namespace {

constexpr base::Millis between_looks{20};

struct Process {
    int pid = 0;
    int parent = 0;
    double ticks = 0;  // its own and those of the children it has waited for
};

std::optional<int> pid_of(std::string_view text) {
    const auto number = base::parse_number<unsigned>(text);
    return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::string proc_file(int pid, const char* name) {
    return sys::read_file("/proc/" + std::to_string(pid) + "/" + name, 1 << 16).value_or("");
}

Process look(int pid) {
    const std::string text = proc_file(pid, "stat");
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return {};
    const auto fields = base::words(std::string_view(text).substr(name_end + 1));
    if (fields.size() < 15) return {};
    Process p{pid, pid_of(fields[1]).value_or(0), 0};
    for (std::size_t i = 11; i < 15; ++i)
        p.ticks += static_cast<double>(base::parse_number<std::uint64_t>(fields[i]).value_or(0));
    return p;
}

// `root` first, then everything that came from it and still runs.
std::vector<Process> tree(int root) {
    std::multimap<int, Process> by_parent;
    for (const auto& name : sys::list_directory("/proc").value_or(std::vector<std::string>{})) {
        const auto pid = pid_of(name);
        if (!pid) continue;
        const Process p = look(*pid);
        if (p.pid != 0) by_parent.emplace(p.parent, p);
    }
    std::vector<Process> found{look(root)};
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto [from, to] = by_parent.equal_range(found[i].pid);
        for (auto child = from; child != to; ++child) found.push_back(child->second);
    }
    return found;
}

double cpu_ms(int root) {
    double ticks = 0;
    for (const auto& p : tree(root)) ticks += p.ticks;
    return ticks * 1000 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double pss_kib(int pid) {
    const std::string text = proc_file(pid, "smaps_rollup");
    const auto at = text.find("\nPss:");
    if (at == std::string::npos) return 0;
    const auto words = base::words(std::string_view(text).substr(at + 5, 40));
    return words.empty() ? 0 : static_cast<double>(base::parse_number<unsigned>(words[0]).value_or(0));
}

enum class Root { counted, left_out };

double pss(int root, Root with, std::size_t& processes) {
    double sum = 0;
    const auto all = tree(root);
    processes = all.size() - 1;
    for (const auto& p : all) sum += p.pid == root && with == Root::left_out ? 0 : pss_kib(p.pid);
    return sum;
}

int measure(int root, bool memory, char** command) {
    const double before = cpu_ms(root);
    const auto begin = std::chrono::steady_clock::now();
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(2, 1);
        ::execvp(command[0], command);
        ::_exit(127);
    }
    double most = 0;
    int status = 0;
    std::size_t processes = 0;
    while (::waitpid(pid, &status, memory ? WNOHANG : 0) == 0) {
        most = std::max(most, pss(root, Root::counted, processes));
        sys::sleep_watching(-1, between_looks);
    }
    const double wall = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    std::printf("%.1f %.0f %.0f\n", wall, cpu_ms(root) - before, most);
    return status == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const bool memory = argc > 1 && std::string_view(argv[1]) == "-p";
    argv += memory ? 2 : 1;
    argc -= memory ? 2 : 1;
    const auto root = argc > 0 ? pid_of(argv[0]) : std::nullopt;
    if (!root) return std::fputs("usage: meter [-p] PID [COMMAND ARGUMENT...]\n", stderr), 64;
    if (argc > 1) return measure(*root, memory, argv + 1);
    std::size_t processes = 0;
    const double sum = pss(*root, Root::left_out, processes);
    std::printf("%zu %.0f\n", processes, processes == 0 ? 0 : sum / static_cast<double>(processes));
}
