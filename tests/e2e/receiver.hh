// One smtpd with a connection as its fd 0 and 1, a folder of its own, and what it logged.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/scratch.hh"
#include "tests/support/spawn.hh"

namespace greylag::test {

class Receiver {
public:
    Receiver() : smtpd(program_path("smtpd")) { scratch.make_directory("state"); }

    bool built() const { return !smtpd.empty(); }
    // The configuration: our domain is greylag.test, the log goes to a file; `more` are further sections.
    void configure(std::string_view mailer, std::string_view more = "") const {
        scratch.write("smtpd.conf", "[smtpd]\ndomain = greylag.test\nmailer = " + std::string(mailer) +
                                        "\n[paths]\nstate = " + scratch.at("state") + "\n[log]\nto = " + scratch.at("log") +
                                        "\n" + std::string(more) + "\n");
    }
    Session start(std::vector<std::string> arguments = {}, Wire wire = Wire::socketpair) const {
        Start how;
        how.program = smtpd;
        how.arguments = std::move(arguments);
        how.environment = {"GREYLAG_CONF=" + scratch.at("smtpd.conf"), "PATH=/usr/bin:/bin"};
        how.wire = wire;
        return must(Session::start(how));
    }
    // Greeted and known, then MAIL.
    static void begin(Session& s, std::string_view sender = "a@b.example") {
        expect(s.wire.reply(), "220 ");
        expect(s.wire.ask("EHLO client.home.arpa"), "250-");
        expect(s.wire.ask("MAIL FROM:<" + std::string(sender) + ">"), "250 2.1.0 ");
    }
    // DATA, the message, and the answer to its dot.
    static std::string send(Session& s, std::string_view message = "Subject: x\r\n\r\nbody\r\n") {
        const std::string go = s.wire.ask("DATA");
        if (!go.starts_with("354 ")) return go;
        must(s.wire.send(std::string(message) + ".\r\n"));
        return s.wire.reply();
    }
    std::string log() const { return scratch.read("log").value_or(""); }
    // The lines of the log whose word is this.
    std::vector<std::string> logged(std::string_view word) const {
        std::vector<std::string> lines;
        const std::string all = log();
        for (std::size_t at = 0; at < all.size();) {
            const std::size_t end = std::min(all.find('\n', at), all.size());
            const std::string line = all.substr(at, end - at);
            if (line.find("]: " + std::string(word) + " ") != std::string::npos) lines.push_back(line);
            at = end + 1;
        }
        return lines;
    }

    Scratch scratch;
    std::string smtpd;

private:
    static void expect(const std::string& reply, std::string_view beginning);
};

}  // namespace greylag::test
