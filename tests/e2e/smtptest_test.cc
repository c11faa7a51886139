// The real smtptest against the real smtpd, and against servers that misbehave. Where the program it is the heir of goes wrong
// (a hang, a password in clear, success where there was none) stands a test that this one does not.
#include <signal.h>
#include <unistd.h>

#include "base/ascii.hh"
#include "base/base64.hh"
#include "sys/dial.hh"
#include "tests/e2e/talk_site.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Tool {
    Scratch scratch;
    std::string program = program_path("smtptest");

    Said at(std::uint16_t port, std::vector<std::string> arguments, std::string_view input = "") const {
        arguments.insert(arguments.end(), {"--timeout", "10s", "-p", std::to_string(port), "127.0.0.1"});
        return run_tool(program, std::move(arguments), input, scratch);
    }
    Session start(std::vector<std::string> arguments) const {
        Start how;
        how.program = program;
        how.arguments = std::move(arguments);
        how.wire = Wire::pipes;
        return must(Session::start(how));
    }
};

#define NEEDS_SMTPTEST(tool) \
    if ((tool).program.empty()) SKIP("smtptest is not built")

Turn greeting() { return Turn::say("220 mock.example ESMTP\r\n"); }
Turn ehlo(const std::string& keywords) { return Turn::on("EHLO", "250-mock.example\r\n250-" + keywords + "\r\n250 HELP\r\n"); }
Turn quit() { return Turn::on("QUIT", "221 2.0.0 bye\r\n").and_close(); }

std::size_t times(std::string_view text, std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; ++at) ++n;
    return n;
}

}  // namespace

TEST_CASE("smtptest: STARTTLS, the strongest mechanism, a message, and how it all is told") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    TalkSite site({"-a"});
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    const auto said = tool.at(site.port, {"-t", "", "-a", "you", "-w", "secret", "--hello", "client.home.arpa"},
                              "MAIL FROM:<you@greylag.test>\nRCPT TO:<you@greylag.test>\nDATA\nSubject: by hand\n\n.dots\n.\n");
    INFO(said.all());
    CHECK(said.status == 0);
    CHECK(said.out.starts_with("S: 220 greylag.test ESMTP\nC: EHLO client.home.arpa\nS: 250-"));
    CHECK(said.says("\nTLS connection established: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256 bits)\n"));
    CHECK(said.says("\nCertificate not verified: self-signed certificate\n"));
    CHECK(said.says("\nCertificate fingerprint sha256:"));
    CHECK(said.says("\nC: AUTH SCRAM-SHA-256-PLUS ***\n"));
    CHECK(said.says("\nAuthenticated.\nSecurity strength factor: 256\n"));
    CHECK(said.says("\n250 2.1.0 "));  // no letter in front: what a program reads
    CHECK(said.out.ends_with("\nC: QUIT\n221 2.0.0 closing the connection\r\nConnection closed.\n"));
    CHECK(said.out.find("secret") == std::string::npos);
    CHECK(site.site.take_message().find("\n\n.dots\n") != std::string::npos);
}

