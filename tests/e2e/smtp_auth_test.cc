// The real smtp -a: passwords from a file to servers with scripts, and to the real smtpd.
#include <sys/stat.h>

#include "base/base64.hh"
#include "tests/e2e/site.hh"
#include "tests/e2e/smtp_house.hh"
#include "tests/support/sasl.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

const std::string plain = "AUTH PLAIN " + base::base64_encode(std::string("\0joe\0open sesame", 16));
const std::string password = "open sesame";

struct Keys : House {
    Keys() {
        secrets(
            "key proto=pass service=smtp server=127.0.0.1 user=joe !password='open sesame'\n"
            "key proto=pass service=smtp server=elsewhere.example user=ann !password=x\n"
            "key proto=pass service=smtp server=127.0.0.1 user=tim !password=tanstaaftanstaaf\n");
        configure_with_keys();
    }
    void secrets(const std::string& text, unsigned mode = 0600) const {
        dir.write("secrets", text, mode);
        ::chmod(dir.at("secrets").c_str(), mode);
    }
    void configure_with_keys(const std::string& more = "") const {
        configure(more + "[auth]\nsecrets = " + dir.at("secrets") + "\n");
    }
};

Turn offer(const std::string& mechanisms) { return Turn::on("EHLO ", "250-x\r\n250 AUTH " + mechanisms + "\r\n"); }
const Turn ok = Turn::on("", "235 2.7.0 welcome\r\n");

// Under TLS: EHLO's answer, the turns of AUTH, and a message.
Script under_tls(const std::string& identity, const std::string& mechanisms, std::vector<Turn> turns, bool message_follows) {
    Script script{hi, ehlo, starttls, Turn::tls(identity), offer(mechanisms)};
    script.insert(script.end(), turns.begin(), turns.end());
    if (message_follows) script.insert(script.end(), {mail_ok, rcpt_ok, data_ok, body_ok});
    script.push_back(quit);
    return script;
}

}  // namespace

TEST_CASE("smtp -a: each mechanism, under TLS") {
    const Keys keys;
    NEEDS_TLS(keys);
    const std::string joe = base::base64_encode("joe"), secret = base::base64_encode(password);
    const struct {
        std::string user, offered;
        std::vector<Turn> turns;
    } cases[] = {
        {"joe", "PLAIN", {Turn::on(plain, "235 ok\r\n")}},
        {"joe", "LOGIN PLAIN", {Turn::on(plain, "235 ok\r\n")}},
        {"joe",
         "LOGIN",
         {Turn::on("AUTH LOGIN", "334 VXNlcm5hbWU6\r\n"), Turn::on(joe, "334 UGFzc3dvcmQ6\r\n"), Turn::on(secret, "235 ok\r\n")}},
        {"tim",
         "PLAIN LOGIN CRAM-MD5",
         {Turn::on("AUTH CRAM-MD5", "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n"),
          Turn::on("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw", "235 ok\r\n")}},
        {"joe", "SCRAM-SHA-256 PLAIN", {Turn::on("AUTH SCRAM-SHA-256 eSws", "504 not today\r\n"), Turn::on(plain, "235 ok\r\n")}},
        {"joe",
         "SCRAM-SHA-256-PLUS PLAIN",
         {Turn::on("AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIs", "504 no\r\n"), Turn::on(plain, "235 ok\r\n")}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.offered);
        const FakeSmtp server({under_tls(keys.good, c.offered, c.turns, true)});
        const Sent sent = keys.send({"-a", "-u", c.user}, server.port());
        CHECK(sent.err == "");
        CHECK(sent.status == 0);
        const Heard heard = server.wait_for(0);
        CHECK(heard.fault == "");
        CHECK(heard.bytes.find("AUTH") > heard.bytes.find("[TLS]"));
    }
}

