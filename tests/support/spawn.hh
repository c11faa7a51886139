// A real program with a connection as its fd 0 and 1.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sys/child.hh"
#include "tests/support/scratch.hh"
#include "tests/support/stream.hh"

namespace greylag::test {

// $B/bin/NAME of this build, absolute; empty when it is not built (SKIP then).
std::string program_path(std::string_view name);
bool sanitized();  // the programs carry a sanitizer, with memory and endings of its own
// Where PATH finds a program of the system, or empty.
std::string find_program(std::string_view name);

enum class Wire { socketpair, pipes, tcp, tcp6 };

struct Start {
    std::string program;  // a path
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  // exactly this
    Wire wire = Wire::socketpair;
    bool err_is_wire = false;  // fd 2 is the connection, as under inetd
    std::string directory;
};

// The running program and our end of its connection. The destructor kills and reaps it.
class Session {
public:
    static Result<Session> start(const Start& how);

    Stream wire;

    int pid() const { return child_.pid(); }
    void signal(int number) { child_.kill(number); }
    Result<sys::Ending> wait(sys::Deadline deadline = soon()) { return child_.wait(deadline); }
    std::string err() const;  // what it has written to its standard error

private:
    Session(Stream w, sys::Child child, std::unique_ptr<Scratch> scratch)
        : wire(std::move(w)), child_(std::move(child)), scratch_(std::move(scratch)) {}
    sys::Child child_;
    std::unique_ptr<Scratch> scratch_;
};

}  // namespace greylag::test