TEST_CASE("smtptest: each mechanism of the server's, by name") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const TalkSite site;
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    for (const char* name : {"PLAIN", "login", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}) {
        INFO(name);
        const auto good = tool.at(site.port, {"-t", "", "-m", name, "-a", "you", "-w", "secret"});
        CHECK_MESSAGE(good.status == 0, good.all());
        CHECK(good.says("\nAuthenticated.\n"));
        CHECK(tool.at(site.port, {"-i", "-t", "", "-m", name, "-a", "you", "-w", "secret"}).status == 0);
        const auto bad = tool.at(site.port, {"-t", "", "-m", name, "-a", "you", "-w", "wrong"});
        CHECK_MESSAGE(bad.status == 77, bad.all());
        CHECK(bad.says("\nAuthentication failed. "));
    }
    // -k: what protects the connection is less than what was asked for; nothing is tried.
    const auto weak = tool.at(site.port, {"-k", "56", "-a", "you", "-w", "secret"});
    CHECK(weak.status == 77);
    CHECK_FALSE(weak.says("C: AUTH"));
    CHECK(tool.at(site.port, {"-k", "128", "-t", "", "-a", "you", "-w", "secret"}).status == 0);
    // -o: the list to choose from.
    const auto chosen = tool.at(site.port, {"-t", "", "-o", "client_mech_list=CRAM-MD5", "-a", "you", "-w", "secret"});
    CHECK(chosen.says("C: AUTH CRAM-MD5\n"));
    // Without a password, and nobody to ask: the dialogue goes on as it is.
    const auto none = tool.at(site.port, {"-t", ""});
    CHECK_MESSAGE(none.status == 0, none.all());
    CHECK(none.says("Not authenticated: no password."));
    tool.scratch.write("password", "secret\n");
    CHECK(tool.at(site.port, {"-t", "", "-a", "you", "--password-file", tool.scratch.at("password")}).status == 0);
    // A password that cannot be read is not the empty one.
    const auto unread = tool.at(site.port, {"-t", "", "-a", "you", "--password-file", tool.scratch.at("no-password")});
    CHECK(unread.status == 66);
    CHECK(unread.err.find("no-password: No such file or directory") != std::string::npos);
}

TEST_CASE("smtptest: a certificate is looked at, and a bad one is fatal where that was asked for") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const TalkSite site;
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    const auto bad = tool.at(site.port, {"-t", "", "--verify", "-a", "you", "-w", "secret"});
    INFO(bad.all());
    CHECK(bad.status == 76);
    CHECK(bad.err.find("self-signed") != std::string::npos);
    CHECK_FALSE(bad.says("AUTH SCRAM-SHA-256-PLUS"));
    const auto named = tool.at(site.port, {"-t", "", "--verify", "--ca", site.pem(), "--server-name", "localhost"});
    CHECK_MESSAGE(named.status == 0, named.all());
    CHECK(named.says("Certificate verified\n"));
    CHECK(tool.at(site.port, {"-t", "", "--verify", "--ca", site.pem(), "--server-name", "other.example"}).status == 76);
    const std::size_t at = named.out.find("sha256:");
    const std::string digest = named.out.substr(at, named.out.find('\n', at) - at);
    CHECK(tool.at(site.port, {"-t", "", "--verify", "--fingerprint", digest}).status == 0);
    CHECK(tool.at(site.port, {"-t", "", "--verify", "--fingerprint", "sha256:" + std::string(64, '0')}).status == 76);
    CHECK(tool.at(site.port, {"-t", tool.scratch.at("no.pem")}).status == 78);
}

TEST_CASE("smtptest: three rounds, and whether TLS was resumed") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const TalkSite site;
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    const auto said = tool.at(site.port, {"-n", "3", "-t", "", "-a", "you", "-w", "secret"});
    INFO(said.all());
    CHECK(said.status == 0);
    CHECK(times(said.out, "TLS connection established") == 3);
    CHECK(times(said.out, ", session resumed\n") == 2);
    CHECK(times(said.out, "Authenticated.\n") == 3);
}

TEST_CASE("smtptest: a file with bare LF goes out as SMTP, one answer after the other") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const FakeSmtp fake({{greeting(), ehlo("PIPELINING"), Turn::on("MAIL", "250 ok\r\n"), Turn::on("RCPT", "250 ok\r\n").slowly(),
                          Turn::on("DATA", "354 go\r\n"), Turn::body("250 2.0.0 taken\r\n"), quit()}});
    tool.scratch.write("file", "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nSubject: x\n\n.one\n..two\nthree\n");
    const auto said = tool.at(fake.port(), {"--no-auth", "-f", tool.scratch.at("file")});
    INFO(said.all());
    CHECK(said.status == 0);
    const auto heard = fake.wait_for(0);
    CHECK(heard.fault.empty());
    CHECK(heard.bytes.ends_with(
        "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\n..one\r\n..two\r\nthree\r\n.\r\nQUIT\r\n"));
    CHECK(said.says("\nC: MAIL FROM:<a@b>\nS: 250 ok\n"));
    CHECK(said.says("\nC: three\nC: .\nS: 250 2.0.0 taken\nC: QUIT\n"));
    CHECK(tool.at(fake.port(), {"-f", tool.scratch.at("nothing")}).status == 66);
}

