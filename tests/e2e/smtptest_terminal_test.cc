// smtptest as a person meets it: in a terminal of tmux's. And beside the program whose letters it has.
#include <unistd.h>

#include "tests/e2e/talk_site.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// One window of a tmux server of its own.
class Window {
public:
    Window(std::string tmux, const Scratch& scratch) : tmux_(std::move(tmux)), scratch_(scratch) {}
    ~Window() { call({"kill-server"}); }
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    void open(const std::string& command) { call({"-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "60", command}); }
    void type(const std::string& text) { call({"send-keys", "-l", text}); }
    void key(const std::string& name) { call({"send-keys", name}); }
    std::string screen(bool colours = false) {
        std::vector<std::string> words{"capture-pane", "-p"};
        if (colours) words.emplace_back("-e");
        return call(words);
    }
    bool shows(std::string_view text) {
        return eventually([&] { return screen().find(text) != std::string::npos; });
    }

private:
    std::string call(std::vector<std::string> words) {
        words.insert(words.begin(), {"-S", scratch_.at("tmux")});
        sys::Command command;
        command.path = tmux_;
        command.arguments = std::move(words);
        command.environment = {"PATH=/usr/bin:/bin", "TERM=xterm-256color", "LC_ALL=C.UTF-8", "HOME=" + scratch_.path(),
                               "SHELL=/bin/sh"};
        const auto said = sys::run(command, soon(), 1 << 20, 4096);
        return said ? said->out : std::string();
    }
    std::string tmux_;
    const Scratch& scratch_;
};

std::string status_file(const Scratch& scratch) { return scratch.read("status").value_or(""); }

}  // namespace

TEST_CASE("smtptest: in a terminal: editing, history, colours, STARTTLS and AUTH") {
    const std::string tmux = find_program("tmux"), program = program_path("smtptest");
    if (program.empty()) SKIP("smtptest is not built");
    if (tmux.empty()) SKIP("tmux is not installed");
    const TalkSite site;
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    const Scratch scratch;
    Window window(tmux, scratch);
    // What the terminal was before, it is afterwards.
    window.open("stty -a > " + scratch.at("before") + "; " + program + " --no-auth -p " + std::to_string(site.port) +
                " 127.0.0.1; echo $? > " + scratch.at("status") + "; stty -a > " + scratch.at("after") + "; cat");
    REQUIRE(window.shows("250 HELP\nC:"));
    window.type("NOOPx");
    window.key("BSpace");
    window.key("Enter");
    REQUIRE(window.shows("C: NOOP\nS: 250 2.0.0 ok\n"));
    window.type("FOO");
    window.key("Enter");
    REQUIRE(window.shows("S: 500 5.5.1"));
    const auto coloured = window.screen(true);
    CHECK(coloured.find("\x1b[32m250 2.0.0 ok") != std::string::npos);
    CHECK(coloured.find("\x1b[31m500 5.5.1") != std::string::npos);
    window.key("Up");
    window.key("Up");
    REQUIRE(window.shows("C: NOOP\n"));
    window.key("C-u");
    window.type("STARTTLS");
    window.key("Enter");
    REQUIRE(window.shows("TLS connection established: TLSv1.3"));
    window.type("EHLO again.home.arpa");
    window.key("Enter");
    REQUIRE(window.shows("250-AUTH SCRAM-SHA-256-PLUS"));
    window.type(".auth SCRAM-SHA-256-PLUS you secret");
    window.key("Enter");
    REQUIRE(window.shows("S: 235 "));
    window.key("C-d");
    REQUIRE(window.shows("S: 221 "));
    REQUIRE(window.shows("Connection closed."));
    CHECK(eventually([&] { return !status_file(scratch).empty() && scratch.exists("after"); }));
    CHECK(status_file(scratch) == "0\n");
    CHECK(eventually([&] { return scratch.read("after").value_or("").size() == scratch.read("before").value_or("x").size(); }));
    CHECK(scratch.read("before") == scratch.read("after"));
}

TEST_CASE("smtptest: in a terminal: the password is asked for and not shown; the server leaves") {
    const std::string tmux = find_program("tmux"), program = program_path("smtptest");
    if (program.empty()) SKIP("smtptest is not built");
    if (tmux.empty()) SKIP("tmux is not installed");
    const FakeSmtp fake(
        {{Turn::say("220 mock ESMTP\r\n"), Turn::on("EHLO", "250-mock\r\n250 AUTH PLAIN\r\n"),
          Turn::on("AUTH PLAIN AHlvdQBzM2NyM3Q=", "235 ok\r\n"), Turn::on("NOOP", "250 ok\r\n421 enough\r\n").and_close()}});
    const Scratch scratch;
    Window window(tmux, scratch);
    window.open(program + " -m PLAIN -a you -p " + std::to_string(fake.port()) + " 127.0.0.1; echo $? > " + scratch.at("status") +
                "; cat");
    REQUIRE(window.shows("Password of you:"));
    window.type("s3cr3t");
    window.key("Enter");
    REQUIRE(window.shows("Authenticated."));
    CHECK(window.screen().find("s3cr3t") == std::string::npos);
    window.type("NOOP");
    window.key("Enter");
    REQUIRE(window.shows("S: 421 enough"));
    REQUIRE(window.shows("Connection closed."));
    CHECK(eventually([&] { return status_file(scratch) == "75\n"; }));
}

TEST_CASE("mconnect: in a terminal: a dialogue, and an interrupt that leaves the terminal as it was") {
    const std::string tmux = find_program("tmux"), program = program_path("mconnect");
    if (program.empty()) SKIP("mconnect is not built");
    if (tmux.empty()) SKIP("tmux is not installed");
    const FakeSmtp fake({{Turn::say("220 mock ESMTP\r\n"), Turn::on("HELO x", "250 mock\r\n"), Turn::on("NEVER", "")}});
    const Scratch scratch;
    Window window(tmux, scratch);
    // The shell gets the interrupt, too.
    window.open("trap : INT; stty -a > " + scratch.at("before") + "; " + program + " -r -p " + std::to_string(fake.port()) +
                " 127.0.0.1; echo $? > " + scratch.at("status") + "; stty -a > " + scratch.at("after") + "; cat");
    REQUIRE(window.shows("220 mock ESMTP"));
    window.type("HELO x");
    window.key("C-m");
    window.key("C-j");
    REQUIRE(window.shows("250 mock"));
    window.key("C-c");
    CHECK(eventually([&] { return status_file(scratch) == "0\n"; }));
    CHECK(eventually([&] { return scratch.read("after").value_or("").size() == scratch.read("before").value_or("x").size(); }));
    CHECK(scratch.read("before") == scratch.read("after"));
    CHECK(fake.wait_for(0).bytes == "HELO x\r\n");
}

TEST_CASE("smtptest: beside Cyrus' smtptest: the same server hears the same") {
    const std::string ours = program_path("smtptest");
    std::string theirs = find_program("smtptest");
    for (const char* place : {"/usr/lib/cyrus/bin/smtptest", "/usr/lib/cyrus-imapd/smtptest"})
        if (theirs.empty() && ::access(place, X_OK) == 0) theirs = place;
    if (ours.empty()) SKIP("smtptest is not built");
    if (theirs.empty()) SKIP("Cyrus' smtptest is not installed");
    const Scratch scratch;
    struct Row {
        std::vector<std::string> arguments;
        std::vector<Turn> turns;
    };
    const Row rows[] = {
        {{"-m", "PLAIN", "-a", "you", "-w", "secret"}, {Turn::on("AUTH PLAIN", "235 ok\r\n")}},
        {{"-m", "PLAIN", "-a", "you", "-u", "bob", "-w", "secret"}, {Turn::on("AUTH PLAIN", "235 ok\r\n")}},
        {{"-i", "-m", "PLAIN", "-a", "you", "-w", "secret"}, {Turn::on("AUTH PLAIN", "334 \r\n"), Turn::on("", "235 ok\r\n")}},
        {{"-m", "LOGIN", "-a", "you", "-w", "secret"},
         {Turn::on("AUTH LOGIN", "334 VXNlcm5hbWU6\r\n"), Turn::on("", "334 UGFzc3dvcmQ6\r\n"), Turn::on("", "235 ok\r\n")}},
        {{"-m", "CRAM-MD5", "-a", "you", "-w", "secret"},
         {Turn::on("AUTH CRAM-MD5", "334 PDEuMkBteC5leGFtcGxlPg==\r\n"), Turn::on("", "235 ok\r\n")}},
    };
    unsigned compared = 0;
    for (const Row& row : rows) {
        Script script{Turn::say("220 mock ESMTP\r\n"),
                      Turn::on("EHLO", "250-mock\r\n250 AUTH " + row.arguments.at(row.arguments[0] == "-i" ? 2 : 1) + "\r\n")};
        script.insert(script.end(), row.turns.begin(), row.turns.end());
        script.push_back(Turn::on("NOOP", "250 ok\r\n"));
        script.push_back(Turn::on("QUIT", "221 bye\r\n").and_close());
        const FakeSmtp fake({script, script});
        const auto heard = [&](const std::string& program, std::size_t n) {
            auto arguments = row.arguments;
            arguments.insert(arguments.end(), {"-p", std::to_string(fake.port()), "127.0.0.1"});
            const auto said = run_tool(program, arguments, "NOOP\n", scratch);
            if (program == ours) {
                CHECK(said.says("Authenticated.\nSecurity strength factor: 0\n"));
                CHECK(said.says("Connection closed.\n"));
            }
            const auto bytes = fake.wait_for(n).bytes;
            return bytes.substr(std::min(bytes.find("\r\n"), bytes.size()));  // the name after EHLO is each one's own
        };
        INFO(row.arguments[1]);
        const auto original = heard(theirs, 0);
        // A Cyrus without the plug-ins for a mechanism says nothing.
        if (original.find("AUTH") == std::string::npos) {
            (void)heard(ours, 1);
            continue;
        }
        CHECK(heard(ours, 1) == original);
        ++compared;
    }
    if (compared == 0) SKIP("Cyrus' smtptest is installed without mechanisms");
}
