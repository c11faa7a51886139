// Waiting clients are few, also where nobody counts them: each smtpd is started by somebody else, with one connection.
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>

#include "tests/e2e/site.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Tarpit {
    Site site;

    explicit Tarpit(unsigned sessions) {
        site.scratch.write("smtpd.conf",
                           *site.scratch.read("smtpd.conf") +
                               "[smtpd]\ntarpit = on\nlong_delay = 4m\nlong_nets = 198.51.100.0/24\n[limits]\nsessions = " +
                               std::to_string(sessions) + "\n");
        site.scratch.write("net/remote", "198.51.100.7!2525\n");
        site.scratch.write("net/local", "192.0.2.25!25\n");
    }
    Session call() const {
        Start how;
        how.program = site.smtpd;
        how.arguments = {"-n", site.scratch.at("net")};
        how.environment = site.environment();
        return must(Session::start(how));
    }
    std::vector<Session> call(unsigned count) const {
        std::vector<Session> all;
        while (all.size() < count) all.push_back(call());
        return all;
    }
    bool is_held(unsigned place) const {
        const std::string file = site.scratch.at("state/tarpit." + std::to_string(place));
        const sys::Fd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
        return fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0;
    }
    std::string log() const { return site.scratch.read("log").value_or(""); }
};

bool is_greeted(const Session& session) {
    return must(const_cast<Session&>(session).wire.wait_readable(sys::Deadline::in(base::Millis(0))));
}

std::size_t greeted(const std::vector<Session>& all) {
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is_greeted));
}

}  // namespace

#define TARPIT(name, sessions)   \
    const Tarpit name{sessions}; \
    if (!name.site.built()) SKIP("smtpd or send is not built")

TEST_CASE("tarpit: of twelve processes two wait, a quarter of the sessions; the others greet at once") {
    TARPIT(t, 8);
    auto all = t.call(12);
    CHECK(eventually([&] { return greeted(all) == 10; }));
    CHECK(t.is_held(0));
    CHECK(t.is_held(1));
    CHECK(greeted(all) == 10);
    for (auto& session : all)
        if (is_greeted(session)) CHECK(session.wire.reply().starts_with("220 "));

    // Who gives up makes room; who was greeted holds no place.
    std::erase_if(all, [&](Session& session) {
        const std::string said = session.wire.ask("NOOP");
        return said.starts_with("554 5.5.0");
    });
    CHECK(all.size() == 10);
    CHECK(eventually([&] { return !t.is_held(0) && !t.is_held(1); }));
    const auto more = t.call(3);
    CHECK(eventually([&] { return greeted(more) == 1 && t.is_held(0) && t.is_held(1); }));
    CHECK(t.log().find("reason=tarpit") == std::string::npos);
}

TEST_CASE("tarpit: a place is given up when the wait is over, not when the session is") {
    TARPIT(t, 4);
    t.site.scratch.write("smtpd.conf", replaced(*t.site.scratch.read("smtpd.conf"), "long_delay = 4m", "long_delay = 300ms"));
    auto first = t.call();
    CHECK(first.wire.reply().starts_with("220 "));
    CHECK(!t.is_held(0));
    CHECK(first.wire.ask("NOOP").starts_with("250 "));
    CHECK(t.site.scratch.exists("state/tarpit.0"));
}

TEST_CASE("tarpit: without places, or without a state to have them in, everybody is greeted at once") {
    SUBCASE("three sessions have no quarter") {
        TARPIT(t, 3);
        auto session = t.call();
        CHECK(session.wire.reply().starts_with("220 "));
        CHECK(!t.site.scratch.exists("state/tarpit.0"));
    }
    SUBCASE("the place is no file") {
        TARPIT(t, 4);
        t.site.scratch.make_directory("state/tarpit.0");
        auto session = t.call();
        CHECK(session.wire.reply().starts_with("220 "));
        CHECK(t.log().find("reason=tarpit said=\"" + t.site.scratch.at("state/tarpit.0") +
                           ": Is a directory; greeted at once\"") != std::string::npos);
    }
}