TEST_CASE("smtptest: a message that was not wanted is not sent as commands, and the status tells") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const Script refusing{greeting(), ehlo("X"), Turn::on("DATA", "554 no\r\n"), quit()};
    const FakeSmtp fake({refusing, refusing});
    tool.scratch.write("file", "DATA\nRSET\n.\n");
    CHECK(tool.at(fake.port(), {"--no-auth", "-f", tool.scratch.at("file")}).status == 69);
    CHECK(fake.wait_for(0).bytes.find("RSET") == std::string::npos);
    CHECK(tool.at(fake.port(), {"--no-auth"}, "DATA\nRSET\n.\n").status == 69);
    CHECK(fake.wait_for(1).bytes.find("RSET") == std::string::npos);
    const FakeSmtp later({{greeting(), ehlo("X"), Turn::on("NOOP", "450 later\r\n"), quit()}});
    CHECK(tool.at(later.port(), {"--no-auth"}, "NOOP\n").status == 75);
}

TEST_CASE("smtptest: a greeting or an EHLO that is refused is an answer, not a silence") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const FakeSmtp closed({{Turn::say("554 go away\r\n").and_stall()}});
    const auto said = tool.at(closed.port(), {});
    CHECK_MESSAGE(said.status == 69, said.all());
    const FakeSmtp old({{greeting(), Turn::on("EHLO", "500 what?\r\n"), Turn::on("HELO", "250 hello\r\n"), quit()}});
    CHECK(tool.at(old.port(), {}).status == 0);
    const FakeSmtp deaf({{Turn::say("").and_stall()}});
    const std::vector<std::string> hasty{"--timeout", "200ms", "-p", std::to_string(deaf.port()), "127.0.0.1"};
    CHECK(run_tool(tool.program, hasty, "", tool.scratch).status == 75);
}

TEST_CASE("smtptest: STARTTLS refused, missing or broken: no password leaves") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const std::vector<std::string> with{"-t", "", "-m", "PLAIN", "-a", "you", "-w", "secret"};
    struct Row {
        Script script;
        int status;
    };
    const Row rows[] = {
        {{greeting(), ehlo("STARTTLS\r\n250-AUTH PLAIN"), Turn::on("STARTTLS", "454 4.7.0 not now\r\n")}, 75},
        {{greeting(), ehlo("STARTTLS\r\n250-AUTH PLAIN"), Turn::on("STARTTLS", "502 no\r\n")}, 69},
        {{greeting(), ehlo("AUTH PLAIN")}, 76},
        {{greeting(), ehlo("STARTTLS"), Turn::on("STARTTLS", "220 go\r\n250 AUTH PLAIN\r\n")}, 76},
        {{greeting(), ehlo("STARTTLS"), Turn::on("STARTTLS", "220 go\r\n").and_close()}, 76},
        {{greeting(), ehlo("STARTTLS"), Turn::on("STARTTLS", "220 go\r\nno TLS at all\r\n").slowly().and_close()}, 76},
    };
    for (const Row& row : rows) {
        const FakeSmtp fake({row.script});
        const auto said = tool.at(fake.port(), with);
        CHECK_MESSAGE(said.status == row.status, said.all());
        CHECK(fake.wait_for(0).bytes.find("AUTH") == std::string::npos);
    }
}

