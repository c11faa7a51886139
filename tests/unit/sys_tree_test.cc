#include "sys/tree.hh"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

TEST_CASE("tree: ensure makes what is missing, and passes by no link, file or folder of others") {
    const Scratch dir;
    const auto top = must(sys::Directory::open(dir.path()));
    CHECK(top.ensure("a").has_value());
    CHECK(top.ensure("a/b").has_value());
    CHECK(top.ensure("a/b").has_value());
    struct stat status {};
    REQUIRE(::stat(dir.at("a/b").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0700);

    REQUIRE(::symlink("a", dir.at("link").c_str()) == 0);
    dir.write("file", "");
    dir.make_directory("open");
    REQUIRE(::chmod(dir.at("open").c_str(), 0777) == 0);
    for (const char* name : {"link", "file", "open"}) {
        CAPTURE(name);
        const auto refused = top.ensure(name);
        REQUIRE(!refused);
        CHECK(refused.error().kind == Kind::denied);
        CHECK(refused.error().text.starts_with(dir.at(name) + ": "));
    }
    CHECK(top.ensure("nowhere/b").error().kind == Kind::not_found);
    CHECK(top.ensure("file/b").error().kind != Kind::not_found);
}

TEST_CASE("tree: open_own follows links on the way, none at its end") {
    const Scratch dir;
    dir.make_directory("real/grey");
    REQUIRE(::symlink("real", dir.at("state").c_str()) == 0);
    REQUIRE(::symlink("grey", dir.at("real/link").c_str()) == 0);
    CHECK(sys::Directory::open_own(dir.at("state/grey")).has_value());
    CHECK(sys::Directory::open_own(dir.at("state/link")).error().kind == Kind::denied);
    CHECK(sys::Directory::open_own(dir.at("state/none")).error().kind == Kind::not_found);
    REQUIRE(::chmod(dir.at("real/grey").c_str(), 0770) == 0);
    CHECK(sys::Directory::open_own(dir.at("state/grey")).error().kind == Kind::denied);
    REQUIRE(::chmod(dir.at("real/grey").c_str(), 0700) == 0);

    dir.write("real/grey/file", "four");
    const auto grey = must(sys::Directory::open_own(dir.at("state/grey")));
    const auto file = must(grey.open_read("file"));
    CHECK(file.entry.size == 4);
    CHECK(grey.owns(file.entry));
    CHECK(file.entry.same_file(must(grey.look("file"))));
}
