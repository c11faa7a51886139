// The real smtp under TLS: whom it believes, what it does where TLS is refused, broken or lied about. Never on in clear text.
#include "tests/e2e/smtp_house.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

Script whole(const std::string& identity) {
    return {hi, ehlo, starttls, Turn::tls(identity), plain_ehlo, mail_ok, rcpt_ok, data_ok, body_ok, quit};
}
Script whole_first(const std::string& identity) {
    return {Turn::tls(identity), hi, plain_ehlo, mail_ok, rcpt_ok, data_ok, body_ok, quit};
}
const Script in_clear{hi, plain_ehlo, mail_ok, rcpt_ok, data_ok, body_ok, quit};

bool spoke_in_clear(const Heard& heard) {
    const std::string before = heard.bytes.substr(0, heard.bytes.find("[TLS]"));
    return before.find("MAIL") != std::string::npos || before.find("AUTH") != std::string::npos;
}

}  // namespace

TEST_CASE("smtp -s: STARTTLS where it is offered, in clear where it is not") {
    const House house;
    NEEDS_TLS(house);
    {
        const FakeSmtp server({whole(house.good)});
        const Sent sent = house.send({"-s"}, server.port());
        CHECK(sent.err == "");
        CHECK(sent.status == 0);
        CHECK(sent.report == "d r@x.example 250 2.0.0 kept\n");
        const Heard heard = server.wait_for(0);
        CHECK(heard.fault == "");
        CHECK(heard.bytes.starts_with("EHLO me.example\r\nSTARTTLS\r\n[TLS]EHLO me.example\r\nMAIL FROM:<s@me.example>"));
    }
    {
        const FakeSmtp server({in_clear});
        CHECK(house.send({"-s"}, server.port()).status == 0);
        CHECK(server.wait_for(0).fault == "");
    }
    // Not asked for: not used.
    const FakeSmtp server({{hi, ehlo, mail_ok, rcpt_ok, data_ok, body_ok, quit}});
    CHECK(house.send({}, server.port()).status == 0);
    CHECK(server.wait_for(0).fault == "");
}

TEST_CASE("smtp -s, -o and known: certificates") {
    const House house;
    NEEDS_TLS(house);
    const Authority stranger("Another Root");
    const struct {
        std::string label, pem, why;
    } cases[] = {
        {"its address", house.good, ""},
        {"another name", house.authority.issue({.names = "DNS:mx.example"}), "it is for mx.example, not 127.0.0.1"},
        {"over", house.authority.issue({.names = "IP:127.0.0.1", .from_days = -9, .to_days = -1}), "certificate has expired"},
        {"its own word", self_signed({.names = "IP:127.0.0.1"}), "self-signed certificate"},
        {"a stranger's word", stranger.issue({.names = "IP:127.0.0.1"}), "unable to get local issuer certificate"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.label);
        for (const bool first : {false, true}) {
            CAPTURE(first);
            const FakeSmtp server({first ? whole_first(c.pem) : whole(c.pem)});
            const std::vector<std::string> option{first ? "-t" : "-s"}, any{first ? "-to" : "-so"};
            house.configure("");
            const Sent strict = house.send(option, server.port());
            CHECK(strict.status == (c.why.empty() ? 0 : 75));
            if (!c.why.empty())
                CHECK(strict.report ==
                      "l r@x.example 4.7.5 TLS: the certificate of 127.0.0.1 is not to be believed: " + c.why + "\n");
            CHECK_FALSE(spoke_in_clear(server.wait_for(0)));
            CHECK(house.send(any, server.port()).status == 0);
            house.configure("known = sha256:" + std::string(64, '0') + " spki-sha256:" + sha256_of_key(c.pem) + "\n");
            CHECK(house.send(option, server.port()).status == 0);
        }
    }
}

TEST_CASE("smtp: STARTTLS refused, broken, injected into: the message does not go, and never in clear") {
    const House house;
    NEEDS_TLS(house);
    const Turn ehlo_again = Turn::on("EHLO ", "250-x\r\n250-STARTTLS\r\n250 X\r\n");
    const struct {
        std::string label;
        Script script;
        int status;
        const char* report;
    } cases[] = {
        {"not now", {hi, ehlo, Turn::on("STARTTLS", "454 4.7.0 busy\r\n"), quit}, 75, "l r@x.example 454 4.7.0 busy"},
        {"not known after all", {hi, ehlo, Turn::on("STARTTLS", "502 5.5.1 what\r\n"), quit}, 69, "n r@x.example 502 5.5.1 what"},
        {"a wrong code", {hi, ehlo, Turn::on("STARTTLS", "250 ok\r\n"), quit}, 75, "l r@x.example "},
        {"words behind 220", {hi, ehlo, Turn::on("STARTTLS", "220 go\r\n250 injected\r\n")}, 75, "l r@x.example 451 4.5.0"},
        {"half a word behind 220",
         {hi, ehlo, Turn::on("STARTTLS", "220 go\r\n250-AUTH").and_stall()},
         75,
         "l r@x.example 451 4.5.0"},
        {"words for a handshake",
         {hi, ehlo, starttls, Turn::take(5, "250 go on in clear\r\n").and_stall()},
         75,
         "l r@x.example 4.7.5 TLS: "},
        {"the end for a handshake", {hi, ehlo, starttls, Turn::take(5, "").and_close()}, 75, "l r@x.example 4.7.5 "},
        {"a reset for a handshake", {hi, ehlo, starttls, Turn::take(5, "").and_reset()}, 75, "l r@x.example 4.7.5 "},
        {"no EHLO under TLS",
         {hi, ehlo, starttls, Turn::tls(house.good), Turn::on("EHLO ", "500 what\r\n"), quit},
         69,
         "n r@x.example 500 what"},
        {"a greeting under TLS", {hi, ehlo, starttls, Turn::tls(house.good), Turn::say("220 again\r\n")}, 75, "l r@x.example "},
    };
    for (const auto& c : cases) {
        CAPTURE(c.label);
        const FakeSmtp server({c.script});
        const Sent sent = house.send({"-s"}, server.port());
        CHECK(sent.status == c.status);
        CHECK(sent.report.starts_with(c.report));
        const Heard heard = server.wait_for(0);
        CHECK_FALSE(spoke_in_clear(heard));
        CHECK(heard.bytes.find("MAIL") == std::string::npos);
        CHECK(server.heard().size() == 1);
    }
    // Offered again under TLS it is not taken again.
    const FakeSmtp server({{hi, ehlo, starttls, Turn::tls(house.good), ehlo_again, mail_ok, rcpt_ok, data_ok, body_ok, quit}});
    CHECK(house.send({"-s"}, server.port()).status == 0);
    CHECK(server.wait_for(0).fault == "");
}