TEST_CASE("smtptest: AUTH that is put off, refused, or answered with nonsense") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const std::vector<std::string> with{"-m", "CRAM-MD5", "-a", "you", "-w", "secret"};
    const FakeSmtp later({{greeting(), ehlo("AUTH CRAM-MD5"), Turn::on("AUTH", "454 4.7.0 not now\r\n"), quit()}});
    const auto said = tool.at(later.port(), with);
    CHECK_MESSAGE(said.status == 75, said.all());
    CHECK(said.says("Authentication failed. 4.7.0 not now") != said.says("Authentication failed. not now"));
    const FakeSmtp odd(
        {{greeting(), ehlo("AUTH CRAM-MD5"), Turn::on("AUTH", "334 !!!\r\n"), Turn::on("*", "501 no\r\n"), quit()}});
    CHECK(tool.at(odd.port(), with).status == 77);
    // A file is not sent in a session that was to be authenticated and is not.
    tool.scratch.write("file", "MAIL FROM:<a@b>\n");
    const FakeSmtp no({{greeting(), ehlo("AUTH CRAM-MD5"), Turn::on("AUTH", "535 no\r\n"), quit()}});
    CHECK(tool.at(no.port(), {"-m", "CRAM-MD5", "-a", "you", "-w", "x", "-f", tool.scratch.at("file")}).status == 77);
    CHECK(no.wait_for(0).bytes.find("MAIL") == std::string::npos);
}

TEST_CASE("smtptest: mechanisms that only other servers have") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    struct Row {
        std::string mechanism;
        std::vector<Turn> turns;
        std::vector<std::string> more;
    };
    const Row rows[] = {
        {"ANONYMOUS", {Turn::on("AUTH ANONYMOUS eW91", "235 ok\r\n")}, {}},
        {"EXTERNAL", {Turn::on("AUTH EXTERNAL =", "235 ok\r\n")}, {}},
        {"EXTERNAL", {Turn::on("AUTH EXTERNAL Ym9i", "235 ok\r\n")}, {"-u", "bob"}},
        {"XOAUTH2", {Turn::on("AUTH XOAUTH2 dXNlcj15b3UBYXV0aD1CZWFyZXIgc2VjcmV0AQE=", "235 ok\r\n")}, {}},
        {"OTP", {Turn::on("AUTH OTP AHlvdQ==", "334 b3RwLW1kNSAxIHRlc3QgZXh0\r\n"), Turn::on("aGV4O", "235 ok\r\n")}, {}},
        {"PLAIN", {Turn::on("AUTH PLAIN Ym9iAHlvdQBzZWNyZXQ=", "235 ok\r\n")}, {"-u", "bob"}},
    };
    for (const Row& row : rows) {
        Script script{greeting(), ehlo("AUTH " + row.mechanism)};
        script.insert(script.end(), row.turns.begin(), row.turns.end());
        script.push_back(quit());
        const FakeSmtp fake({script});
        std::vector<std::string> arguments{"-m", row.mechanism, "-a", "you", "-w", "secret"};
        arguments.insert(arguments.end(), row.more.begin(), row.more.end());
        const auto said = tool.at(fake.port(), arguments);
        INFO(row.mechanism);
        // OTP answers "hex:", which in base64 begins with aGV4O.
        CHECK_MESSAGE(said.status == 0, said.all());
        CHECK_MESSAGE(fake.wait_for(0).fault.empty(), fake.wait_for(0).fault);
    }
    // A token that is not taken: the reason comes as a challenge, a dummy answers it.
    const FakeSmtp oauth(
        {{greeting(), ehlo("AUTH OAUTHBEARER"), Turn::on("AUTH OAUTHBEARER ", "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n"),
          Turn::on("AQ==", "535 5.7.8 no\r\n"), quit()}});
    CHECK(tool.at(oauth.port(), {"-m", "OAUTHBEARER", "-a", "you", "-w", "token"}).status == 77);
    CHECK(oauth.wait_for(0).fault.empty());
    // -c: the challenge is shown, and the answer is what stands on the input.
    const FakeSmtp typed({{greeting(), ehlo("AUTH OTP"), Turn::on("AUTH OTP", "334 b3RwLW1kNSAxIHRlc3QgZXh0\r\n"),
                           Turn::on("d29yZDpJTkNIIFNFQSBBTk5FIExPTkcgQUhFTSBUT1VS", "235 ok\r\n"), quit()}});
    const auto said = tool.at(typed.port(), {"-c", "-m", "OTP", "-a", "you"}, "inch sea anne long ahem tour\n");
    CHECK_MESSAGE(said.status == 0, said.all());
    CHECK(said.err.find("otp-md5 1 test ext") != std::string::npos);
}

