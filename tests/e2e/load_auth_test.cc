// smtp-source logs in to the real smtpd: bound to the TLS session, or without TLS and with no password shown.
#include "tests/e2e/load_house.hh"
#include "tests/e2e/talk_site.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

TEST_CASE("smtp-source: AUTH of the real smtpd, strongest first") {
    if (load_path().empty()) SKIP("smtp-source is not built");
    const TalkSite site;
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    Scratch dir;
    dir.write("password", "secret\n");
    const std::string where = "127.0.0.1:" + std::to_string(site.port);
    const auto log = [&] { return site.site.scratch.read("log").value_or(""); };
    const auto send = [&](std::vector<std::string> how) {
        how.insert(how.end(), {"-t", "you@greylag.test", "--auth", "you", "--password-file", dir.at("password"), where});
        return source(std::move(how));
    };
    // The second session of a thread goes on with the first one's TLS.
    const auto bound = send({"--tls", "starttls", "-m", "2"});
    CHECK(bound.err == "");
    CHECK(bound.status == 0);
    CHECK(bound.number("sent") == 2);
    CHECK(log().find("auth=SCRAM-SHA-256-PLUS") != std::string::npos);
    CHECK(log().find("auth=SCRAM-SHA-256 ") == std::string::npos);
    CHECK(send({}).status == 0);
    CHECK(log().find("auth=SCRAM-SHA-256 ") != std::string::npos);
}

TEST_CASE("smtp-source: without TLS a password is shown to nobody, unless that is what was asked for") {
    if (load_path().empty()) SKIP("smtp-source is not built");
    const Turn hi = Turn::say("220 mock ESMTP\r\n"), ehlo = Turn::on("EHLO ", "250-mock\r\n250 AUTH PLAIN LOGIN\r\n");
    const FakeSmtp server({{hi, ehlo},
                           {hi, ehlo, Turn::on("AUTH PLAIN AGpvZQBzM2NyM3Q=", "235 ok\r\n"), Turn::on("MAIL", "250 ok\r\n"),
                            Turn::on("RCPT", "250 ok\r\n"), Turn::on("DATA", "354 go\r\n"), Turn::body("250 kept\r\n"),
                            Turn::on("QUIT", "221 bye\r\n").and_close()}});
    Scratch dir;
    dir.write("password", "s3cr3t\n");
    const std::vector<std::string> login{"--auth", "joe", "--password-file", dir.at("password"),
                                         "127.0.0.1:" + std::to_string(server.port())};
    const auto refused = source(login);
    CHECK(refused.status == 77);
    CHECK(refused.err.find("without TLS no password is shown") != std::string::npos);
    CHECK(server.wait_for(0).bytes.find("AUTH") == std::string::npos);
    auto open = login;
    open.insert(open.begin(), "--password-in-clear");
    CHECK(source(open).status == 0);
    CHECK(server.wait_for(1).fault == "");
}
