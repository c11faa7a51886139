#include "sys/log.hh"

#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "base/ascii.hh"
#include "sys/io.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;
using base::Event;
using base::Word;
using sys::Log;

namespace {

// What came on fd 2, a string a write: a packet socket keeps writes apart.
std::vector<std::string> stderr_writes(auto deed) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    const sys::Fd ours(ends[0]);
    sys::Fd theirs(ends[1]);
    const int status = in_fork([&] {
        ::dup2(theirs.get(), 2);
        deed();
        return 0;
    });
    CHECK(status == 0);
    theirs.reset();
    std::vector<std::string> writes;
    char packet[10000];
    while (const std::size_t count = must(sys::read_some(ours.get(), packet, soon()))) writes.emplace_back(packet, count);
    return writes;
}

Log::Settings settings(Log::To to, std::string path = {}) {
    Log::Settings result;
    result.to = to;
    result.path = std::move(path);
    result.program = "smtpd";
    return result;
}

Event reject() {
    Event event{Word::reject, {}};
    event.with("code", "550").with_peer("helo", "a\nb");
    return event;
}

}  // namespace

TEST_CASE("sys/log: a line an event in a file, with time and process, appended") {
    const Scratch scratch;
    scratch.write("log", "before\n");
    for (int i = 0; i < 2; ++i) {
        Log log(settings(Log::To::file, scratch.at("log")));
        log.set_id("abc");
        log.write(reject());
    }
    const std::string text = scratch.read("log").value_or("");
    const auto lines = base::split(text, '\n');
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == "before");
    CHECK(lines[1].substr(4, 1) == "-");
    CHECK(lines[1].substr(10, 1) == "T");
    CHECK(lines[1].substr(25) == " smtpd[" + std::to_string(::getpid()) + "]: " + base::show_text(reject(), "abc"));
    CHECK(lines[2].substr(25) == lines[1].substr(25));
    CHECK(lines[3].empty());
}

TEST_CASE("sys/log: standard error gets one write a line") {
    const auto writes = stderr_writes([] {
        Log log(settings(Log::To::stderr_));
        log.write(reject());
        log.write(reject());
    });
    REQUIRE(writes.size() == 2);
    CHECK(writes[0].starts_with("smtpd["));
    CHECK(writes[0].ends_with("]: " + base::show_text(reject(), "") + "\n"));
}

TEST_CASE("sys/log: json lines carry their time") {
    auto json = settings(Log::To::stderr_);
    json.format = Log::Format::json;
    const auto writes = stderr_writes([&] {
        Log log(json);
        log.set_id("abc");
        log.write(reject());
    });
    REQUIRE(writes.size() == 1);
    CHECK(writes[0].starts_with("{\"event\":\"reject\",\"id\":\"abc\",\"time\":\"20"));
    CHECK(writes[0].ends_with("}\n"));
}

TEST_CASE("sys/log: a file that cannot be opened: standard error, said once") {
    const Scratch scratch;
    const auto writes = stderr_writes([&] {
        Log log(settings(Log::To::file, scratch.at("none/log")));
        log.write(reject());
        log.write(reject());
    });
    REQUIRE(writes.size() == 3);
    CHECK(writes[0] == "smtpd: " + scratch.at("none/log") + ": No such file or directory: the log goes to standard error\n");
    CHECK(writes[1] == writes[2]);
}

TEST_CASE("sys/log: no syslog socket: standard error, said once") {
    if (::access(_PATH_LOG, F_OK) == 0) SKIP("this machine has a syslog socket");
    const auto writes = stderr_writes([] {
        Log log(settings(Log::To::syslog));
        log.write(reject());
        log.write(reject());
    });
    REQUIRE(writes.size() == 3);
    CHECK(writes[0] == "smtpd: no syslog socket: the log goes to standard error\n");
}

TEST_CASE("sys/log: quiet keeps what an administrator must see") {
    auto quiet = settings(Log::To::stderr_);
    quiet.quiet = true;
    const auto writes = stderr_writes([&] {
        Log log(quiet);
        for (const Word word :
             {Word::connect, Word::accept, Word::reject, Word::greylist, Word::whitelist, Word::auth_ok, Word::auth_failed,
              Word::tls, Word::deliver, Word::deliver_failed, Word::drop, Word::disconnect, Word::note}) {
            log.write(Event{word, {}});
        }
    });
    std::string words;
    for (const std::string& line : writes) words += line.substr(line.find(": ") + 2);
    CHECK(words == "reject\nauth-failed\ndeliver-failed\ndrop\nnote\n");
}

TEST_CASE("sys/log: nobody who reads, nowhere to write: the caller goes on") {
    const int status = in_fork([] {
        sys::sane_process();
        auto pipe = sys::make_pipe();
        ::dup2(pipe->write.get(), 2);
        pipe->read.reset();
        Log broken(settings(Log::To::stderr_));
        broken.write(reject());
        ::close(2);
        Log closed(settings(Log::To::stderr_));
        closed.write(reject());
        Log full(settings(Log::To::file, "/dev/full"));
        full.write(reject());
        Log nowhere(settings(Log::To::nowhere));
        nowhere.write(reject());
        return 0;
    });
    CHECK(status == 0);
}
