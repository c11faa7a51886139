// Programs started by posix_spawn(3) (vfork's speed), each in a process group of its own, and waited for by a deadline.
#include "sys/child.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/scope.hh"
#include "sys/child_wait.hh"

namespace greylag::sys {

namespace {

// {source, target}; the source is -1 for /dev/null.
using Wiring = std::vector<std::pair<int, int>>;

// Sources are lifted above every target, so that no dup2 overwrites a source still needed and every target loses close-on-exec.
Result<Wiring> lift(Wiring wiring, int top, std::vector<Fd>& lifted) {
    for (auto& [source, target] : wiring) {
        if (source < 0 || source > top) continue;
        source = ::fcntl(source, F_DUPFD_CLOEXEC, top + 1);
        if (source < 0) return os_fail("descriptor for a program", errno);
        lifted.emplace_back(source);
    }
    return wiring;
}

int plan_descriptors(posix_spawn_file_actions_t& actions, const Wiring& wiring, int top) {
    int code = 0;
    for (int target = 0; target <= top && code == 0; ++target) {
        const auto found = std::find_if(wiring.begin(), wiring.end(), [target](const auto& w) { return w.second == target; });
        if (found == wiring.end()) {
            code = ::posix_spawn_file_actions_addclose(&actions, target);
        } else if (found->first < 0) {
            code = ::posix_spawn_file_actions_addopen(&actions, target, "/dev/null", target == 0 ? O_RDONLY : O_WRONLY, 0);
        } else {
            code = ::posix_spawn_file_actions_adddup2(&actions, found->first, target);
        }
    }
#if defined(__GLIBC__) || defined(__FreeBSD__)
    // A parent may have left descriptors open that nobody here knows of.
    if (code == 0) code = ::posix_spawn_file_actions_addclosefrom_np(&actions, top + 1);
#endif
    return code;
}

int plan_signals(posix_spawnattr_t& attributes) {
    sigset_t all, none;
    ::sigfillset(&all);
    // Some systems refuse to touch these two and would fail the whole start.
    ::sigdelset(&all, SIGKILL);
    ::sigdelset(&all, SIGSTOP);
    ::sigemptyset(&none);
    int code = ::posix_spawnattr_setsigdefault(&attributes, &all);
    if (code == 0) code = ::posix_spawnattr_setsigmask(&attributes, &none);
    if (code == 0) code = ::posix_spawnattr_setpgroup(&attributes, 0);
    constexpr int flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    if (code == 0) code = ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
    return code;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

Result<int> start(const Command& command, const Wiring& wiring, int top) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (const int code = ::posix_spawn_file_actions_init(&actions); code != 0) return os_fail(command.path, code);
    const base::Scope free_actions([&] { ::posix_spawn_file_actions_destroy(&actions); });
    if (const int code = ::posix_spawnattr_init(&attributes); code != 0) return os_fail(command.path, code);
    const base::Scope free_attributes([&] { ::posix_spawnattr_destroy(&attributes); });

    int code = plan_signals(attributes);
    if (code == 0) code = plan_descriptors(actions, wiring, top);
    if (code == 0 && !command.directory.empty()) {
        code = ::posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
    }
    if (code != 0) return os_fail(command.path, code);

    std::vector<std::string> arguments{command.path.substr(command.path.rfind('/') + 1)};
    arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
    std::vector<std::string> environment = command.environment;
    const std::vector<char*> argv = pointers(arguments), envp = pointers(environment);
    pid_t pid = -1;
    // posix_spawnp never tries a shell by itself on the systems we know, and does not search when there is a slash.
    const auto spawn = command.search ? ::posix_spawnp : ::posix_spawn;
    code = spawn(&pid, command.path.c_str(), &actions, &attributes, argv.data(), envp.data());
    if (code != 0) return os_fail(command.path, code);
    return pid;
}

}  // namespace

Result<Child> Child::spawn(const Command& command) {
    Wiring wiring{{command.in, 0}, {command.out, 1}, {command.err, 2}};
    wiring.insert(wiring.end(), command.extra.begin(), command.extra.end());
    int top = 2;
    for (const auto& [source, target] : wiring) top = std::max(top, target);
    std::vector<Fd> lifted;
    wiring = TRY(lift(std::move(wiring), top, lifted));
    return Child(TRY(start(command, wiring, top)));
}

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Child& Child::operator=(Child&& other) noexcept {
    if (this != &other) {
        const Child old(std::exchange(pid_, std::exchange(other.pid_, -1)));
    }
    return *this;
}

Child::~Child() {
    if (pid_ < 0) return;
    kill(SIGKILL);
    wait_until_gone(pid_);
}

void Child::kill(int signal) {
    if (pid_ > 0) ::kill(-pid_, signal);
}

Result<Ending> Child::wait(Deadline deadline) {
    if (pid_ < 0) return base::fail(Kind::internal, "no program to wait for");
    return attend(std::exchange(pid_, -1), deadline, {});
}

Result<Said> run(const Command& command, Deadline deadline, std::size_t out_limit, std::size_t err_limit) {
    Said said;
    Command wired = command;
    std::vector<Ear> ears;
    std::vector<Fd> mouths;
    const auto listen = [&](int& end, std::string& text, std::size_t limit) -> Result<void> {
        if (end >= 0) return {};
        Pipe pipe = TRY(make_pipe());
        // Ours only: the program's end is another open file and stays blocking.
        ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
        end = pipe.write.get();
        ears.push_back(Ear{std::move(pipe.read), &text, limit});
        mouths.push_back(std::move(pipe.write));
        return {};
    };
    TRY(listen(wired.out, said.out, out_limit));
    TRY(listen(wired.err, said.err, err_limit));
    Child child = TRY(Child::spawn(wired));
    mouths.clear();
    said.ending = TRY(attend(child.release(), deadline, ears));
    return said;
}

}  // namespace greylag::sys
