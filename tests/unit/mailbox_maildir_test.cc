#include "mailbox/maildir.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sys/resource.h>
#include <csignal>
#include <set>

#include "base/scope.hh"
#include "sys/file.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using mailbox::Draft;

namespace {

struct Place {
    test::Scratch dir;
    std::string box = dir.at("alice/Maildir");
    explicit Place(std::string_view message) {
        dir.make_directory("alice");
        dir.write("message", message);
    }
    sys::Fd message() const { return test::must(sys::open_read(dir.at("message"))); }
    std::string only() const {
        const auto names = dir.list("alice/Maildir/new");
        return names.size() == 1 ? dir.read("alice/Maildir/new/" + names[0]).value_or("unreadable") : "not one message";
    }
};

}  // namespace

TEST_CASE("a draft is invisible until it is committed, then whole") {
    const std::string body = std::string("Subject: x\r\n\r\n.\n\xff\0z", 20) + std::string(300'000, 'q');
    const Place p("skipped" + body);
    auto fd = p.message();
    {
        auto draft = test::must(Draft::write(p.box, "Return-Path: <>\n", fd.get(), 7));
        CHECK(p.dir.list("alice/Maildir/new").empty());
        CHECK(p.dir.list("alice/Maildir/tmp").size() == 1);
        const auto name = test::must(draft.commit());
        CHECK(p.dir.list("alice/Maildir/new") == std::vector{name});
        CHECK(name.find_first_of("/:") == std::string::npos);
        CHECK(name.find(".M") != std::string::npos);
    }
    CHECK(p.dir.list("alice/Maildir/tmp").empty());
    CHECK(p.only() == "Return-Path: <>\n" + body);
    CHECK(p.dir.list("alice/Maildir") == std::vector<std::string>{"cur", "new", "tmp"});
    struct stat st {};
    REQUIRE(::stat((p.box + "/new/" + p.dir.list("alice/Maildir/new")[0]).c_str(), &st) == 0);
    CHECK((st.st_mode & 07777) == 0600);
    REQUIRE(::stat((p.box + "/new").c_str(), &st) == 0);
    CHECK((st.st_mode & 07777) == 0700);
}

TEST_CASE("a draft that is not committed leaves nothing") {
    const Place p("x");
    auto fd = p.message();
    {
        auto draft = test::must(Draft::write(p.box, "", fd.get(), 0));
        auto moved = std::move(draft);
        CHECK(p.dir.list("alice/Maildir/tmp").size() == 1);
    }
    CHECK(p.dir.files("alice/Maildir").empty());
}

TEST_CASE("names do not repeat within a process") {
    const Place p("x");
    auto fd = p.message();
    std::set<std::string> names;
    for (int i = 0; i < 200; ++i) names.insert(test::must(test::must(Draft::write(p.box, "", fd.get(), 0)).commit()));
    CHECK(names.size() == 200);
    CHECK(p.dir.list("alice/Maildir/new").size() == 200);
}

TEST_CASE("a Maildir that lacks a part is completed") {
    for (const char* part : {"tmp", "new", "cur"}) {
        CAPTURE(part);
        const Place p("x");
        auto fd = p.message();
        for (const char* other : {"tmp", "new", "cur"}) {
            if (std::string_view(other) != part) p.dir.make_directory("alice/Maildir/" + std::string(other));
        }
        test::must(test::must(Draft::write(p.box, "", fd.get(), 0)).commit());
        CHECK(p.only() == "x");
    }
}

TEST_CASE("a full disk is temporary and leaves nothing") {
    const Place p(std::string(400'000, 'x'));
    auto fd = p.message();
    rlimit old{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const base::Scope back([&] {
        ::setrlimit(RLIMIT_FSIZE, &old);
        std::signal(SIGXFSZ, handler);
    });
    const rlimit small{100'000, old.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto draft = Draft::write(p.box, "", fd.get(), 0);
    REQUIRE(!draft);
    CHECK(draft.error().lasting == Lasting::temporary);
    CHECK(draft.error().text.find("Maildir/tmp/") != std::string::npos);
    CHECK(p.dir.files("alice").empty());
}

TEST_CASE("a Maildir that cannot be made is temporary") {
    const Place p("x");
    auto fd = p.message();
    p.dir.write("alice/Maildir", "a file");
    const auto draft = Draft::write(p.box, "", fd.get(), 0);
    REQUIRE(!draft);
    CHECK(draft.error().lasting == Lasting::temporary);
}

TEST_CASE("a draft whose directory went away is temporary") {
    const Place p("x");
    auto fd = p.message();
    auto draft = test::must(Draft::write(p.box, "", fd.get(), 0));
    REQUIRE(::rmdir((p.box + "/new").c_str()) == 0);
    const auto name = draft.commit();
    REQUIRE(!name);
    CHECK(name.error().lasting == Lasting::temporary);
}
