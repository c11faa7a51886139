#include <signal.h>

#include "sys/file.hh"
#include "sys/io.hh"
#include "tests/support/fake_mailer.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// Runs the mailer on a file that holds `message`, standing at `offset`.
sys::Said run_on(const Scratch& scratch, const FakeMailer& mailer, std::string_view message, std::size_t offset = 0,
                 base::Millis patience = base::Seconds(20)) {
    scratch.write("message", message);
    const sys::Fd in(must(sys::open_read(scratch.at("message"))));
    char room[64];
    if (offset > 0) must(sys::read_some(in.get(), std::span(room, offset), soon()));
    sys::Command command;
    command.path = mailer.path();
    command.arguments = {"-r", "--", "a b@example.org", ""};
    command.environment = {"SENDER=x@y.z", "RECIPIENTS=a\nb"};
    command.in = in.get();
    return must(sys::run(command, sys::Deadline::in(patience)));
}

}  // namespace

TEST_CASE("support: the fake mailer writes down what it was given") {
    const Scratch scratch;
    const FakeMailer mailer(scratch, "exit 75\nerr not\\x20now\\r\nout some text");
    const sys::Said said = run_on(scratch, mailer, std::string_view("From x\n\0\xff", 9));
    CHECK(said.ending.how == sys::Ending::How::exited);
    CHECK(said.ending.status == 75);
    CHECK(said.out == "some text\n");
    CHECK(said.err == "not now\r\n");
    const auto runs = mailer.runs();
    REQUIRE(runs.size() == 1);
    CHECK(runs[0].arguments == std::vector<std::string>{"-r", "--", "a b@example.org", ""});
    CHECK(runs[0].environment == std::vector<std::string>{"SENDER=x@y.z", "RECIPIENTS=a\nb"});
    CHECK(runs[0].variable("RECIPIENTS") == "a\nb");
    CHECK(!runs[0].variable("SEND"));
    CHECK(runs[0].message == std::string("From x\n\0\xff", 9));
    CHECK(runs[0].seekable);
    CHECK(runs[0].offset == 0);
    CHECK(!runs[0].writable);
    CHECK(runs[0].own_group);
    CHECK(runs[0].open == "0 1 2");
}

TEST_CASE("support: the fake mailer can be told otherwise between runs, and sees an offset") {
    const Scratch scratch;
    FakeMailer mailer(scratch, "exit 0");
    CHECK(run_on(scratch, mailer, "first").ending.ok());
    mailer.now("exit 67\ndeaf");
    CHECK(run_on(scratch, mailer, "second", 3).ending.status == 67);
    const auto runs = mailer.runs();
    REQUIRE(runs.size() == 2);
    CHECK(runs[0].message == "first");
    CHECK(runs[1].message == "");
    CHECK(runs[1].offset == 3);
    CHECK(mailer.wait_for(2));
    CHECK(!mailer.wait_for(3, sys::Deadline::in(base::Millis(10))));
}

TEST_CASE("support: the fake mailer dies, hangs, chatters") {
    const Scratch scratch;
    FakeMailer mailer(scratch, "signal 9");
    CHECK(run_on(scratch, mailer, "x").ending.how == sys::Ending::How::signalled);
    mailer.now("chatter 200000");
    CHECK(run_on(scratch, mailer, "x").ending.ok());
    mailer.now("hang");
    CHECK(run_on(scratch, mailer, "x", 0, base::Millis(1000)).ending.how == sys::Ending::How::timed_out);
    CHECK(mailer.runs().size() == 3);
}

TEST_CASE("support: a pipe is told from a file") {
    const Scratch scratch;
    const FakeMailer mailer(scratch, "out done");
    Start start;
    start.program = mailer.path();
    start.wire = Wire::pipes;
    auto session = must(Session::start(start));
    must(session.wire.send("piped"));
    session.wire.half_close();
    CHECK(must(session.wire.read_to_end()) == "done\n");
    REQUIRE(mailer.runs().size() == 1);
    CHECK(!mailer.runs()[0].seekable);
    CHECK(mailer.runs()[0].message == "piped");
}