TEST_CASE("smtptest: TLS from the first octet, a realm, more than asked for about both, and no layer but TLS") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    // Two realms: -r says which.
    const std::string challenge = "realm=\"here\",realm=\"there\",nonce=\"n\",qop=\"auth\",charset=utf-8,algorithm=md5-sess";
    const FakeSmtp fake({{Turn::tls(make_identity(KeyKind::p256, "localhost")), Turn::say("220 mock ESMTP\r\n"),
                          Turn::on("EHLO", "250-mock\r\n250 AUTH DIGEST-MD5\r\n"),
                          Turn::on("AUTH DIGEST-MD5", "334 " + base::base64_encode(challenge) + "\r\n"),
                          Turn::on("", "535 5.7.8 no\r\n"), Turn::on("QUIT", "221 bye\r\n").and_close()}});
    const auto said = tool.at(fake.port(), {"-sv", "-l", "0", "-r", "there", "-a", "you", "-w", "secret"});
    const auto heard = fake.wait_for(0);
    CHECK(heard.fault == "");
    CHECK(heard.bytes.starts_with("[TLS]"));
    const auto lines = base::split(heard.bytes, '\n');
    REQUIRE(lines.size() > 2);
    const std::string answer = base::base64_decode(base::trim(lines[2])).value_or("");
    CHECK(answer.find("realm=\"there\"") != std::string::npos);
    CHECK(said.status == 77);
    CHECK(said.out.find("Trying 127.0.0.1 ") != std::string::npos);
    CHECK(said.out.find(", key spki-sha256:") != std::string::npos);
}

TEST_CASE("smtptest: long lines of a server's and a long password are whole") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const std::string names = "AUTH " + std::string(3000, 'X') + " PLAIN";
    const FakeSmtp fake({{greeting(), ehlo(names), Turn::on("AUTH PLAIN", "334 \r\n"), Turn::on("", "235 ok\r\n"), quit()}});
    const std::string password(2000, 'p');
    const auto said = tool.at(fake.port(), {"-m", "PLAIN", "-a", "you", "-w", password});
    CHECK_MESSAGE(said.status == 0, said.all());
    CHECK(said.says("\nS: 250-" + names.substr(0, 900)));
    CHECK(fake.wait_for(0).bytes.size() > 2000 * 4 / 3);
}

TEST_CASE("smtptest: LMTP, a UNIX socket, the PROXY header") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const std::string path = tool.scratch.at("lmtp");
    const FakeSmtp fake({{Turn::say("220 LMTP\r\n"), Turn::on("LHLO", "250 hello\r\n"), Turn::on("MAIL", "250 ok\r\n"),
                          Turn::on("RCPT", "250 ok\r\n"), Turn::on("RCPT", "250 ok\r\n"), Turn::on("DATA", "354 go\r\n"),
                          Turn::body("250 one\r\n550 two\r\n"), quit()}},
                        FakeSmtp::UnixSocket{path});
    const auto said = run_tool(tool.program, {"-P", "lmtp", "--connect-unix", path},
                               "MAIL FROM:<>\nRCPT TO:<a>\nRCPT TO:<b>\nDATA\nhi\n.\n", tool.scratch);
    CHECK_MESSAGE(said.status == 69, said.all());
    CHECK(said.says("\n250 one\r\n550 two\r\nC: QUIT\n"));

    const auto proxied = [&](const char* client) {
        const FakeSmtp server({{greeting(), Turn::on("PROXY", ""), ehlo("X"), quit()}});
        CHECK(tool.at(server.port(), {"-H", client}).status == 0);
        const auto bytes = server.wait_for(0).bytes;
        return bytes.substr(0, bytes.find("\r\n"));
    };
    CHECK(proxied("192.0.2.7").starts_with("PROXY TCP4 192.0.2.7 127.0.0.1 "));
    CHECK(proxied("2001:db8::7").starts_with("PROXY TCP6 2001:db8::7 :: "));
    CHECK(proxied("unknown") == "PROXY UNKNOWN");
}

