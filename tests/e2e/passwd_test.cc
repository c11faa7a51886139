// smtpd-passwd, the real program.
#include <sys/stat.h>
#include <unistd.h>

#include "sasl/users.hh"
#include "secret/password.hh"
#include "sys/rights.hh"
#include "tests/support/sasl.hh"
#include "tests/support/scratch.hh"
#include "tests/support/spawn.hh"
#include "tests/support/terminal.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Desk {
    Scratch scratch;
    std::string program = program_path("smtpd-passwd");

    // The exit status; `input` is its standard input.
    int run(std::vector<std::string> arguments, const std::string& input) {
        auto [ours, theirs] = must(sys::make_socketpair());
        sys::Command command;
        command.path = program;
        command.arguments = {"-f", scratch.at("users")};
        command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
        command.in = theirs.get();
        Stream wire(std::move(ours));
        must(wire.send(input));
        wire.half_close();
        return must(sys::run(command, soon())).ending.status;
    }
    sasl::User user(const std::string& name) const {
        return sasl::find_user(scratch.read("users").value_or(""), name).value_or(sasl::User{});
    }
};

}  // namespace

TEST_CASE("smtpd-passwd: sets, replaces, deletes; other lines and the mode stay as they must") {
    Desk desk;
    if (desk.program.empty()) SKIP("smtpd-passwd is not built");
    CHECK(desk.run({"joe"}, "secret\n") == 0);
    struct stat info {};
    REQUIRE(::stat(desk.scratch.at("users").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0600);
    CHECK(must(secret::is_password(desk.user("joe").argon2id, "secret")));
    REQUIRE(desk.user("joe").scram.has_value());
    const auto joe = *desk.user("joe").scram;
    CHECK(sasl::make_verifier(digests, "secret", joe.salt, joe.iterations).stored_key == joe.stored_key);
    CHECK(desk.user("joe").cram_md5.empty());

    const std::string before = "# kept\nann  odd\n";
    desk.scratch.write("users", before + *desk.scratch.read("users"));
    CHECK(desk.run({"-m", "cram-md5,PLAIN", "joe"}, "other") == 0);
    CHECK(desk.scratch.read("users")->starts_with(before + "joe argon2id="));
    CHECK(desk.user("joe").cram_md5 == "other");
    CHECK_FALSE(desk.user("joe").scram.has_value());

    CHECK(desk.run({"-d", "joe"}, "") == 0);
    CHECK(*desk.scratch.read("users") == before);
    CHECK(desk.run({"-d", "joe"}, "") == 67);
    CHECK(desk.scratch.list().size() == 2);  // the file and its lock
}

TEST_CASE("smtpd-passwd: a link stays, and what it names is changed") {
    Desk desk;
    if (desk.program.empty()) SKIP("smtpd-passwd is not built");
    desk.scratch.write("real", "ann x\n");
    REQUIRE(::symlink("real", desk.scratch.at("users").c_str()) == 0);
    CHECK(desk.run({"joe"}, "secret\n") == 0);
    struct stat info {};
    REQUIRE(::lstat(desk.scratch.at("users").c_str(), &info) == 0);
    CHECK(S_ISLNK(info.st_mode));
    CHECK(desk.scratch.read("real")->starts_with("ann x\njoe "));
}

TEST_CASE("smtpd-passwd: root makes and edits the file for the user that smtpd runs as") {
    if (!sys::is_root()) SKIP("needs root");
    Desk desk;
    if (desk.program.empty()) SKIP("smtpd-passwd is not built");
    desk.scratch.write("smtpd.conf", "[smtpd]\nuser = 65534\n");
    struct stat info {};
    CHECK(desk.run({"-C", desk.scratch.at("smtpd.conf"), "joe"}, "secret\n") == 0);
    REQUIRE(::stat(desk.scratch.at("users").c_str(), &info) == 0);
    CHECK(info.st_uid == 65534);
    CHECK(desk.run({"-C", "/dev/null", "joe"}, "other\n") == 0);
    REQUIRE(::stat(desk.scratch.at("users").c_str(), &info) == 0);
    CHECK(info.st_uid == 65534);
    CHECK((info.st_mode & 07777) == 0600);
}

TEST_CASE("smtpd-passwd: what it does not do") {
    Desk desk;
    if (desk.program.empty()) SKIP("smtpd-passwd is not built");
    CHECK(desk.run({}, "x\n") == 64);
    CHECK(desk.run({"a", "b"}, "x\n") == 64);
    CHECK(desk.run({"-m", "gssapi", "joe"}, "x\n") == 64);
    CHECK(desk.run({"joe"}, "") == 66);
    CHECK(desk.run({"joe"}, "\n") == 65);
    CHECK(desk.run({"joe"}, "a\x01z\n") == 65);
    CHECK(desk.run({"joe x"}, "a\n") == 65);
    CHECK_FALSE(desk.scratch.exists("users"));
    desk.scratch.write("users", "", 0644);
    CHECK(desk.run({"joe"}, "secret\n") == 77);
    CHECK(*desk.scratch.read("users") == "");
}

TEST_CASE("smtpd-passwd: at a terminal it asks twice and shows nothing") {
    Desk desk;
    if (desk.program.empty()) SKIP("smtpd-passwd is not built");
    struct Row {
        std::string first, second;
        int status;
    };
    for (const Row& row :
         {Row{"tell-nobody-1", "tell-nobody-1", 0}, Row{"tell-nobody-2", "a typing error", 65}, Row{"given up\x03", "", 66}}) {
        OnTerminal person(desk.program, {"-f", desk.scratch.at("users"), "joe"});
        CHECK(person.shows("New password: "));
        person.type(row.first);
        if (!row.second.empty()) {
            CHECK(person.shows("Once more: "));
            person.type(row.second);
        }
        CHECK(person.end() == row.status);
        CHECK_MESSAGE(person.shown.find("nobody") == std::string::npos, person.shown);
        CHECK(person.shown.find("typing") == std::string::npos);
    }
    CHECK(must(secret::is_password(desk.user("joe").argon2id, "tell-nobody-1")));
}