TEST_CASE("smtp: under [tls] require nothing goes without TLS, options or not") {
    const House house("require = on\n");
    NEEDS_TLS(house);
    {
        const FakeSmtp stripped({{hi, plain_ehlo, quit}});
        const Sent sent = house.send({}, stripped.port());
        CHECK(sent.status == 69);
        CHECK(sent.report == "n r@x.example 5.7.4 the server offers no TLS, and TLS is required\n");
        CHECK_FALSE(spoke_in_clear(stripped.wait_for(0)));
    }
    {
        // A server so old that it knows no EHLO has no TLS, either.
        const FakeSmtp old({{hi, Turn::on("EHLO ", "500 what\r\n"), Turn::on("HELO ", "250 x\r\n"), quit}});
        CHECK(house.send({}, old.port()).status == 69);
        CHECK_FALSE(spoke_in_clear(old.wait_for(0)));
    }
    {
        const FakeSmtp busy({{hi, ehlo, Turn::on("STARTTLS", "454 4.7.0 busy\r\n"), quit}});
        CHECK(house.send({}, busy.port()).status == 75);
    }
    const FakeSmtp server({whole(house.good), whole_first(house.good)});
    CHECK(house.send({}, server.port()).status == 0);
    CHECK(house.send({"-t"}, server.port()).status == 0);
}

TEST_CASE("smtp -t: TLS from the first octet, or nothing") {
    const House house;
    NEEDS_TLS(house);
    {
        const FakeSmtp server({whole_first(house.good)});
        const Sent sent = house.send({"-t"}, server.port());
        CHECK(sent.status == 0);
        CHECK(server.wait_for(0).bytes.starts_with("[TLS]EHLO me.example\r\nMAIL "));
    }
    const FakeSmtp clear({{hi, Turn::take(5, "500 what\r\n").and_stall()}});
    const Sent sent = house.send({"-t"}, clear.port());
    CHECK(sent.status == 75);
    CHECK(sent.report.starts_with("l r@x.example 4.7.5 TLS: "));
}

TEST_CASE("smtp: a minimum of TLS 1.3, and authorities that are not there") {
    const House house;
    NEEDS_TLS(house);
    house.configure("minimum = 1.3\n");
    const FakeSmtp server({whole(house.good)});
    CHECK(house.send({"-s"}, server.port()).status == 0);
    house.dir.write("conf", "[tls]\nca_directory = " + house.dir.at("absent") + "\n");
    const Sent sent = house.send({"-s"}, server.port());
    CHECK(sent.status == 75);
    CHECK(sent.report.find(house.dir.at("absent")) != std::string::npos);
}

TEST_CASE("smtp: where smtp-tls is missing it is said, and TLS that must be ends it") {
    const House house;
    NEEDS_TLS(house);
    const std::string alone = house.dir.at("alone/smtp");
    house.dir.write("alone/smtp", *read_whole(house.smtp), 0700);
    House lonely("[paths]\nlibexec = " + house.dir.at("alone") + "\n");
    lonely.smtp = alone;
    const std::string why =
        "smtp: without " + house.dir.at("alone/smtp-tls") + ": No such file or directory: there is no TLS here\n";
    const FakeSmtp server({in_clear});
    const Sent offered = lonely.send({"-s"}, server.port());
    CHECK(offered.status == 0);
    CHECK(offered.err == why);
    const Sent first = lonely.send({"-t"}, server.port());
    CHECK(first.status == 75);
    CHECK(first.err == why + "Retry, Temporary Failure\n");
    lonely.configure("require = on\n[paths]\nlibexec = " + house.dir.at("alone") + "\n");
    CHECK(lonely.send({}, server.port()).status == 75);
    CHECK(lonely.send({"-s"}, server.port()).status == 75);
    CHECK(server.heard().size() == 1);
}
