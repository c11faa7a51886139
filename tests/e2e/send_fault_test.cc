// send under faults: full disks, failing system calls, a kill at any of them, crowds. Never a part of a message in new/, never
// success without the whole of it.
#include <map>

#include "base/ascii.hh"
#include "tests/e2e/send_house.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

const std::string body = "Subject: hi\n\n" + std::string(2000, 'b') + "\n";
const std::string arrived = "Return-Path: <>\nDelivered-To: alice@example.org\n" + body;

#define NEEDS_SEND(house) \
    if ((house).send.empty()) SKIP("send is not built")

// Under strace a sanitizer's own search for leaks cannot run.
std::string strace_for(SendHouse& house) {
    house.environment.emplace_back("ASAN_OPTIONS=detect_leaks=0");
    return find_program("strace");
}

// The system calls of one delivery, each with how often it is made.
std::map<std::string, int> calls_of(const SendHouse& h, const std::string& strace) {
    std::map<std::string, int> calls;
    h.run({"alice"}, body, {strace, "-f", "-o", h.dir.at("trace")});
    const std::string trace = h.dir.read("trace").value_or("");
    for (const auto line : base::split(trace, '\n')) {
        const auto words = base::words(line, "(");
        if (words.size() > 1 && base::is_lower(words[1].front())) ++calls[std::string(words[1])];
    }
    return calls;
}

// A wrapper that runs send with a file system of its own on mail/; empty where that is forbidden.
std::vector<std::string> with_mount(const SendHouse& h, const std::string& mount) {
    const std::string unshare = find_program("unshare");
    if (unshare.empty()) return {};
    std::vector<std::string> wrapper = {
        unshare, "-rm", "/bin/sh", "-c", mount + " || exit 99; \"$@\"; s=$?; find $D -type f; exit $s", "sh"};
    sys::Command probe;
    probe.path = unshare;
    probe.arguments = {"-rm", "/bin/sh", "-c", "D=" + h.dir.at("mail") + "; " + mount};
    probe.environment = h.environment;
    const auto said = sys::run(probe, soon());
    if (!said || !said->ending.ok()) return {};
    wrapper[4] = "D=" + h.dir.at("mail") + "; " + wrapper[4];
    return wrapper;
}

}  // namespace

TEST_CASE("send: the file is safe before it is visible, the directory before we say so") {
    SendHouse h({"alice", "carol"});
    NEEDS_SEND(h);
    const std::string strace = strace_for(h);
    if (strace.empty()) SKIP("strace is not installed");
    const auto said =
        h.run({"alice", "carol"}, body,
              {strace, "-f", "-y", "-e", "trace=fsync,rename,renameat,renameat2,mkdir,exit_group", "-o", h.dir.at("trace")});
    REQUIRE(status(said) == 0);
    std::string order;
    const std::string trace = h.dir.read("trace").value_or("");
    for (const auto line : base::split(trace, '\n')) {
        const auto in = [&](std::string_view part) { return line.find(part) != std::string_view::npos; };
        if (in("fsync(") && in("/tmp/1")) order += "f";  // a message
        if (in("rename") && in("/Maildir/new/")) order += "r";
        if (in("fsync(") && in("/Maildir/new>")) order += "n";               // what the rename changed
        if (in("fsync(") && in("/Maildir>")) order += "m";                   // its tmp, new, cur
        if (in("fsync(") && (in("/alice>") || in("/carol>"))) order += "u";  // the Maildir itself
        if (in("exit_group(0)")) order += "x";
    }
    CHECK(order == "ummmfummmfrnrnx");
}

TEST_CASE("send: killed at any system call, new/ holds nothing or the whole message") {
    SendHouse h({"alice"});
    NEEDS_SEND(h);
    const std::string strace = strace_for(h);
    if (strace.empty()) SKIP("strace is not installed");
    const auto calls = calls_of(h, strace);
    REQUIRE(calls.contains("fsync"));
    unsigned kills = 0;
    for (const auto& [call, times] : calls) {
        // A sanitizer's start-up makes hundreds of calls before our first.
        const int first = times > 60 ? times - 10 : 1;
        for (int n = first; n <= times; ++n) {
            CAPTURE(call);
            CAPTURE(n);
            SendHouse fresh({"alice"});
            fresh.environment = h.environment;
            const auto said = fresh.run({"alice"}, body,
                                        {strace, "-f", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                                         "inject=" + call + ":signal=KILL:when=" + std::to_string(n)});
            kills += status(said) == -9 ? 1u : 0u;
            const auto messages = fresh.messages("alice");
            CHECK(messages.size() <= 1);
            if (!messages.empty()) CHECK(messages[0] == arrived);
            if (status(said) == 0) CHECK(messages.size() == 1);
            // The next try finds its way through whatever was left behind.
            CHECK(status(fresh.run({"alice"}, body)) == 0);
            CHECK(fresh.messages("alice").size() == messages.size() + 1);
        }
    }
    CHECK(kills > 20);
}

