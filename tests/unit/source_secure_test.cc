// smtp-source's session in memory: TLS and AUTH, or nothing.
#include "base/base64.hh"
#include "tests/support/test.hh"
#include "tests/unit/source_play.hh"

using namespace greylag;
using namespace greylag::source;

TEST_CASE("smtp-source: TLS or nothing") {
    Play good({"--tls", "starttls"}, {"220 x", "250-h\r\n250 STARTTLS", "220 go", "250 h", "250", "250", "354", "250", "221"});
    CHECK(good.run().starts_with("connect\nC: EHLO h\nC: STARTTLS\nhandshake\nC: EHLO h\nC: MAIL FROM:<a@x>\n"));
    CHECK(good.desk.stats.sent == 1);

    Play direct({"--tls", "smtps"}, {"220 x", "250 h", "250", "250", "354", "250", "221"});
    CHECK(direct.run().starts_with("connect\nhandshake\nC: HELO h\nC: MAIL FROM:<a@x>\n"));

    const std::vector<std::vector<std::string>> bad = {
        {"220 x", "250 h"},                                             // not offered
        {"220 x", "250-h\r\n250 STARTTLS", "454 not now"},              // refused
        {"220 x", "250-h\r\n250 STARTTLS", "+220 go", "250 injected"},  // somebody spoke between
    };
    for (const auto& answers : bad) {
        for (const bool with_auth : {false, true}) {
            std::vector<std::string> words{"--tls", "starttls"};
            if (with_auth) words.insert(words.end(), {"--auth", "joe", "--password-file", "pw"});
            Play p(words, answers);
            p.run();
            INFO(p.wire);
            CHECK(p.wire.find("MAIL") == std::string::npos);
            CHECK(p.wire.find("AUTH") == std::string::npos);
            CHECK(p.failed(Failure::tls) == 1);
            CHECK(p.wire.ends_with("over\n"));
        }
    }
    Play broken({"--tls", "smtps"});
    broken.tls_works = false;
    CHECK(broken.run() == "connect\nhandshake\nclose\nover\n");
    CHECK(broken.said == "TLS: no certificate\n");
}

TEST_CASE("smtp-source: AUTH") {
    const std::vector<std::string> words{"--auth", "joe", "--password-file", "pw", "--password-in-clear"};
    const std::string initial = base::base64_encode(std::string_view("\0joe\0secret", 11));
    Play plain(words, {"220 x", "250-h\r\n250 AUTH PLAIN LOGIN", "235 ok", "250", "250", "354", "250", "221"});
    plain.run();
    CHECK(plain.wire.find("C: AUTH PLAIN " + initial + "\n") != std::string::npos);
    CHECK(plain.desk.stats.sent == 1);

    // Some servers ask LOGIN's questions as they are.
    for (const auto& [name, password] : {std::pair("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"), {"334 Username:", "334 Password:"}}) {
        Play login(words, {"220 x", "250-h\r\n250 AUTH LOGIN", name, password, "235 ok", "250", "250", "354", "250", "221"});
        login.run();
        CHECK(login.desk.stats.sent == 1);
        CHECK(login.wire.find("C: " + base::base64_encode("secret") + "\n") != std::string::npos);
    }

    const std::vector<std::vector<std::string>> bad = {
        {"220 x", "250 h"},
        {"220 x", "250-h\r\n250 AUTH PLAIN", "535 no"},
        {"220 x", "250-h\r\n250 AUTH CRAM-MD5", "334 !"},
        {"220 x", "250-h\r\n250 AUTH PLAIN", "334 ", "334 "},
        {"220 x", "250-h\r\n250 AUTH PLAIN", "354 go"},
        {"220 x", "250-h\r\n250 AUTH SCRAM-SHA-256", "235 welcome"},  // it has proved nothing
    };
    for (const auto& answers : bad) {
        Play p(words, answers);
        p.run();
        INFO(p.wire);
        CHECK(p.wire.find("MAIL") == std::string::npos);
        CHECK(p.failed(Failure::auth) == 1);
        CHECK(verdict(p.desk.stats) == 77);
    }
    Play quiet({"-v", "--auth", "joe", "--password-file", "pw", "--password-in-clear"},
               {"220 x", "250-h\r\n250 AUTH PLAIN", "235 ok"});
    quiet.run();
    CHECK(quiet.said.find(initial) == std::string::npos);
    CHECK(quiet.said.find(">>> AUTH PLAIN ***\n<<< 235 ok\n") != std::string::npos);
    Play asked({"-v", "--auth", "joe", "--password-file", "pw", "--password-in-clear"},
               {"220 x", "250-h\r\n250 AUTH LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"});
    asked.run();
    CHECK(asked.said.find(">>> AUTH LOGIN\n<<< 334 VXNlcm5hbWU6\n>>> ***\n<<< 334 UGFzc3dvcmQ6\n>>> ***\n<<< 235 ok\n") !=
          std::string::npos);
    CHECK(asked.said.find(base::base64_encode("secret")) == std::string::npos);
}

TEST_CASE("smtp-source: no password in clear unless that was asked for") {
    const std::vector<std::string> login{"--auth", "joe", "--password-file", "pw"};
    Play refused(login, {"220 x", "250-h\r\n250 AUTH PLAIN LOGIN", "235 ok"});
    refused.run();
    CHECK(refused.wire == "connect\nC: EHLO h\nclose\nover\n");
    CHECK(refused.said == "the server offers no way to authenticate that may be used here (without TLS no password is shown)\n");
    CHECK(verdict(refused.desk.stats) == 77);
    // A proof shows no password.
    Play proof(login, {"220 x", "250-h\r\n250 AUTH PLAIN CRAM-MD5"});
    proof.run();
    CHECK(proof.wire.ends_with("C: AUTH CRAM-MD5\n"));
    std::vector<std::string> over_tls = login;
    over_tls.insert(over_tls.end(), {"--tls", "starttls"});
    Play secure(over_tls, {"220 x", "250-h\r\n250 STARTTLS", "220 go", "250-h\r\n250 AUTH PLAIN"});
    secure.run();
    CHECK(secure.wire.find("C: AUTH PLAIN ") != std::string::npos);
}

TEST_CASE("smtp-source: SCRAM is bound to the TLS session around it") {
    const std::vector<std::string> words{"--tls", "smtps", "--auth", "joe", "--password-file", "pw"};
    const std::string bound = "C: AUTH SCRAM-SHA-256-PLUS " + base::base64_encode("p=tls-exporter,,n=joe,r=nonce") + "\n";
    Play plus(words, {"220 x", "250-h\r\n250 AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS PLAIN"});
    plus.bindings = {"exported", "certificate"};
    plus.run();
    INFO(plus.wire);
    CHECK(plus.wire.find(bound) != std::string::npos);
    // "I could have bound" goes to a server that cannot; one that can would take it for an attack.
    Play less(words, {"220 x", "250-h\r\n250 AUTH SCRAM-SHA-256"});
    less.bindings = plus.bindings;
    less.run();
    CHECK(less.wire.find(base::base64_encode("y,,n=joe,r=nonce")) != std::string::npos);
    Play unbound(words, {"220 x", "250-h\r\n250 AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS"});
    unbound.run();
    CHECK(unbound.wire.find("C: AUTH SCRAM-SHA-256 " + base::base64_encode("n,,n=joe,r=nonce")) != std::string::npos);
}
