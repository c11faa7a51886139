// Every tests/dialog/*.dialog against the pure session in memory and against the real smtpd. Each run of a file is a test of its
// own in the final count.
#include "tests/support/dialogue_memory.hh"
#include "tests/support/dialogue_program.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

template <class StartPeer>
void run_all(const std::string& name, bool World::*wanted, StartPeer start) {
    const auto files = dialogue_files();
    REQUIRE(!files.empty());
    for (const std::string& file : files) {
        const auto dialogues = read_dialogues(file);
        if (!dialogues) {
            count(name + ": " + file, false);
            CHECK(dialogues.error() == "");
            continue;
        }
        for (const Dialogue& dialogue : *dialogues) {
            if (!(dialogue.world.*wanted)) continue;
            auto peer = start(dialogue.world);
            const std::string fault =
                peer ? run(file, dialogue.script, dialogue.world, **peer).value_or("") : file + ": " + peer.error().text;
            count(name + ": " + dialogue.file, fault.empty());
            CHECK(fault == "");
        }
    }
}

}  // namespace

TEST_CASE("dialogues: the session in memory") {
    run_all("in memory", &World::in_memory, [](const World& world) { return start_memory(world); });
}

TEST_CASE("dialogues: the real program") {
    const std::string program = program_path("smtpd");
    if (program.empty()) SKIP("smtpd is not built");
    run_all("the real program", &World::in_program, [&](const World& world) { return start_program(program, world); });
}
