// Other people's clients: submission over STARTTLS with AUTH, and TLS from the first octet. Each is skipped by name where absent.
#include "sys/file.hh"
#include "tests/e2e/site.hh"
#include "tests/support/sasl.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Submission {
    Site site;
    std::uint16_t port = 0;
    std::optional<Listener> loop;

    explicit Submission(const std::string& option = "-a") {
        site.scratch.write("mx.pem", make_identity(KeyKind::rsa, "localhost"));
        site.scratch.write("users", sasl::show_user(user_with("you", "secret")) + "\n");
        site.scratch.write("smtpd.conf", *site.scratch.read("smtpd.conf") + "[tls]\ncertificate = " + site.scratch.at("mx.pem") +
                                             "\n[auth]\nusers = " + site.scratch.at("users") +
                                             "\nmechanisms = CRAM-MD5 PLAIN LOGIN"
                                             " SCRAM-SHA-256 SCRAM-SHA-256-PLUS\n");
        if (!ready()) return;
        port = site.free_port();
        loop = started(site, site.smtpd, {"-C", site.configuration, option, "-l", "127.0.0.1:" + std::to_string(port)}, port);
        (void)loop->connect().ask("QUIT");
    }
    bool ready() const { return site.built() && !program_path("smtpd-tls").empty(); }
    std::string at() const { return "127.0.0.1:" + std::to_string(port); }

    sys::Said run(const std::string& program, std::vector<std::string> arguments) const {
        sys::Command command;
        command.path = program;
        command.arguments = std::move(arguments);
        command.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + site.scratch.path(), "LANG=C"};
        const sys::Fd input = must(sys::open_read(site.scratch.at("message")));
        command.in = input.get();
        return must(sys::run(command, soon(), 1 << 16, 1 << 16));
    }
    void message(const std::string& text) const { site.scratch.write("message", text); }
};

constexpr const char* text = "From: you@greylag.test\r\nTo: you@greylag.test\r\nSubject: a submission\r\n\r\nhello\r\n";

#define NEED(submission, program)                                       \
    if (!(submission).ready()) SKIP("smtpd or smtpd-tls is not built"); \
    const std::string client = find_program(program);                   \
    if (client.empty()) SKIP(std::string(program) + " is not installed")

void check_taken(Submission& s) {
    const std::string got = s.site.take_message();
    CHECK(got.find("Subject: a submission") != std::string::npos);
    CHECK(got.find("with ESMTPSA id") != std::string::npos);
}

}  // namespace

TEST_CASE("tls: swaks submits, with each mechanism it knows") {
    Submission s;
    NEED(s, "swaks");
    s.message("");
    unsigned tried = 0;
    for (const char* mechanism : {"PLAIN", "LOGIN", "CRAM-MD5"}) {
        const auto said =
            s.run(client, {"--server", "127.0.0.1", "--port", std::to_string(s.port), "--tls", "--auth", mechanism, "--auth-user",
                           "you", "--auth-password", "secret", "--helo", "client.home.arpa", "--from", "you@greylag.test", "--to",
                           "you@greylag.test", "--header", "Subject: a submission"});
        // swaks is a script: without its library for TLS or a digest it says so.
        if (said.err.find("not available") != std::string::npos || said.out.find("not available") != std::string::npos) continue;
        INFO(said.out << said.err);
        CHECK(said.ending.status == 0);
        ++tried;
        check_taken(s);
    }
    if (tried == 0) SKIP("swaks is installed without TLS");
}

TEST_CASE("tls: curl submits, and with TLS from the first octet") {
    for (const bool first : {false, true}) {
        Submission s(first ? "-t" : "-a");
        NEED(s, "curl");
        s.message(text);
        const auto said =
            s.run(client, {"-sS", "-k", "--ssl-reqd", "--url",
                           std::string(first ? "smtps://" : "smtp://") + s.at() + "/client.home.arpa", "--user", "you:secret",
                           "--mail-from", "you@greylag.test", "--mail-rcpt", "you@greylag.test", "--upload-file", "-"});
        if (said.ending.status == 1) SKIP("curl is installed without SMTP");
        INFO(said.err);
        CHECK(said.ending.status == 0);
        check_taken(s);
    }
}