TEST_CASE("smtptest: for scripts: JSON, times, the exit status, the process id") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const Script script{greeting(), ehlo("X"), Turn::on("NOOP", "250 2.0.0 \"ok\"\r\n"), quit()};
    const FakeSmtp fake({script, script});
    const auto said = tool.at(fake.port(), {"--json", "-I", tool.scratch.at("pid")}, "NOOP\n");
    INFO(said.all());
    CHECK(said.status == 0);
    CHECK(times(said.out, "\n") == 5);
    CHECK(said.out.starts_with("{\"step\":\"connect\",\"ok\":true,\"ms\":"));
    CHECK(said.says(",\"code\":250,\"enhanced\":\"2.0.0\",\"text\":\"\\\"ok\\\"\",\"command\":\"NOOP\"}\n"));
    const auto pid = tool.scratch.read("pid").value_or("");
    CHECK(pid.find_first_not_of("0123456789") == std::string::npos);
    CHECK_FALSE(pid.empty());
    const auto timed = tool.at(fake.port(), {"--time"}, "NOOP\n");
    for (const char* step : {"\nT: greeting ", "\nT: ehlo ", "\nT: command "}) CHECK(timed.says(step));
    CHECK(run_tool(tool.program, {"-p", "1", "127.0.0.1"}, "", tool.scratch).status == 75);
    CHECK(run_tool(tool.program, {"--nonsense"}, "", tool.scratch).status == 64);
}

TEST_CASE("smtptest: STARTTLS and AUTH in the middle of a dialogue, and base64 by hand") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const TalkSite site;
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    const auto said =
        tool.at(site.port, {"--no-auth"}, "STARTTLS\nEHLO again.home.arpa\n.auth SCRAM-SHA-256-PLUS you secret\nNOOP\n");
    INFO(said.all());
    CHECK(said.status == 0);
    CHECK(said.says("TLS connection established"));
    CHECK(said.says("\n235 "));
    const auto by_hand =
        tool.at(site.port, {"--no-auth"}, "STARTTLS\nEHLO again.home.arpa\n.raw AUTH PLAIN\n.b64 \\0you\\0secret\nNOOP\n");
    CHECK_MESSAGE(by_hand.says("\n235 "), by_hand.all());
    const auto wrong = tool.at(site.port, {"--no-auth"}, "STARTTLS\nEHLO again.home.arpa\n.auth PLAIN you wrong\n");
    CHECK_MESSAGE(wrong.status == 77, wrong.all());
}

