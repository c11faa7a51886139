// install.sh for one user, without root, into a folder of the test's own: the first whitelist, and whose it is from then on.
#include <sys/stat.h>
#include <unistd.h>

#include "sys/child.hh"
#include "tests/support/must.hh"
#include "tests/support/namespace.hh"
#include "tests/support/scratch.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Home {
    Scratch scratch;
    std::string whitelist = "home/local/var/lib/greylag/grey/whitelist";

    Home() {
        scratch.make_directory("home");
        // What is installed is what was built already; and no test installs a package.
        for (const char* name : {"make", "gmake"}) scratch.write(std::string("bin/") + name, "#!/bin/sh\nexit 0\n", 0755);
        for (const char* name : {"apt-get", "sudo"}) scratch.write(std::string("bin/") + name, "#!/bin/sh\nexit 1\n", 0755);
    }
    sys::Said run(std::vector<std::string> words) const {
        sys::Command command;
        words.insert(words.begin(), {"./install.sh", "--prefix", scratch.at("home/local"), "--yes"});
        // Root would install for everybody: it is nobody in there, and what it owns is nobody's.
        if (::geteuid() == 0) words.insert(words.begin(), {"-U", "--map-user=65534", "--map-group=65534", "sh"});
        command.path = ::geteuid() == 0 ? find_program("unshare") : "/bin/sh";
        command.arguments = std::move(words);
        command.environment = {"PATH=" + scratch.at("bin") + ":/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + scratch.at("home"),
                               "TMPDIR=" + scratch.path()};
        return must(sys::run(command, soon(), 1 << 16, 1 << 16));
    }
    unsigned mode(const std::string& name) const {
        struct stat status {};
        return ::stat(scratch.at(name).c_str(), &status) == 0 ? status.st_mode & 07777u : 0;
    }
};

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("install: the first whitelist is the shipped one; what is there is never touched again") {
    for (const char* name : {"smtpd", "smtpd-tls", "send", "greyctl"})
        if (!read_whole("build/bin/" + std::string(name))) SKIP("build/bin is not complete");
    if (::geteuid() == 0) {
        if (find_program("unshare").empty()) SKIP("unshare is not installed");
        if (const auto why = namespace_forbidden(); !why.empty()) SKIP(why);
    }
    const Home home;
    const std::string seed = read_whole("grey/whitelist.seed").value_or("");
    const auto dry = home.run({"--dry-run"});
    CHECK_MESSAGE(dry.ending.ok(), dry.err);
    CHECK(home.scratch.list("home").empty());

    const auto first = home.run({});
    CHECK_MESSAGE(first.ending.ok(), first.err);
    CHECK(has(first.out, "new:       " + home.scratch.at(home.whitelist)));
    CHECK(home.scratch.read(home.whitelist) == seed);
    CHECK(home.mode(home.whitelist) == 0600);
    CHECK(home.mode("home/local/var/lib/greylag/grey") == 0700);

    const std::string edited = seed + "192.0.2.7 # ours\n";
    for (const std::string& text : {edited, std::string()}) {
        home.scratch.write(home.whitelist, text);
        const auto again = home.run({});
        CHECK(again.ending.ok());
        CHECK(!has(again.out, "new: "));
        CHECK(home.scratch.read(home.whitelist) == text);
    }
    home.scratch.write(home.whitelist, edited);
    CHECK(home.run({"--uninstall"}).ending.ok());
    CHECK(home.scratch.read(home.whitelist) == edited);
    CHECK(!home.scratch.exists("home/local/sbin/smtpd"));

    ::unlink(home.scratch.at(home.whitelist).c_str());
    CHECK(home.run({}).ending.ok());
    CHECK(home.scratch.read(home.whitelist) == seed);
}
