// Records and whitelist on a real disk: what others put there, what people write, what is lost.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "grey/records.hh"
#include "grey/whitelist.hh"
#include "sys/clock.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using grey::Call;
using grey::Whitelist;
using test::must;
using test::Scratch;

namespace {

constexpr std::int64_t second = 1000, hour = 3'600'000;
constexpr grey::Limits usual;
const grey::RecordName name{"192.0.2.25", "198.51.100.0", "you@example.org"};
const std::string record = "grey/tmp/192.0.2.25/198.51.100.0/you@example.org";

mail::IpAddress ip(const char* text) { return must(mail::IpAddress::parse(text)); }

void stamp(const std::string& path, std::int64_t millis) {
    const timespec time{millis / 1000, 0};
    const timespec both[] = {time, time};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), both, AT_SYMLINK_NOFOLLOW) == 0);
}

std::int64_t seconds_of(const std::string& path) {
    struct stat info {};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    return info.st_mtime;
}

Whitelist::Index index_of(const Scratch& dir) { return must(Whitelist(dir.path()).state()).index; }

bool white(const Scratch& dir, const char* address) { return must(Whitelist(dir.path()).contains(ip(address))); }

}  // namespace

TEST_CASE("grey records: the whole life of one") {
    const Scratch dir;
    const grey::Records records(dir.path());
    const std::int64_t now = sys::wall_millis();
    CHECK(must(records.call(name, now, usual)).call == Call::first);
    CHECK(dir.read(record) == "");
    stamp(dir.at(record), now - 200 * second);
    const auto early = must(records.call(name, now, usual));
    CHECK(early.call == Call::early);
    CHECK(early.seconds >= 99);
    CHECK(early.seconds <= 101);
    CHECK(seconds_of(dir.at(record)) == (now - 200 * second) / 1000);  // the clock was not restarted
    stamp(dir.at(record), now - 301 * second);
    CHECK(must(records.call(name, now, usual)).call == Call::pass);
    CHECK(seconds_of(dir.at(record)) == (now - 301 * second) / 1000);
    stamp(dir.at(record), now - 15 * hour);
    CHECK(must(records.call(name, now, usual)).call == Call::first_again);
    CHECK(seconds_of(dir.at(record)) >= now / 1000 - 1);
    stamp(dir.at(record), now + 10 * 365 * 24 * hour);
    CHECK(must(records.call(name, now, usual)).call == Call::first_again);
    CHECK(must(records.call(name, now, usual)).call == Call::early);
}

TEST_CASE("grey records: a stamp from the end of time") {
    const Scratch dir;
    const grey::Records records(dir.path());
    const std::int64_t now = sys::wall_millis();
    must(records.call(name, now, usual));
    for (const std::int64_t year : {0, 1, 400, -100}) {
        stamp(dir.at(record), now + year * 365 * 24 * hour);
        CHECK(must(records.call(name, now, usual)).call != Call::pass);
    }
}

TEST_CASE("grey records: what somebody else put there is not used") {
    const std::int64_t now = sys::wall_millis();
    const auto refused = [&](const Scratch& dir) {
        const auto said = grey::Records(dir.path()).call(name, now, usual);
        return !said && said.error().kind == Kind::denied;
    };
    SUBCASE("a link in the record's place, to a file old enough to pass") {
        const Scratch dir;
        dir.make_directory("grey/tmp/192.0.2.25/198.51.100.0");
        dir.write("victim", "x");
        stamp(dir.at("victim"), now - hour);
        REQUIRE(::symlink(dir.at("victim").c_str(), dir.at(record).c_str()) == 0);
        CHECK(refused(dir));
    }
    SUBCASE("a second name of another file") {
        const Scratch dir;
        dir.make_directory("grey/tmp/192.0.2.25/198.51.100.0");
        dir.write("victim", "x");
        stamp(dir.at("victim"), now - 20 * hour);
        REQUIRE(::link(dir.at("victim").c_str(), dir.at(record).c_str()) == 0);
        CHECK(refused(dir));
        CHECK(seconds_of(dir.at("victim")) == (now - 20 * hour) / 1000);
    }
    SUBCASE("a directory in the record's place") {
        const Scratch dir;
        dir.make_directory(record);
        CHECK(refused(dir));
    }
    for (const char* level : {"grey", "grey/tmp", "grey/tmp/192.0.2.25", "grey/tmp/192.0.2.25/198.51.100.0"}) {
        CAPTURE(level);
        const std::string above = std::string(level).substr(0, std::string(level).rfind('/'));
        const Scratch linked, file, open;
        linked.make_directory("elsewhere");
        if (above != level) linked.make_directory(above), file.make_directory(above);
        REQUIRE(::symlink(linked.at("elsewhere").c_str(), linked.at(level).c_str()) == 0);
        CHECK(refused(linked));
        CHECK(linked.files("elsewhere").empty());
        file.write(level, "");
        CHECK(refused(file));
        open.make_directory(level);
        REQUIRE(::chmod(open.at(level).c_str(), 0777) == 0);
        CHECK(refused(open));
    }
}