TEST_CASE("smtptest: one authenticated session serves several programs on a socket") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    const std::string path = tool.scratch.at("door");
    const FakeSmtp fake({{greeting(), ehlo("AUTH PLAIN"), Turn::on("AUTH PLAIN", "235 ok\r\n"), Turn::on("NOOP", "250 first\r\n"),
                          Turn::on("RSET", "250 ok\r\n"), Turn::on("NOOP", "250 second\r\n"), Turn::on("DATA", "354 go\r\n"),
                          Turn::on("QUIT", "221 bye\r\n")}});
    const std::vector<std::string> arguments{"-m", "PLAIN", "-a", "you", "-w", "x", "-p", std::to_string(fake.port())};
    auto with = arguments;
    with.insert(with.end(), {"-x", path, "127.0.0.1"});
    auto session = tool.start(with);
    const auto client = [&] {
        Result<sys::Fd> fd = base::fail(Kind::closed, "never tried");
        eventually([&] { return (fd = sys::dial_unix(path, soon())).has_value(); });
        return Stream(must(std::move(fd)));
    };
    auto first = client();
    CHECK(first.ask("NOOP") == "250 first\r\n");
    CHECK(first.ask("QUIT").starts_with("221 "));
    first.close();
    auto second = client();
    CHECK(second.ask("NOOP") == "250 second\r\n");
    CHECK(second.ask("DATA") == "354 go\r\n");
    must(second.send("half a mess"));
    second.close();  // what the server has heard is nobody's: the session ends
    CHECK(must(session.wait()).how == sys::Ending::How::exited);
    CHECK(fake.wait_for(0).bytes.find("half") == std::string::npos);
    CHECK_FALSE(tool.scratch.exists("door"));

    // In the background: the one that was started is gone, and the session is there.
    const FakeSmtp other({{greeting(), ehlo("X"), Turn::on("NOOP", "250 here\r\n").and_close()}});
    auto behind =
        run_tool(tool.program, {"--no-auth", "-X", path, "-p", std::to_string(other.port()), "127.0.0.1"}, "", tool.scratch);
    CHECK_MESSAGE(behind.status == 0, behind.all());
    auto third = client();
    CHECK(third.ask("NOOP") == "250 here\r\n");
    third.close();
    CHECK(eventually([&] { return !tool.scratch.exists("door"); }));
}

TEST_CASE("smtptest: the dialogues of the tests, as scripts against a real server") {
    const Tool tool;
    NEEDS_SMTPTEST(tool);
    TalkSite site;
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    tool.scratch.write("mine.dialog",
                       "s: 220\nc: EHLO client.home.arpa\n=== plain\ns: 250\ns+ STARTTLS\nc: QUIT\ns: 221\nclosed\n"
                       "=== secure\ns: 250\nc: STARTTLS\ns: 220\ntls\nc: EHLO client.home.arpa\ns: 250\ns! STARTTLS\n"
                       "auth SCRAM-SHA-256-PLUS you secret\ns: 235\ncut\nc: QUIT\nwait\ns: 221\nclose\nclosed\n"
                       "=== refused\ns: 250\nc: STARTTLS\ns: 220\ntls\nc: EHLO client.home.arpa\ns: 250\n"
                       "auth PLAIN you wrong\ns: 535\nc: QUIT\ns: 221\n");
    const auto good = tool.at(site.port, {"--script", tool.scratch.at("mine.dialog")});
    CHECK_MESSAGE(good.status == 0, good.all());
    CHECK(good.says("=== secure\n"));
    // Those that need no world but our domain and one user.
    TalkSite ours({"-h", "example.org"}, false);
    for (const char* name : {"hello", "bad-sequence", "second-mail"}) {
        const auto said = tool.at(ours.port, {"--script", std::string("tests/dialog/") + name + ".dialog"});
        CHECK_MESSAGE(said.status == 0, said.all());
    }
    tool.scratch.write("bad.dialog", "s: 220\nc: EHLO client.home.arpa\n\ns: 550\n");
    const auto bad = tool.at(site.port, {"--script", tool.scratch.at("bad.dialog")});
    CHECK(bad.status == 1);
    CHECK(bad.err.find("bad.dialog:4: expected 550, got \"250-") != std::string::npos);
    tool.scratch.write("none.dialog", "s: 220\nhum\n");
    const auto none = tool.at(site.port, {"--script", tool.scratch.at("none.dialog")});
    CHECK(none.status == 64);
    CHECK(none.err.find("none.dialog:2: ") != std::string::npos);
}
