// Every tests/dialog/*.dialog against the pure session in memory and against the real smtpd. Each run of a file is a test of its
// own in the final count.
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "tests/support/dialogue_memory.hh"
#include "tests/support/dialogue_program.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Job {
    std::string file;
    Dialogue dialogue;
};

std::vector<Job> jobs(const std::string& name, bool World::*wanted) {
    std::vector<Job> all;
    for (const std::string& file : dialogue_files()) {
        auto dialogues = read_dialogues(file);
        if (!dialogues) {
            count(name + ": " + file, false);
            CHECK(dialogues.error() == "");
            continue;
        }
        for (Dialogue& dialogue : *dialogues)
            if (dialogue.world.*wanted) all.push_back({file, std::move(dialogue)});
    }
    REQUIRE(!all.empty());
    return all;
}

// A dialogue with the real program mostly waits for what is slow on purpose: many at a time. In processes of their own, since a
// fork of one thread would hold open what another has just written and wants to start.
template <class StartPeer>
void run_all(const std::string& name, bool World::*wanted, std::size_t at_a_time, StartPeer start) {
    auto all = jobs(name, wanted);
    const auto fault_of = [&](const Job& job) {
        auto peer = start(job.dialogue.world);
        return peer ? run(job.file, job.dialogue.script, job.dialogue.world, **peer).value_or("")
                    : job.file + ": " + peer.error().text;
    };
    const Scratch scratch;
    std::vector<pid_t> helpers;
    for (std::size_t nth = 0; nth < at_a_time; ++nth) {
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        helpers.push_back(pid);
        if (pid != 0) continue;
        for (std::size_t i = nth; i < all.size(); i += at_a_time) scratch.write(std::to_string(i), fault_of(all[i]));
        ::_exit(0);
    }
    for (const pid_t helper : helpers) ::waitpid(helper, nullptr, 0);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string fault = scratch.read(std::to_string(i)).value_or("never ran to its end");
        count(name + ": " + all[i].dialogue.file, fault.empty());
        CHECK(fault == "");
    }
}

}  // namespace

TEST_CASE("dialogues: the session in memory") {
    run_all("in memory", &World::in_memory, 1, [](const World& world) { return start_memory(world); });
}

TEST_CASE("dialogues: the real program") {
    const std::string program = program_path("smtpd");
    if (program.empty()) SKIP("smtpd is not built");
    run_all("the real program", &World::in_program, 16, [&](const World& world) { return start_program(program, world); });
}