TEST_CASE("grey records: no state is an error, not a refusal") {
    const Scratch dir;
    CHECK(grey::Records(dir.at("nowhere")).call(name, 0, usual).error().kind == Kind::not_found);
    std::vector<std::string> odd;
    CHECK(must(grey::Records(dir.path()).expire(0, usual, odd)).records == 0);
    CHECK(!dir.exists("grey"));
}

TEST_CASE("grey records: expire takes what is too late, and empty directories, and nothing else") {
    const Scratch dir;
    const grey::Records records(dir.path());
    const std::int64_t now = sys::wall_millis();
    const auto put = [&](const char* remote, const char* recipient, std::int64_t age) {
        must(records.call({"192.0.2.25", remote, recipient}, now, usual));
        stamp(dir.at("grey/tmp/192.0.2.25/" + std::string(remote) + "/" + recipient), now - age);
    };
    put("198.51.100.0", "new@x", 0);
    put("198.51.100.0", "late@x", 15 * hour);
    put("203.0.113.0", "late@x", 15 * hour);
    put("203.0.113.0", "future@x", -15 * hour);
    put("2001:db8::", "passed@x", hour);
    dir.write("grey/tmp/192.0.2.25/192.0.2.0/stray/file", "");
    std::vector<std::string> odd;
    const auto done = must(records.expire(now, usual, odd));
    CHECK(done.records == 3);
    CHECK(done.kept == 2);
    CHECK(odd.size() == 1);
    CHECK(dir.files("grey/tmp") == std::vector<std::string>{"192.0.2.25/192.0.2.0/stray/file", "192.0.2.25/198.51.100.0/new@x",
                                                            "192.0.2.25/2001:db8::/passed@x"});
    CHECK(!dir.exists("grey/tmp/192.0.2.25/203.0.113.0"));
}

TEST_CASE("grey records: calls go on while directories are taken away") {
    const Scratch dir;
    const grey::Records records(dir.path());
    unsigned failed = 0;
    std::thread caller([&] {
        for (int i = 0; i < 2000; ++i)
            failed += !records.call({"192.0.2.25", "198.51.100.0", "r" + std::to_string(i)}, sys::wall_millis(), usual);
    });
    for (int i = 0; i < 200; ++i) {
        std::vector<std::string> odd;
        (void)records.expire(sys::wall_millis() + 20 * hour, usual, odd);
    }
    caller.join();
    CHECK(failed == 0);
}

TEST_CASE("whitelist: missing, empty, and every way to say an address") {
    const Scratch dir;
    CHECK(!white(dir, "192.0.2.1"));
    dir.make_directory("grey");
    CHECK(!white(dir, "192.0.2.1"));
    dir.write("grey/whitelist", "");
    CHECK(!white(dir, "192.0.2.1"));
    dir.write("grey/whitelist", "# ours\n\n192.0.2.1 a host\n198.51.100.0/24\nnonsense\n2001:db8::/32 # net\n203.0.113.7");
    CHECK(white(dir, "192.0.2.1"));
    CHECK(!white(dir, "192.0.2.2"));
    CHECK(white(dir, "198.51.100.255"));
    CHECK(white(dir, "2001:db8:ffff::1"));
    CHECK(white(dir, "::ffff:192.0.2.1"));
    CHECK(white(dir, "203.0.113.7"));  // no newline behind it
    CHECK(index_of(dir) == Whitelist::Index::fresh);
}

TEST_CASE("whitelist: an edit takes effect at once, whoever makes it and however") {
    const Scratch dir;
    dir.write("grey/whitelist", "192.0.2.1\n");
    CHECK(white(dir, "192.0.2.1"));
    SUBCASE("a new file") { dir.write("grey/whitelist", "192.0.2.2\n"); }
    SUBCASE("in place, the same length") {
        const sys::Fd fd(::open(dir.at("grey/whitelist").c_str(), O_WRONLY));
        REQUIRE(::pwrite(fd.get(), "192.0.2.2\n", 10, 0) == 10);
    }
    SUBCASE("in place, with the old time put back") {
        struct stat before {};
        REQUIRE(::stat(dir.at("grey/whitelist").c_str(), &before) == 0);
        test::pause_briefly();
        const sys::Fd fd(::open(dir.at("grey/whitelist").c_str(), O_WRONLY));
        REQUIRE(::pwrite(fd.get(), "192.0.2.2\n", 10, 0) == 10);
        const timespec both[] = {before.st_atim, before.st_mtim};
        REQUIRE(::futimens(fd.get(), both) == 0);
    }
    SUBCASE("a file of another name, moved over it") {
        dir.write("grey/new", "192.0.2.2\n");
        REQUIRE(::rename(dir.at("grey/new").c_str(), dir.at("grey/whitelist").c_str()) == 0);
    }
    CHECK(!white(dir, "192.0.2.1"));
    CHECK(white(dir, "192.0.2.2"));
    ::unlink(dir.at("grey/whitelist").c_str());
    CHECK(!white(dir, "192.0.2.2"));
}

