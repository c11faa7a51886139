// A tree of folders asked for names: nothing outside of it answers.
#include "sys/folder.hh"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

TEST_CASE("folder: what is there, what is not, and what is outside") {
    const Scratch scratch;
    scratch.write("outside", "");
    scratch.write("tree/allow/ip/192.0.2.7", "");
    scratch.write("tree/top", "");
    scratch.make_directory("tree/allow/ip/folder");
    REQUIRE(::symlink("../../../outside", scratch.at("tree/allow/ip/link").c_str()) == 0);
    REQUIRE(::symlink(scratch.path().c_str(), scratch.at("tree/away").c_str()) == 0);
    const auto folder = must(sys::Folder::open(scratch.at("tree")));
    CHECK(must(folder.holds({"allow", "ip"}, "192.0.2.7")));
    CHECK(must(folder.holds({}, "top")));
    const std::string names[] = {
        "192.0.2.8", "", ".", "..", "../../top", "/etc/passwd", "../ip/192.0.2.7", "folder", "link", std::string(300, 'x')};
    for (const auto& name : names) {
        INFO(name);
        CHECK(!must(folder.holds({"allow", "ip"}, name)));
    }
    CHECK(!must(folder.holds({"deny", "ip"}, "192.0.2.7")));
    CHECK(!must(folder.holds({"allow", "account"}, "192.0.2.7")));
    CHECK(!folder.holds({"away"}, "outside"));  // a link in place of a folder: a fault, never followed
    CHECK(!folder.holds({"top"}, "x"));
    CHECK(!sys::Folder::open(scratch.at("nowhere")));
    CHECK(!sys::Folder::open(scratch.at("outside")));
}
