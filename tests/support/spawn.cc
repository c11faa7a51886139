#include "tests/support/spawn.hh"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ascii.hh"

namespace greylag::test {

namespace {

std::string runnable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0 ? path : std::string(); }

struct Ends {
    Stream ours;
    sys::Fd in, out;  // the program's; out empty: the same as in
};

Result<Ends> make_ends(Wire wire) {
    Ends ends;
    if (wire == Wire::socketpair) {
        auto pair = TRY(sys::make_socketpair());
        ends.ours = Stream(std::move(pair.first));
        ends.in = std::move(pair.second);
    } else if (wire == Wire::pipes) {
        auto there = TRY(sys::make_pipe());
        auto back = TRY(sys::make_pipe());
        ends.ours = Stream(std::move(back.read), std::move(there.write));
        ends.in = std::move(there.read);
        ends.out = std::move(back.write);
    } else {
        const std::string loopback = wire == Wire::tcp ? "127.0.0.1" : "::1";
        const Listening door = TRY(listen_at(loopback));
        ends.ours = TRY(connect_to(loopback, door.port));
        ends.in = sys::Fd(::accept4(door.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!ends.in) return std::unexpected(sys::os_error("accept", errno));
    }
    return ends;
}

}  // namespace

std::string program_path(std::string_view name) {
    const char* b = ::getenv("B");
    const std::string relative = std::string(b != nullptr ? b : "build/release-g++") + "/bin/" + std::string(name);
    char* whole = ::realpath(relative.c_str(), nullptr);
    if (whole == nullptr) return {};
    const std::string path = whole;
    ::free(whole);
    return runnable(path);
}

bool sanitized() { return program_path("smtpd").find("/san-") != std::string::npos; }

std::string find_program(std::string_view name) {
    const char* path = ::getenv("PATH");
    // Where an administrator's programs are is not on everybody's PATH.
    const std::string all = std::string(path != nullptr ? path : "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin";
    for (const std::string_view directory : base::split(all, ':')) {
        std::string found = runnable(std::string(directory) + "/" + std::string(name));
        if (!directory.empty() && !found.empty()) return found;
    }
    return {};
}

Result<Session> Session::start(const Start& how) {
    Ends ends = TRY(make_ends(how.wire));
    auto scratch = std::make_unique<Scratch>();
    const sys::Fd err(::open(scratch->at("stderr").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    sys::Command command;
    command.path = how.program;
    command.arguments = how.arguments;
    command.environment = how.environment;
    command.directory = how.directory;
    command.in = ends.in.get();
    command.out = ends.out ? ends.out.get() : ends.in.get();
    command.err = how.err_is_wire ? command.out : err.get();
    return Session(std::move(ends.ours), TRY(sys::Child::spawn(command)), std::move(scratch));
}

std::string Session::err() const { return scratch_->read("stderr").value_or(""); }

}  // namespace greylag::test
