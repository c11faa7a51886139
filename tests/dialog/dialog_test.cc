// Every tests/dialog/*.dialog against the real smtpd. Each file is a test of its own in the final count.
#include "tests/support/dialogue_program.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

TEST_CASE("dialogues: the real program") {
    const std::string program = program_path("smtpd");
    if (program.empty()) SKIP("smtpd is not built");
    const auto files = dialogue_files();
    REQUIRE(!files.empty());
    for (const std::string& file : files) {
        std::string fault;
        const auto dialogue = read_dialogue(file);
        if (!dialogue) {
            fault = dialogue.error();
        } else if (dialogue->world.in_program) {
            auto peer = start_program(program, dialogue->world);
            fault = peer ? run(file, dialogue->script, dialogue->world, **peer).value_or("") : file + ": " + peer.error().text;
        } else {
            continue;
        }
        count("the real program: " + file, fault.empty());
        CHECK(fault == "");
    }
}
