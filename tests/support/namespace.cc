#include "tests/support/namespace.hh"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#endif

#include "sys/child.hh"
#include "sys/io.hh"
#include "tests/support/scratch.hh"
#include "tests/support/spawn.hh"

namespace greylag::test {

#ifndef __linux__

std::string namespace_forbidden() { return "namespaces are of Linux"; }
std::string in_namespace(const Network&, const std::function<std::string()>&, sys::Deadline) { return namespace_forbidden(); }
void forget_rights_to_files() {}

#else

namespace {

void put(const char* path, const std::string& text) {
    const sys::Fd fd(::open(path, O_WRONLY | O_CLOEXEC));
    if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw std::runtime_error(sys::os_error(path, errno).text);
}

void ip(std::vector<std::string> words) {
    sys::Command command;
    command.path = find_program("ip");
    command.arguments = std::move(words);
    const sys::Said said = must(sys::run(command, soon()));
    if (!said.ending.ok()) throw std::runtime_error("ip " + command.arguments.back() + ": " + said.err);
}

bool is_v6(const std::string& address) { return address.find(':') != std::string::npos; }

void local_route(const std::string& to) {
    ip({is_v6(to) ? "-6" : "-4", "route", "add", "local", to, "dev", "lo"});
    if (is_v6(to)) put("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
}

void enter(const Network& network, const Scratch& scratch) {
    const std::string uid = std::to_string(::getuid()), gid = std::to_string(::getgid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0)
        throw std::runtime_error("unprivileged user namespaces are forbidden (" + std::string(sys::os_reason(errno)) + ")");
    put("/proc/self/setgroups", "deny");
    put("/proc/self/uid_map", "0 " + uid + " 1");
    put("/proc/self/gid_map", "0 " + gid + " 1");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) throw std::runtime_error("cannot make / private");
    ip({"link", "set", "lo", "up"});
    for (const std::string& a : network.addresses) {
        // An IPv6 address is tentative first, and its route comes and goes with it; a local route is there at once.
        if (is_v6(a))
            local_route(a + "/128");
        else
            ip({"-4", "address", "add", a + "/32", "dev", "lo"});
    }
    for (const std::string& r : network.routes) local_route(r);
    if (network.resolver.empty()) return;
    scratch.write("resolv.conf", "nameserver " + network.resolver + "\noptions timeout:1 attempts:1\n", 0644);
    if (::mount(scratch.at("resolv.conf").c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) != 0)
        throw std::runtime_error("cannot put a file over /etc/resolv.conf");
}

[[noreturn]] void child(const Network& network, const Scratch& scratch, const std::function<std::string()>& work, int report) {
    std::string said;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        enter(network, scratch);
        said = work();
    } catch (const std::exception& e) {
        said = e.what();
    }
    static_cast<void>(sys::write_all(report, said, soon()));
    _exit(0);
}

}  // namespace

std::string namespace_forbidden() {
    if (find_program("ip").empty()) return "ip (iproute2) is not installed";
    return in_namespace({}, [] { return std::string(); });
}

void forget_rights_to_files() {
    for (const int right : {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH})
        if (::prctl(PR_CAPBSET_DROP, static_cast<unsigned long>(right), 0, 0, 0) != 0)
            throw std::runtime_error("cannot drop a capability");
}

std::string in_namespace(const Network& network, const std::function<std::string()>& work, sys::Deadline deadline) {
    const Scratch scratch;
    sys::Pipe report = must(sys::make_pipe());
    const pid_t pid = ::fork();
    if (pid < 0) return "cannot fork";
    if (pid == 0) child(network, scratch, work, report.write.get());
    report.write.reset();
    Stream said(std::move(report.read));
    auto text = said.read_to_end(deadline);
    if (!text) ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (!text) return "in the namespace: " + text.error().text;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return "in the namespace: left early with status " + std::to_string(WEXITSTATUS(status));
    if (!WIFEXITED(status)) return "in the namespace: died of signal " + std::to_string(WTERMSIG(status));
    return *std::move(text);
}

#endif

}  // namespace greylag::test
