// A mail server on the real port 25 of a network of the test's own, which clients call from many addresses.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.hh"
#include "sys/clock.hh"
#include "tests/e2e/site.hh"
#include "tests/support/namespace.hh"
#include "tests/support/spawn.hh"

#define IN_NET(...)                                                                                          \
    if (program_path("smtpd").empty() || program_path("send").empty()) SKIP("smtpd and send are not built"); \
    if (const std::string why = ::greylag::test::namespace_forbidden(); !why.empty()) SKIP(why);             \
    CHECK(::greylag::test::in_namespace(::greylag::test::net_network(), __VA_ARGS__, sys::Deadline::in(base::Seconds(60))) == "")

namespace greylag::test {

constexpr std::int64_t minute = 60, hour = 3600;

// Only 198.51.100.10 is an interface's; all others are nobody's and everybody's: smtp does not take them for its own host's.
inline Network net_network() {
    return {{"198.51.100.10"}, {"192.0.2.0/24", "203.0.0.0/16", "9.9.9.0/24", "2001:db8::/32"}, "198.51.100.10"};
}

// What was wrong: doctest's asserts do not reach from a namespace to the test.
class Wrong {
public:
    void is(std::string_view what, const std::string& got, std::string_view expected) {
        if (got != expected) text_ += std::string(what) + ": " + got + ", not " + std::string(expected) + "\n";
    }
    void has(std::string_view what, const std::string& got, std::string_view part) {
        if (got.find(part) == std::string::npos) text_ += std::string(what) + ": no " + std::string(part) + " in " + got + "\n";
    }
    void holds(std::string_view what, bool yes) {
        if (!yes) text_ += std::string(what) + "\n";
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

struct NetHouse {
    static constexpr const char* v4 = "192.0.2.25";
    static constexpr const char* v6 = "2001:db8::25";

    Site site;
    std::string greyctl = program_path("greyctl");
    Listener smtpd;

    explicit NetHouse(std::string_view configuration = "", std::vector<std::string> options = {"-g"}) {
        site.scratch.write("smtpd.conf", *site.scratch.read("smtpd.conf") + std::string(configuration));
        site.scratch.make_directory("state/mail/greylag.test/me");
        for (const char* word : {"-l", "192.0.2.25:25", "-l", "[2001:db8::25]:25"}) options.emplace_back(word);
        smtpd = started(site, site.smtpd, std::move(options), 25, v4);
        if (!eventually([&] { return log().find("[2001:db8::25]:25") != std::string::npos; }))
            throw std::runtime_error("smtpd does not listen: " + log());
    }

    // Connected from `source`; not yet greeted.
    static Stream dial(const std::string& source) {
        return must(connect_to(source.find(':') == std::string::npos ? v4 : v6, 25, soon(), source));
    }
    static Stream call(const std::string& source, std::string_view mail = "MAIL FROM:<a@b.example>") {
        Stream wire = dial(source);
        wire.reply();
        wire.ask("EHLO client.home.arpa");
        wire.ask(mail);
        return wire;
    }
    // The answer to a recipient in a session of its own.
    static std::string answer(const std::string& source, const std::string& recipient = "you@greylag.test",
                              std::string_view mail = "MAIL FROM:<a@b.example>") {
        Stream wire = call(source, mail);
        std::string said = wire.ask("RCPT TO:<" + recipient + ">");
        wire.ask("QUIT");
        return said;
    }
    static std::string code(const std::string& source, const std::string& recipient = "you@greylag.test") {
        return answer(source, recipient).substr(0, 3);
    }

    std::string record(const std::string& remote, const std::string& recipient = "you@greylag.test") const {
        const bool six = remote.find(':') != std::string::npos;
        return site.scratch.at("state/grey/tmp/" + std::string(six ? v6 : v4) + "/" + remote + "/" + recipient);
    }
    static void age(const std::string& path, std::int64_t seconds) {
        const timespec then{sys::wall_millis() / 1000 - seconds, 0};
        const timespec both[] = {then, then};
        if (::utimensat(AT_FDCWD, path.c_str(), both, AT_SYMLINK_NOFOLLOW) != 0) throw std::runtime_error("no record " + path);
    }
    // In seconds since 1970; 0: there is none.
    static std::int64_t first_call(const std::string& path) {
        struct stat status {};
        return ::stat(path.c_str(), &status) == 0 ? status.st_mtime : 0;
    }
    std::string whitelist() const { return site.scratch.read("state/grey/whitelist").value_or("<none>"); }
    std::string log() const { return site.scratch.read("log").value_or(""); }
    unsigned logged(std::string_view word) const {
        unsigned count = 0;
        const std::string all = log();
        for (const auto line : base::split(all, '\n')) count += line.find(word) != std::string_view::npos ? 1u : 0u;
        return count;
    }
    sys::Said ctl(std::vector<std::string> arguments) const {
        sys::Command command;
        command.path = greyctl;
        command.arguments = std::move(arguments);
        command.environment = site.environment();
        return must(sys::run(command, soon(), 1 << 20, 1 << 16));
    }
};

}  // namespace greylag::test
