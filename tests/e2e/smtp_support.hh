// One run of the real smtp: its configuration, its message, what it said.
#pragma once
#include <string>
#include <vector>

#include "sys/child.hh"
#include "sys/file.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/spawn.hh"

#define NEEDS_SMTP(sender) \
    if ((sender).smtp.empty()) SKIP("smtp is not built")

namespace greylag::test {

struct Sent {
    int status = 0;  // or minus the signal
    std::string report, err;
};

struct Sender {
    Scratch dir;
    std::string smtp = program_path("smtp");

    explicit Sender(std::string_view more = "") {
        dir.write("conf", "[paths]\nstate = " + dir.path() + "\n" + std::string(more));
    }

    // smtp -C conf -R 1 words..., with `message` on standard input.
    Sent run(std::vector<std::string> words, std::string_view message) const {
        words.insert(words.begin(), {"-C", dir.at("conf"), "-R", "1"});
        return run_bare(std::move(words), message);
    }
    Sent run_bare(std::vector<std::string> words, std::string_view message) const {
        dir.write("message", message);
        const sys::Fd in = must(sys::open_read(dir.at("message")));
        sys::Command command;
        command.path = smtp;
        command.arguments = std::move(words);
        command.environment = {"PATH=/usr/bin:/bin", "TZ=UTC"};
        command.in = in.get();
        const auto said = must(sys::run(command, soon(), 1 << 20, 1 << 20));
        const bool exited = said.ending.how == sys::Ending::How::exited;
        return {exited ? said.ending.status : -said.ending.status, said.out, said.err};
    }
};

inline std::string at_port(std::uint16_t port) { return "[127.0.0.1]:" + std::to_string(port); }

}  // namespace greylag::test