TEST_CASE("smtp -a: refused, and what the reply means") {
    const Keys keys;
    NEEDS_TLS(keys);
    const struct {
        std::string reply;
        int status;
        std::string report;
    } cases[] = {{"535 5.7.8 wrong", 77, "n r@x.example 535 5.7.8 wrong\n"},
                 {"454 4.7.0 later", 75, "l r@x.example 454 4.7.0 later\n"},
                 {"530 5.7.0 what", 77, "n r@x.example 530 5.7.0 what\n"},
                 {"421 4.3.2 down", 75, "l r@x.example 421 4.3.2 down\n"}};
    for (const auto& c : cases) {
        CAPTURE(c.reply);
        const FakeSmtp server({under_tls(keys.good, "PLAIN LOGIN", {Turn::on(plain, c.reply + "\r\n")}, false)});
        const Sent sent = keys.send({"-a", "-u", "joe"}, server.port());
        CHECK(sent.status == c.status);
        CHECK(sent.report == c.report);
        CHECK(server.wait_for(0).bytes.find("MAIL") == std::string::npos);
    }
    // A server that says yes without having proven anything.
    const FakeSmtp liar(
        {under_tls(keys.good, "SCRAM-SHA-256 PLAIN", {Turn::on("AUTH SCRAM-SHA-256 ", "235 welcome\r\n")}, false)});
    CHECK(keys.send({"-a", "-u", "joe"}, liar.port()).status == 75);
    CHECK(liar.wait_for(0).bytes.find("MAIL") == std::string::npos);
}

TEST_CASE("smtp -a: no TLS, no password, unless -i; the message goes on and standard error says so") {
    const Keys keys;
    NEEDS_TLS(keys);
    const std::string note = "smtp: not authenticated: ";
    {
        const FakeSmtp server({{hi, offer("PLAIN SCRAM-SHA-256"), mail_ok, rcpt_ok, data_ok, body_ok, quit}});
        const Sent sent = keys.send({"-a", "-u", "joe"}, server.port());
        CHECK(sent.status == 0);
        CHECK(sent.err == note + "there is no TLS: no password is sent\n");
        CHECK(server.wait_for(0).bytes.find("AUTH") == std::string::npos);
    }
    {
        const FakeSmtp server({{hi, offer("PLAIN"), Turn::on(plain, "235 ok\r\n"), mail_ok, rcpt_ok, data_ok, body_ok, quit}});
        const Sent sent = keys.send({"-ai", "-u", "joe"}, server.port());
        CHECK(sent.err == "");
        CHECK(sent.status == 0);
    }
    for (const char* offered : {"", "GSSAPI"}) {
        const FakeSmtp server({under_tls(keys.good, offered, {}, true)});
        const Sent sent = keys.send({"-a", "-u", "joe"}, server.port());
        CHECK(sent.status == 0);
        CHECK(sent.err.starts_with(note));
    }
    // -t is TLS, too.
    const FakeSmtp first(
        {{Turn::tls(keys.good), hi, offer("PLAIN"), Turn::on(plain, "235 ok\r\n"), mail_ok, rcpt_ok, data_ok, body_ok, quit}});
    const Sent sent = keys.send({"-at", "-u", "joe"}, first.port());
    CHECK(sent.err == "");
    CHECK(sent.status == 0);
}

TEST_CASE("smtp -a: without credentials it is 78, before anything is dialled where that can be known") {
    const Keys keys;
    NEEDS_TLS(keys);
    const FakeSmtp server({under_tls(keys.good, "PLAIN", {}, false)});
    const auto fault = [&](const std::string& user) {
        const Sent sent = keys.send({"-a", "-u", user}, server.port());
        CHECK(sent.status == 78);
        return sent.err.substr(0, sent.err.find('\n'));
    };
    const std::string file = keys.dir.at("secrets");
    CHECK(fault("nobody") == "smtp: " + file + ": no key for SMTP and the user \"nobody\"");
    keys.secrets("key proto=pass service=smtp server=127.0.0.1 user=joe !password='open sesame\n");
    CHECK(fault("joe") == "smtp: " + file + ":1: a quote is not closed");
    keys.secrets("key proto=pass service=smtp server=127.0.0.1 user=joe !password='open sesame'\n", 0644);
    CHECK(fault("joe").find(file) != std::string::npos);
    keys.secrets("", 0600);
    CHECK(fault("joe") == "smtp: " + file + ": no key for SMTP and the user \"joe\"");
    keys.configure("[auth]\nsecrets = " + keys.dir.at("absent") + "\n");
    CHECK(fault("joe").find(keys.dir.at("absent")) != std::string::npos);
    keys.configure("");
    CHECK(fault("joe") == "smtp: -a: no file of passwords is set (secrets in [auth])");
    CHECK(server.heard().empty());

    // One for another server alone: known when this one is asked.
    keys.configure_with_keys();
    keys.secrets("key proto=pass service=smtp server=elsewhere.example user=ann !password=x\n");
    const Sent sent = keys.send({"-a", "-u", "ann"}, server.port());
    CHECK(sent.status == 78);
    CHECK(sent.report == "n r@x.example 5.7.8 no password of ann for this server\n");
    CHECK(server.wait_for(0).bytes.find("AUTH") == std::string::npos);
}

