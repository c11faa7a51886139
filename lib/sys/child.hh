// A program started and waited for. No shell is ever involved.
#pragma once
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace greylag::sys {

struct Command {
    std::string path;  // absolute, or found along PATH when it has no slash and search is set
    bool search = false;
    std::vector<std::string> arguments;      // argv[1...]; argv[0] is the last component of path
    std::vector<std::string> environment;    // NAME=value; exactly this, nothing inherited
    int in = -1, out = -1, err = -1;         // become 0, 1, 2; -1 is /dev/null
    std::vector<std::pair<int, int>> extra;  // {ours, theirs}: further descriptors the child gets
    std::string directory;                   // working directory; empty: ours
};

// How a program ended.
struct Ending {
    enum class How { exited, signalled, timed_out };
    How how = How::exited;
    int status = 0;  // exit status or signal number
    bool ok() const { return how == How::exited && status == 0; }
};

// A running child in a process group of its own. The destructor kills the group and reaps.
class Child {
public:
    // Signals are reset to default in the child, descriptors above 2 that are not asked for are closed (close-on-exec).
    // A program that cannot be executed is an error here (errno told apart), never an exit status.
    static Result<Child> spawn(const Command& command);
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    int pid() const { return pid_; }
    // Waits for the end; at the deadline the whole process group is killed and the answer is timed_out.
    Result<Ending> wait(Deadline deadline);
    void kill(int signal);  // to the group

private:
    friend Result<struct Said> run(const Command&, Deadline, std::size_t, std::size_t);
    explicit Child(int pid) : pid_(pid) {}
    int release() { return std::exchange(pid_, -1); }
    int pid_ = -1;
};

// Runs to its end and keeps the first bytes of what it said. Output beyond the limits is read and thrown away, so a chatty
// program never blocks; after the program's own end its pipes are not waited for (a grandchild may hold them).
struct Said {
    Ending ending;
    std::string out;  // first out_limit bytes of its standard output
    std::string err;
};
Result<Said> run(const Command& command, Deadline deadline, std::size_t out_limit = 4096, std::size_t err_limit = 4096);

}  // namespace greylag::sys