TEST_CASE("tls: Python's smtplib and ssl submit") {
    Submission s;
    NEED(s, "python3");
    s.site.scratch.write("submit.py",
                         "import smtplib, ssl, sys\n"
                         "context = ssl._create_unverified_context()\n"
                         "m = smtplib.SMTP('127.0.0.1', int(sys.argv[1]), local_hostname='client.home.arpa')\n"
                         "m.starttls(context=context)\n"
                         "m.login('you', 'secret')\n"
                         "m.sendmail('you@greylag.test', ['you@greylag.test'], 'Subject: a submission\\r\\n\\r\\nhello\\r\\n')\n"
                         "m.quit()\n");
    s.message("");
    const auto said = s.run(client, {s.site.scratch.at("submit.py"), std::to_string(s.port)});
    INFO(said.err);
    CHECK(said.ending.status == 0);
    check_taken(s);
}

TEST_CASE("tls: openssl s_client, TLS 1.2 and 1.3") {
    for (const char* version : {"-tls1_2", "-tls1_3"}) {
        Submission s;
        NEED(s, "openssl");
        s.message("EHLO client.home.arpa\r\nQUIT\r\n");
        const auto said = s.run(client, {"s_client", "-starttls", "smtp", "-quiet", "-ign_eof", version, "-connect", s.at()});
        INFO(said.out << said.err);
        CHECK(said.out.find("AUTH SCRAM-SHA-256-PLUS") != std::string::npos);
        CHECK(said.out.find("221 2.0.0") != std::string::npos);
        const auto old =
            s.run(client, {"s_client", "-starttls", "smtp", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect", s.at()});
        CHECK(old.ending.status != 0);
    }
}

TEST_CASE("tls: a chain goes along, so that who knows its root alone believes it") {
    Submission s;
    NEED(s, "openssl");
    const auto at = [&](const char* name) { return s.site.scratch.at(name); };
    s.message("QUIT\r\n");
    const auto made = [&](std::vector<std::string> words) { CHECK(s.run(client, std::move(words)).ending.status == 0); };
    const auto request = [&](const char* name, std::vector<std::string> more) {
        std::vector<std::string> words{"req",
                                       "-new",
                                       "-newkey",
                                       "ec",
                                       "-pkeyopt",
                                       "ec_paramgen_curve:P-256",
                                       "-nodes",
                                       "-days",
                                       "3",
                                       "-subj",
                                       std::string("/CN=") + name,
                                       "-keyout",
                                       at(name) + ".key",
                                       "-out",
                                       at(name) + ".pem"};
        words.insert(words.end(), more.begin(), more.end());
        made(std::move(words));
    };
    const auto issue = [&](const char* name, const char* by, const char* extensions) {
        s.site.scratch.write("extensions", extensions);
        made({"x509", "-req", "-days", "3", "-in", at(name) + ".pem", "-CA", at(by) + ".pem", "-CAkey", at(by) + ".key",
              "-set_serial", "7", "-extfile", at("extensions"), "-out", at(name) + ".pem"});
    };
    request("root", {"-x509"});
    request("between", {});
    issue("between", "root", "basicConstraints = critical,CA:TRUE\n");
    request("leaf", {});
    issue("leaf", "between", "subjectAltName = IP:127.0.0.1\n");
    const auto seen = [&](const std::string& pem) {
        s.site.scratch.write("mx.pem", pem);
        return s
            .run(client, {"s_client", "-starttls", "smtp", "-brief", "-ign_eof", "-verify_return_error", "-no-CAfile",
                          "-no-CApath", "-CAfile", at("root.pem"), "-verify_ip", "127.0.0.1", "-connect", s.at()})
            .err;
    };
    const std::string leaf = *s.site.scratch.read("leaf.pem"), between = *s.site.scratch.read("between.pem"),
                      key = *s.site.scratch.read("leaf.key");
    CHECK(seen(leaf + between + key).find("Verification: OK") != std::string::npos);
    CHECK(seen(key + leaf + between).find("Verification: OK") != std::string::npos);
    CHECK(seen(leaf + key).find("unable to get local issuer certificate") != std::string::npos);
}