TEST_CASE("whitelist: appending heals the last line, keeps everything, and keeps the index") {
    const Scratch dir;
    dir.write("grey/whitelist", "# mine\n192.0.2.1   a bank   \n\n203.0.113.7");
    Whitelist list(dir.path());
    CHECK(must(list.append(ip("198.51.100.9"), "198.51.100.0/24 # x\n")));
    CHECK(dir.read("grey/whitelist") == "# mine\n192.0.2.1   a bank   \n\n203.0.113.7\n198.51.100.0/24 # x\n");
    CHECK(index_of(dir) == Whitelist::Index::fresh);
    CHECK(!must(list.append(ip("198.51.100.10"), "198.51.100.0/24 # y\n")));  // white by now
    CHECK(must(list.append(ip("198.51.101.9"), "198.51.101.0/24 # z\n")));
    const auto state = must(list.state());
    CHECK(state.index == Whitelist::Index::fresh);
    CHECK(state.header.covered < state.size);
    CHECK(white(dir, "198.51.101.77"));
    must(list.refresh());
    CHECK(must(list.state()).header.covered == state.size);
}

TEST_CASE("whitelist: hundreds of appends make few compilations, and every line is found") {
    const Scratch dir;
    Whitelist list(dir.path());
    for (unsigned i = 0; i < 400; ++i) {
        const auto caller = mail::IpAddress::v4({10, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 1});
        REQUIRE(must(list.append(caller, grey::own_line(mail::Cidr(caller, 24), 0))));
    }
    const auto state = must(list.state());
    CHECK(state.index == Whitelist::Index::fresh);
    CHECK(state.size - state.header.covered <= 4096);
    for (unsigned i = 0; i < 400; ++i)
        CHECK(must(list.contains(mail::IpAddress::v4({10, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 9}))));
    CHECK(!white(dir, "10.2.0.1"));
}