TEST_CASE("send: any failing system call is temporary, and what is reported is there") {
    SendHouse h({"alice"});
    NEEDS_SEND(h);
    const std::string strace = strace_for(h);
    if (strace.empty()) SKIP("strace is not installed");
    const auto calls = calls_of(h, strace);
    // The first calls are the loader's and the sanitizer's there, which have endings of their own.
    const bool strangers = sanitized();
    for (const char* call :
         {"openat", "write", "pread64", "copy_file_range", "fsync", "rename", "mkdir", "newfstatat", "stat", "statx"}) {
        const auto made = calls.find(call);
        if (made == calls.end() || made->second > 60) continue;
        for (const char* error : {"ENOSPC", "EACCES", "EINTR"}) {
            for (int n = 1; n <= made->second; ++n) {
                CAPTURE(call);
                CAPTURE(error);
                CAPTURE(n);
                SendHouse fresh({"alice"});
                fresh.environment = h.environment;
                const auto said = fresh.run({"alice"}, body,
                                            {strace, "-f", "-o", "/dev/null", "-e", std::string("trace=") + call, "-e",
                                             std::string("inject=") + call + ":error=" + error + ":when=" + std::to_string(n)});
                const int s = status(said);
                CHECK_MESSAGE((s == 0 || s == 75 || s == 78 || (strangers && (s == 1 || s == 127))), s);
                const auto messages = fresh.messages("alice");
                if (s == 0) CHECK(messages == std::vector{arrived});
                for (const auto& message : messages) CHECK(message == arrived);
                CHECK(fresh.dir.list("mail/example.org/alice/Maildir/tmp").empty());
            }
        }
    }
}

TEST_CASE("send: a full disk leaves nothing behind and is temporary") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    const auto wrapper = with_mount(h, "mount -t tmpfs -o size=128k none $D && mkdir -p $D/example.org/alice");
    if (wrapper.empty()) SKIP("no mount in a user namespace here");
    const auto said = h.run({"alice"}, "Subject: x\n\n" + std::string(1 << 20, 'x') + "\n", wrapper);
    CHECK(status(said) == 75);
    CHECK(said.out == "");
    CHECK(said.err.find("No space left on device") != std::string::npos);
    CHECK(status(h.run({"alice"}, body, wrapper)) == 0);
}

TEST_CASE("send: a directory that cannot be written is temporary") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    const auto wrapper = with_mount(h, "mount -t tmpfs none $D && mkdir -p $D/example.org/alice && mount -o remount,ro $D");
    if (wrapper.empty()) SKIP("no mount in a user namespace here");
    const auto said = h.run({"alice"}, body, wrapper);
    CHECK(status(said) == 75);
    CHECK(said.err.starts_with("alice@example.org: 451 4.3.0 "));
    CHECK(said.out == "");
}

TEST_CASE("send: memory does not grow with the message") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    if (sanitized()) SKIP("a sanitizer's memory is no measure");
    const std::string big = "Subject: big\n\n" + std::string(64 << 20, 'x');
    // 16 MiB of address space: the program, its stack, and no message.
    const std::vector<std::string> small = {"/bin/sh", "-c", "ulimit -v 16384; exec \"$@\"", "sh"};
    const std::vector<std::string> piped = {"/bin/sh", "-c", "ulimit -v 16384; cat | \"$@\"", "sh"};
    CHECK(status(h.run({"alice"}, big, small)) == 0);
    CHECK(status(h.run({"alice"}, big, piped)) == 0);
    const auto messages = h.messages("alice");
    REQUIRE(messages.size() == 2);
    for (const auto& message : messages) CHECK((message.size() == big.size() + 48 && message.ends_with(big)));
}

TEST_CASE("send: twenty at once into one new Maildir") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    std::vector<sys::Child> children;
    for (int i = 0; i < 20; ++i) {
        const std::string name = "message" + std::to_string(i);
        h.dir.write(name, body + std::to_string(i) + "\n");
        const sys::Fd in = must(sys::open_read(h.dir.at(name)));
        sys::Command command;
        command.path = h.send;
        command.arguments = {"-C", h.dir.at("conf"), "alice"};
        command.environment = h.environment;
        command.in = in.get();
        children.push_back(must(sys::Child::spawn(command)));
    }
    for (auto& child : children) CHECK(must(child.wait(soon())).ok());
    const auto messages = h.messages("alice");
    CHECK(messages.size() == 20);
    for (int i = 0; i < 20; ++i) {
        unsigned found = 0;
        for (const auto& message : messages) found += message == arrived + std::to_string(i) + "\n" ? 1u : 0u;
        CHECK(found == 1);
    }
    CHECK(h.dir.list("mail/example.org/alice/Maildir/tmp").empty());
}
