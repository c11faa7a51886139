// The samples of conf/ that other programs read, read by those programs.
#include "tests/e2e/site.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

sys::Said run(const std::string& program, std::vector<std::string> arguments, std::vector<std::string> environment) {
    sys::Command command;
    command.path = program;
    command.arguments = std::move(arguments);
    command.environment = std::move(environment);
    return must(sys::run(command, soon(), 1 << 16, 1 << 16));
}

// The units in a folder of their own, with this build's program and a user this machine has.
void write_units(const Site& site) {
    site.scratch.write("smtpd.socket", shipped("smtpd.socket"));
    std::string service = replaced(shipped("smtpd@.service"), "/usr/local/sbin/smtpd", site.smtpd);
    service = replaced(service, "User=greylag", "User=daemon");
    service = replaced(service, "Group=greylag", "Group=daemon");
    site.scratch.write("smtpd@.service", service);
    std::string expire = replaced(shipped("greylag-expire.service"), "/usr/local/sbin/greyctl", program_path("greyctl"));
    expire = replaced(expire, "User=greylag", "User=daemon");
    expire = replaced(expire, "Group=greylag", "Group=daemon");
    site.scratch.write("greylag-expire.service", expire);
    site.scratch.write("greylag-expire.timer", shipped("greylag-expire.timer"));
}

}  // namespace

TEST_CASE("units: systemd-analyze verify has nothing to say") {
    const std::string analyze = find_program("systemd-analyze");
    if (analyze.empty()) SKIP("systemd-analyze is not installed");
    Site site;
    if (!site.built()) SKIP("smtpd or send is not built");
    write_units(site);
    const auto said = run(analyze,
                          {"verify", "--man=no", site.scratch.at("smtpd.socket"), site.scratch.at("smtpd@.service"),
                           site.scratch.at("greylag-expire.service"), site.scratch.at("greylag-expire.timer")},
                          site.environment());
    CHECK(said.ending.ok());
    CHECK(said.out + said.err == "");

    // The check can fail.
    site.scratch.write("smtpd.socket", replaced(shipped("smtpd.socket"), "Accept=yes", "Accept=perhaps"));
    const auto wrong = run(analyze, {"verify", "--man=no", site.scratch.at("smtpd.socket")}, site.environment());
    CHECK(wrong.out + wrong.err != "");
}

TEST_CASE("units: what an accept burst and stderr would break is set") {
    CHECK(line_of(shipped("smtpd.socket"), "TriggerLimitIntervalSec") == "TriggerLimitIntervalSec=0");
    CHECK(line_of(shipped("smtpd@.service"), "StandardError") == "StandardError=journal");
    CHECK(line_of(shipped("smtpd@.service"), "NoNewPrivileges") == "NoNewPrivileges=yes");
}

TEST_CASE("fail2ban: the filter finds the address in our log, and nobody else's") {
    const std::string regex = find_program("fail2ban-regex");
    if (regex.empty()) SKIP("fail2ban-regex is not installed");
    Site site;
    // The filter includes the distribution's common.conf, which it looks for beside itself.
    const std::string common = "/etc/fail2ban/filter.d/common.conf";
    const auto text = read_whole(common);
    if (!text) SKIP(common + " is not there");
    site.scratch.write("filter/common.conf", *text);
    site.scratch.write("filter/greylag.conf", shipped("fail2ban-filter.conf"));
    const std::string stamp = "Nov 22 02:00:00 mx smtpd[17]: ";
    site.scratch.write("log", stamp + "auth-failed id=A1 ip=192.0.2.1 mechanism=PLAIN user=\"joe\"\n" + stamp +
                                  "drop id=A2 ip=2001:db8::7 reason=errors commands=21\n" + stamp +
                                  "connect id=A3 ip=192.0.2.3\n" + stamp +
                                  "reject id=A4 ip=192.0.2.4 code=550 about=\"drop ip=192.0.2.9 \"\n" + stamp +
                                  "disconnect id=A5 ip=192.0.2.5 reason=quit\n");
    const auto said =
        run(regex, {"--print-all-matched", site.scratch.at("log"), site.scratch.at("filter/greylag.conf")}, site.environment());
    INFO(said.out);
    INFO(said.err);
    CHECK(said.out.find("Lines: 5 lines, 0 ignored, 2 matched, 3 missed") != std::string::npos);
}