TEST_CASE("whitelist: a damaged index changes no answer and is made anew") {
    const Scratch dir;
    dir.write("grey/whitelist", "192.0.2.1\n2001:db8::/32\n");
    CHECK(white(dir, "192.0.2.1"));
    const std::string good = *dir.read("grey/whitelist.idx");
    for (std::size_t at : {std::size_t{0}, std::size_t{9}, std::size_t{60}, std::size_t{4095}, std::size_t{4096},
                           std::size_t{4103}, good.size() - 1}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        dir.write("grey/whitelist.idx", bad);
        CHECK(white(dir, "192.0.2.1"));
        CHECK(white(dir, "2001:db8::7"));
        CHECK(!white(dir, "192.0.2.2"));
    }
    for (const std::string& bad :
         {std::string(), std::string("x"), good.substr(0, 4096), good + "more", std::string(20'000, '\0')}) {
        dir.write("grey/whitelist.idx", bad);
        CHECK(white(dir, "192.0.2.1"));
        CHECK(!white(dir, "192.0.2.2"));
        CHECK(index_of(dir) == Whitelist::Index::fresh);
    }
}

TEST_CASE("whitelist: taking out keeps every other octet") {
    const Scratch dir;
    const std::string before =
        "# top\r\n192.0.2.0/24 # 2020-01-01T00:00:00Z greylist passed\n\n  192.0.2.9  keep # 2020-01-01T00:00:00Z greylist "
        "passed!\n"
        "192.0.2.0/24 by hand\njunk\n192.0.3.0/24 # 2030-01-01T00:00:00Z greylist passed\n192.0.2.0/25\nlast";
    dir.write("grey/whitelist", before, 0640);
    Whitelist list(dir.path());
    SUBCASE("by age: only our own") {
        CHECK(must(list.take_out({std::nullopt, 1'700'000'000})) == 1);
        CHECK(dir.read("grey/whitelist") ==
              "# top\r\n\n  192.0.2.9  keep # 2020-01-01T00:00:00Z greylist passed!\n192.0.2.0/24 by hand\njunk\n"
              "192.0.3.0/24 # 2030-01-01T00:00:00Z greylist passed\n192.0.2.0/25\nlast");
    }
    SUBCASE("by name: only exactly that") {
        CHECK(must(list.take_out({must(mail::Cidr::parse("192.0.2.0/24")), std::nullopt})) == 2);
        CHECK(dir.read("grey/whitelist") ==
              "# top\r\n\n  192.0.2.9  keep # 2020-01-01T00:00:00Z greylist passed!\njunk\n"
              "192.0.3.0/24 # 2030-01-01T00:00:00Z greylist passed\n192.0.2.0/25\nlast");
    }
    SUBCASE("nothing: the file is not even written") {
        CHECK(must(list.take_out({must(mail::Cidr::parse("10.0.0.0/8")), std::nullopt})) == 0);
        CHECK(dir.read("grey/whitelist") == before);
        CHECK(dir.list("grey") == std::vector<std::string>{"whitelist"});
        return;
    }
    CHECK(dir.list("grey") == std::vector<std::string>{"whitelist", "whitelist.idx"});
    CHECK(index_of(dir) == Whitelist::Index::fresh);
    struct stat info {};
    REQUIRE(::stat(dir.at("grey/whitelist").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0640);
}

TEST_CASE("whitelist: unreadable lines are named once, by file and line") {
    const Scratch dir;
    std::string text = "192.0.2.1\nnonsense here\n";
    for (int i = 0; i < 20; ++i) text += "bad" + std::to_string(i) + "\n";
    dir.write("grey/whitelist", text);
    Whitelist list(dir.path());
    CHECK(must(list.contains(ip("192.0.2.1"))));
    const auto said = list.take_complaints();
    REQUIRE(said.size() == 11);
    CHECK(said.front() == dir.at("grey/whitelist") + ":2: expected an address or a network with its bits, not \"nonsense\"");
    CHECK(said.back() == dir.at("grey/whitelist") + ": 11 more lines cannot be read");
    CHECK(must(list.contains(ip("192.0.2.1"))));
    CHECK(list.take_complaints().empty());
}

TEST_CASE("whitelist: links and directories in its place are errors") {
    const Scratch dir;
    dir.write("elsewhere", "192.0.2.1\n");
    dir.make_directory("grey");
    REQUIRE(::symlink(dir.at("elsewhere").c_str(), dir.at("grey/whitelist").c_str()) == 0);
    CHECK(!Whitelist(dir.path()).contains(ip("192.0.2.1")));
    CHECK(!Whitelist(dir.path()).append(ip("192.0.2.7"), "192.0.2.7\n"));
    CHECK(dir.read("elsewhere") == "192.0.2.1\n");
    ::unlink(dir.at("grey/whitelist").c_str());
    dir.make_directory("grey/whitelist");
    CHECK(Whitelist(dir.path()).contains(ip("192.0.2.1")).error().kind == Kind::denied);
    ::rmdir(dir.at("grey/whitelist").c_str());
    REQUIRE(::mkfifo(dir.at("grey/whitelist").c_str(), 0600) == 0);
    CHECK(!Whitelist(dir.path()).contains(ip("192.0.2.1")));
}

TEST_CASE("whitelist: a line longer than any buffer is one line") {
    const Scratch dir;
    dir.write("grey/whitelist", "192.0.2.1 " + std::string(700'000, 'x') + "192.0.2.9\n192.0.2.2\n" + std::string(300'000, '#'));
    CHECK(white(dir, "192.0.2.1"));
    CHECK(white(dir, "192.0.2.2"));
    CHECK(!white(dir, "192.0.2.9"));
}

TEST_CASE("whitelist: threads of one process, many files of the same name") {
    const Scratch dir;
    dir.make_directory("grey");
    std::vector<std::thread> writers;
    for (unsigned w = 0; w < 8; ++w)
        writers.emplace_back([&dir, w] {
            Whitelist list(dir.path());
            for (unsigned i = 0; i < 40; ++i) {
                const auto caller = mail::IpAddress::v4({10, static_cast<std::uint8_t>(w % 4), static_cast<std::uint8_t>(i), 1});
                (void)list.append(caller, grey::own_line(mail::Cidr(caller, 24), 0));
                if (i % 10 == 9) (void)list.take_out({must(mail::Cidr::parse("10.9.9.0/24")), std::nullopt});
            }
        });
    for (auto& writer : writers) writer.join();
    std::map<std::string, int> lines;
    must(Whitelist(dir.path()).each_line([&](std::uint64_t, std::string_view line) { return ++lines[std::string(line)], true; }));
    CHECK(lines.size() == 160);
    for (const auto& [line, count] : lines) CHECK(count == 1);
}