TEST_CASE("smtp -ad: no password is shown in any form") {
    const Keys keys;
    NEEDS_TLS(keys);
    for (const char* offered : {"PLAIN", "LOGIN"}) {
        const std::vector<Turn> turns = offered == std::string("PLAIN")
                                            ? std::vector{Turn::on(plain, "235 ok\r\n")}
                                            : std::vector{Turn::on("AUTH LOGIN", "334 \r\n"), Turn::on("", "334 \r\n"), ok};
        const FakeSmtp server({under_tls(keys.good, offered, turns, true)});
        const Sent sent = keys.send({"-ad", "-u", "joe"}, server.port());
        CHECK(sent.status == 0);
        CHECK(sent.err.find(offered == std::string("PLAIN") ? "C: AUTH PLAIN [masked]\n"
                                                            : "C: [masked]\nS: 334 \nC: [masked]\n") != std::string::npos);
        for (const std::string& form : {password, base::base64_encode(password), plain.substr(plain.rfind(' ') + 1)})
            CHECK(sent.err.find(form) == std::string::npos);
        CHECK(sent.err.find("C: MAIL FROM:") != std::string::npos);
        CHECK(sent.err.find("C: [TLSv1.3 with cipher ") != std::string::npos);
    }
}

TEST_CASE("smtp -a: to the real smtpd, with each mechanism it can be made to offer") {
    const Keys keys;
    NEEDS_TLS(keys);
    Site site;
    if (!site.built() || program_path("smtpd-tls").empty()) SKIP("smtpd or smtpd-tls is not built");
    site.scratch.write("mx.pem", keys.good);
    site.scratch.write("users", sasl::show_user(user_with("joe", password)) + "\n");
    const std::string base = *site.scratch.read("smtpd.conf");
    for (const char* mechanism : {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"}) {
        CAPTURE(mechanism);
        site.scratch.write("smtpd.conf", base + "[tls]\ncertificate = " + site.scratch.at("mx.pem") + "\n[auth]\nusers = " +
                                             site.scratch.at("users") + "\nmechanisms = " + mechanism + "\n");
        const auto port = site.free_port();
        const auto loop =
            started(site, site.smtpd, {"-C", site.configuration, "-a", "-l", "127.0.0.1:" + std::to_string(port)}, port);
        (void)loop.connect().ask("QUIT");
        const Sent sent = keys.run(
            {"-ad", "-u", "joe", "-h", "client.home.arpa", at_port(port), "you@greylag.test", "you@greylag.test"}, message);
        INFO(sent.err);
        CHECK(sent.status == 0);
        CHECK(sent.err.find("C: AUTH " + std::string(mechanism)) != std::string::npos);
        CHECK(sent.err.find("S: 235 ") != std::string::npos);
        for (std::size_t at = 0; (at = sent.err.find("S: 334 ", at)) != std::string::npos; ++at)
            CHECK(sent.err.find_first_of("\n[", at) == at + 7);  // nothing, or that it is masked
        if (sent.status == 0) CHECK(site.take_message().find("with ESMTPSA id") != std::string::npos);
        keys.secrets("key proto=pass service=smtp server=127.0.0.1 user=joe !password=wrong\n");
        const Sent wrong = keys.send({"-a", "-u", "joe"}, port);
        CHECK(wrong.status == 77);
        CHECK(wrong.report.starts_with("n r@x.example 535 5.7.8 "));
        keys.secrets("key proto=pass service=smtp server=127.0.0.1 user=joe !password='open sesame'\n");
    }
}
