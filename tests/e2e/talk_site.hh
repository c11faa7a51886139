// A listening smtpd with a certificate and one who may log in, and a program run against a server with something on its input.
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "sys/file.hh"
#include "tests/e2e/site.hh"
#include "tests/support/sasl.hh"
#include "tests/support/spawn.hh"

namespace greylag::test {

struct Said {
    int status = 0;  // or minus the signal
    std::string out, err;
    bool says(std::string_view text) const { return out.find(text) != std::string::npos; }
    std::string all() const { return out + err + "status " + std::to_string(status); }
};

inline Said run_tool(const std::string& program, std::vector<std::string> arguments, std::string_view input,
                     const Scratch& scratch) {
    scratch.write("input", input);
    const sys::Fd in = must(sys::open_read(scratch.at("input")));
    sys::Command command;
    command.path = program;
    command.arguments = std::move(arguments);
    command.environment = {"PATH=/usr/bin:/bin", "TZ=UTC", "HOME=" + scratch.path(), "LC_ALL=C"};
    command.in = in.get();
    const auto said = must(sys::run(command, soon(), 1 << 20, 1 << 16));
    const bool exited = said.ending.how == sys::Ending::How::exited;
    return {exited ? said.ending.status : -said.ending.status, said.out, said.err};
}

struct TalkSite {
    Site site;
    std::uint16_t port = 0;
    std::optional<Listener> loop;

    explicit TalkSite(std::vector<std::string> options = {}, bool with_tls = true) {
        site.scratch.write("mx.pem", make_identity(KeyKind::p256, "localhost"));
        site.scratch.write("users", sasl::show_user(user_with("you", "secret")) + "\n");
        std::string more = "[auth]\nusers = " + site.scratch.at("users") +
                           "\nmechanisms = CRAM-MD5 PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\n";
        site.scratch.write("tickets", std::string(80, 'k'));
        if (with_tls)
            more += "[tls]\ncertificate = " + site.scratch.at("mx.pem") + "\nticket_key = " + site.scratch.at("tickets") + "\n";
        site.scratch.make_directory("state/mail/example.org/joe");
        site.scratch.write("smtpd.conf", *site.scratch.read("smtpd.conf") + more);
        if (!ready()) return;
        port = site.free_port();
        options.insert(options.begin(), {"-C", site.configuration});
        options.insert(options.end(), {"-l", "127.0.0.1:" + std::to_string(port)});
        loop = started(site, site.smtpd, options, port);
        // The first client waits for nothing that starts.
        if (std::find(options.begin(), options.end(), "-t") == options.end()) (void)loop->connect().ask("QUIT");
    }
    bool ready() const { return site.built() && !program_path("smtpd-tls").empty(); }
    std::string pem() const { return site.scratch.at("mx.pem"); }
};

}  // namespace greylag::test
