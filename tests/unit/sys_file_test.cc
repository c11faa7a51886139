#include "sys/file.hh"

#include <sys/stat.h>
#include <unistd.h>

#include "sys/io.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;
using sys::Guard;

namespace {
unsigned mode_of(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? static_cast<unsigned>(info.st_mode) & 07777U : 0U;
}
}  // namespace

TEST_CASE("sys/file: directories are made on the way and left alone when there") {
    const Scratch scratch;
    must(sys::make_directories(scratch.at("a/b//c/"), 0700));
    CHECK(must(sys::status(scratch.at("a/b/c"))).directory);
    CHECK(mode_of(scratch.at("a")) == 0700);
    ::chmod(scratch.at("a").c_str(), 0750);
    must(sys::make_directories(scratch.at("a/b/c")));
    CHECK(mode_of(scratch.at("a")) == 0750);
    must(sys::make_directories("/"));
    must(sys::make_directories("."));
    CHECK(!sys::make_directories(""));

    scratch.write("file", "x");
    for (const char* path : {"file", "file/below"}) {
        const auto made = sys::make_directories(scratch.at(path));
        REQUIRE(!made);
        CHECK(made.error().text == scratch.at("file") + (std::string(path) == "file" ? "" : "/below") + ": Not a directory");
    }
}

TEST_CASE("sys/file: reading whole files") {
    const Scratch scratch;
    const std::string bytes = pattern(100'000);
    scratch.write("f", bytes);
    CHECK(must(sys::read_file(scratch.at("f"), 100'000)) == bytes);
    const auto over = sys::read_file(scratch.at("f"), 99'999);
    REQUIRE(!over);
    CHECK(over.error().kind == Kind::limit);
    CHECK(must(sys::read_file("/dev/null", 10)).empty());
    CHECK(!must(sys::read_file("/proc/self/status", 100'000)).empty());
    CHECK(sys::read_file(scratch.at("none"), 10).error().kind == Kind::not_found);
    CHECK(!sys::read_file(scratch.path(), 10));
    REQUIRE(::mkfifo(scratch.at("fifo").c_str(), 0600) == 0);
    static_cast<void>(sys::read_file(scratch.at("fifo"), 10));  // comes back
}

TEST_CASE("sys/file: guards") {
    const Scratch scratch;
    struct Case {
        unsigned mode;
        bool writable_refused, private_refused;
    };
    for (const Case& c : {Case{0600, false, false}, Case{0400, false, false}, Case{0640, false, true}, Case{0644, false, true},
                          Case{0620, true, true}, Case{0602, true, true}}) {
        CAPTURE(c.mode);
        scratch.write("f", "text", c.mode);
        CHECK(sys::read_file(scratch.at("f"), 10, Guard::none).has_value());
        CHECK(sys::read_file(scratch.at("f"), 10, Guard::not_writable_by_others).has_value() == !c.writable_refused);
        CHECK(sys::read_file(scratch.at("f"), 10, Guard::private_to_owner).has_value() == !c.private_refused);
    }
    const auto device = sys::read_file("/dev/null", 10, Guard::not_writable_by_others);
    REQUIRE(!device);
    CHECK(device.error().text == "/dev/null: not a regular file");
}

TEST_CASE("sys/file: replacing keeps nothing of the old file and leaves nothing beside it") {
    const Scratch scratch;
    scratch.write("f", "old and longer", 0644);
    must(sys::replace_file(scratch.at("f"), "new", 0600));
    CHECK(scratch.read("f") == "new");
    CHECK(mode_of(scratch.at("f")) == 0600);
    must(sys::replace_file(scratch.at("g"), "first", 0664));
    CHECK(mode_of(scratch.at("g")) == 0664);
    CHECK(scratch.list() == std::vector<std::string>{"f", "g"});
    CHECK(!sys::replace_file(scratch.at("none/f"), "x", 0600));
    scratch.make_directory("d");
    CHECK(!sys::replace_file(scratch.at("d"), "x", 0600));
    CHECK(scratch.list() == std::vector<std::string>{"d", "f", "g"});
}

TEST_CASE("sys/file: a name is created once, never through a link") {
    const Scratch scratch;
    const sys::Fd first = must(sys::create_file(scratch.at("f"), 0600));
    CHECK(!sys::create_file(scratch.at("f"), 0600));
    REQUIRE(::symlink("elsewhere", scratch.at("link").c_str()) == 0);
    CHECK(!sys::create_file(scratch.at("link"), 0600));
    CHECK(!scratch.exists("elsewhere"));
    CHECK(must(sys::open_read(scratch.at("f"))));
    CHECK(sys::open_read(scratch.at("g")).error().kind == Kind::not_found);
}

TEST_CASE("sys/file: what is there") {
    const Scratch scratch;
    scratch.write("b", "12345", 0755);
    scratch.write("a", "");
    scratch.make_directory("c");
    const auto b = must(sys::status(scratch.at("b")));
    CHECK(b.regular);
    CHECK(b.executable);
    CHECK(b.size == 5);
    CHECK(b.mtime > 1'600'000'000);
    CHECK(!must(sys::status(scratch.at("a"))).executable);
    CHECK(must(sys::list_directory(scratch.path())) == std::vector<std::string>{"a", "b", "c"});
    CHECK(!sys::list_directory(scratch.at("b")));
    CHECK(sys::writable_directory(scratch.at("c")));
    CHECK(!sys::writable_directory(scratch.at("a")));
    CHECK(!sys::writable_directory(scratch.at("none")));
    CHECK(must(sys::free_space(scratch.path())) > 0);
    CHECK(must(sys::free_space(scratch.at("not/yet/there"))) > 0);
    must(sys::fsync_directory(scratch.path()));
    CHECK(!sys::fsync_directory(scratch.at("a")));
}

TEST_CASE("sys/file: join") {
    CHECK(sys::join("/a", "b") == "/a/b");
    CHECK(sys::join("/a/", "b") == "/a/b");
    CHECK(sys::join("/", "b") == "/b");
    CHECK(sys::join("", "b") == "b");
}
