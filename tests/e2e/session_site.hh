// The real smtpd with one user, joe of example.org, and a mailer that writes down; its connection is what the test wants.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_mailer.hh"
#include "tests/support/replies.hh"
#include "tests/support/spawn.hh"

namespace greylag::test {

class SessionSite {
public:
    explicit SessionSite(const std::string& config = {}, std::string_view orders = "exit 0")
        : program(program_path("smtpd")), mailer(scratch, orders, "libexec/send") {
        scratch.write("smtpd.conf", "[smtpd]\ndomain = example.org\n[paths]\nstate = " + scratch.at("state") + "\nmail = " +
                                        scratch.at("state") + "/mail/%d/%u/Maildir\nlibexec = " + scratch.at("libexec") +
                                        "\nlib = " + scratch.at("lib") + "\n[log]\nto = " + scratch.at("log") + "\n" + config);
        scratch.make_directory("state/spool");
        scratch.make_directory("state/mail/example.org/joe");
        scratch.make_directory("lib");
    }

    bool built() const { return !program.empty(); }
    std::vector<std::string> arguments() const { return {"-C", scratch.at("smtpd.conf")}; }
    static std::vector<std::string> environment() { return {"PATH=/usr/bin:/bin", "TZ=UTC"}; }

    Session connect(Wire wire = Wire::socketpair) const {
        Start how;
        how.program = program;
        how.arguments = arguments();
        how.environment = environment();
        how.wire = wire;
        return must(Session::start(how));
    }
    // On these descriptors of ours, -1 for /dev/null.
    sys::Child start_on(int in, int out) const {
        sys::Command command;
        command.path = program;
        command.arguments = arguments();
        command.environment = environment();
        command.in = in;
        command.out = out;
        return must(sys::Child::spawn(command));
    }

    std::string log() const { return scratch.read("log").value_or(""); }
    bool logged(std::string_view text) const {
        return eventually([&] { return log().find(text) != std::string::npos; });
    }

    Scratch scratch;
    std::string program;
    FakeMailer mailer;
};

// Where a transaction stands when its body may come.
inline const std::string up_to_data = "EHLO client.home.arpa\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<joe@example.org>\r\n";

}  // namespace greylag::test
