// An authority, a configuration that trusts it, and the turns of servers at 127.0.0.1 that smtp meets under TLS.
#pragma once
#include "tests/e2e/smtp_support.hh"
#include "tests/support/certificates.hh"
#include "tests/support/fake_smtp.hh"

#define NEEDS_TLS(house) \
    if (!(house).ready()) SKIP("smtp or smtp-tls is not built")

namespace greylag::test {

inline const std::string message = "From: a@b.c\nTo: d@e.f\nSubject: s\n\nhello\n", from = "s@me.example", to = "r@x.example";

inline const Turn hi = Turn::say("220 x ESMTP\r\n"), ehlo = Turn::on("EHLO ", "250-x\r\n250 STARTTLS\r\n"),
                  plain_ehlo = Turn::on("EHLO ", "250 x\r\n"), starttls = Turn::on("STARTTLS", "220 go\r\n"),
                  mail_ok = Turn::on("MAIL", "250 ok\r\n"), rcpt_ok = Turn::on("RCPT", "250 ok\r\n"),
                  data_ok = Turn::on("DATA", "354 go\r\n"), body_ok = Turn::body("250 2.0.0 kept\r\n"),
                  quit = Turn::on("QUIT", "221 bye\r\n").and_close();

struct House : Sender {
    Authority authority;
    std::string good = authority.issue({.common_name = "mx", .names = "IP:127.0.0.1"});

    explicit House(const std::string& more = "") {
        dir.write("ca/" + authority.hashed_name(), authority.pem());
        configure(more);
    }
    void configure(const std::string& more) const {
        dir.write("conf", "[paths]\nstate = " + dir.path() + "\n[tls]\nca_directory = " + dir.at("ca") + "\n" + more);
    }
    bool ready() const { return !smtp.empty() && !program_path("smtp-tls").empty(); }
    Sent send(std::vector<std::string> options, std::uint16_t port) const {
        options.insert(options.end(), {"-h", "me.example", at_port(port), from, to});
        return run(std::move(options), message);
    }
};

}  // namespace greylag::test
