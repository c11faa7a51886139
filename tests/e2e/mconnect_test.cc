// The real mconnect against the real smtpd, and against servers that misbehave.
#include <signal.h>
#include <sys/socket.h>

#include "tests/e2e/talk_site.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

struct Tool {
    Scratch scratch;
    std::string program = program_path("mconnect");

    Said run(std::vector<std::string> arguments, std::string_view input) const {
        return run_tool(program, std::move(arguments), input, scratch);
    }
    Said at(std::uint16_t port, std::string_view input, std::vector<std::string> more = {}) const {
        more.insert(more.end(), {"-p", std::to_string(port), "127.0.0.1"});
        return run(std::move(more), input);
    }
    Session start(std::vector<std::string> arguments) const {
        Start how;
        how.program = program;
        how.arguments = std::move(arguments);
        how.wire = Wire::pipes;
        return must(Session::start(how));
    }
};

#define NEEDS_MCONNECT(tool) \
    if ((tool).program.empty()) SKIP("mconnect is not built")

}  // namespace

TEST_CASE("mconnect: a dialogue with smtpd, and STARTTLS that was only typed") {
    const Tool tool;
    NEEDS_MCONNECT(tool);
    const TalkSite site;
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    const auto said = tool.at(site.port, "EHLO client.home.arpa\nSTARTTLS\nEHLO client.home.arpa\nQUIT\n",
                              {"-x", tool.scratch.at("transcript")});
    INFO(said.all());
    CHECK(said.status == 0);
    CHECK(said.out.starts_with("connecting to host 127.0.0.1 (127.0.0.1), port " + std::to_string(site.port) +
                               "\nconnection open\n220 "));
    CHECK(said.says("250-STARTTLS\r\n"));
    CHECK(said.says("TLSv1.3 with cipher "));
    CHECK(said.says("certificate not verified: "));
    const std::size_t up = said.out.find("TLSv1.3");
    CHECK(said.out.find("STARTTLS", up) == std::string::npos);
    CHECK(said.out.find("\r\n221 ", up) != std::string::npos);
    CHECK(said.err.empty());
    const auto text = tool.scratch.read("transcript").value_or("");
    CHECK(text.starts_with("S: 220 "));
    CHECK(text.find("\nC: STARTTLS\n") != std::string::npos);
    CHECK(text.find("\nC: QUIT\n") != std::string::npos);
    CHECK(text.find("\nS: 221 ") != std::string::npos);
    CHECK(tool.at(site.port, "QUIT\n", {"-x", tool.scratch.at("transcript")}).status == 73);
}

TEST_CASE("mconnect: TLS from the first octet, a source address, IPv4 asked for") {
    const Tool tool;
    NEEDS_MCONNECT(tool);
    const TalkSite site({"-t"});
    if (!site.ready()) SKIP("smtpd or smtpd-tls is not built");
    Said said{75, "", ""};
    // There is no dialogue by which to see that it listens.
    eventually([&] { return (said = tool.at(site.port, "QUIT\n", {"-t", "-4", "-h", "-b", "127.0.0.2"})).status != 75; });
    INFO(said.all());
    CHECK(said.status == 0);
    CHECK(said.says("TLSv1.3 with cipher "));
    CHECK(said.says("\r\n221 "));
    CHECK(eventually([&] { return site.site.scratch.read("log").value_or("").find("ip=127.0.0.2") != std::string::npos; }));
}

TEST_CASE("mconnect: who cannot be reached, and what is no command line") {
    const Tool tool;
    NEEDS_MCONNECT(tool);
    const auto closed = must(listen_at("127.0.0.1")).port;
    struct Row {
        std::vector<std::string> arguments;
        int status;
        std::string_view words;
    };
    const Row rows[] = {
        {{"no-such-host.invalid", "--timeout", "3s"}, 68, ""},
        {{"-p" + std::to_string(closed), "127.0.0.1"}, 75, "Connection refused"},
        {{"-p", std::to_string(closed), "localhost"}, 75, "Connection refused"},
        {{"unix:" + tool.scratch.at("none")}, 75, "No such file or directory"},
        {{"-6", "127.0.0.1"}, 68, "family"},
        {{"-p", "99999", "127.0.0.1"}, 64, "99999"},
        {{"-p", "no-such-service", "127.0.0.1"}, 64, "no-such-service"},
        {{"-4", "-6", "x"}, 64, "exclude"},
        {{"a", "b"}, 64, "one host"},
        {{"-y"}, 64, "unknown option -y"},
        {{"unix:"}, 64, "path"},
        {{"--timeout", "x"}, 64, "duration"},
        {{"-p"}, 64, "needs an argument"},
    };
    for (const Row& row : rows) {
        const auto said = tool.run(row.arguments, "");
        INFO(row.arguments.front() << " " << said.all());
        // Without a name server nobody knows whether there is such a host.
        if (row.status == 68 && row.words.empty() && said.status == 75) continue;
        CHECK(said.status == row.status);
        CHECK(said.all().find(row.words) != std::string::npos);
    }
}

TEST_CASE("mconnect: over a UNIX socket, and what the last reply said") {
    const Tool tool;
    NEEDS_MCONNECT(tool);
    const std::string path = tool.scratch.at("socket");
    const FakeSmtp local({{Turn::say("220 here\r\n"), Turn::on("QUIT", "221 bye\r\n").and_close()}}, FakeSmtp::UnixSocket{path});
    const auto said = tool.run({"unix:" + path}, "quit\n");
    CHECK_MESSAGE(said.status == 0, said.all());
    CHECK(said.says("connecting to " + path + "\nconnection open\n220 here\r\n221 bye\r\n"));
    const FakeSmtp later({{Turn::say("421 too many\r\n").and_close()}});
    CHECK(tool.at(later.port(), "quit\n").status == 75);
    const FakeSmtp never({{Turn::say("554 go away\r\n").and_close()}});
    CHECK(tool.at(never.port(), "quit\n").status == 69);
    const FakeSmtp rude({{Turn::say("554 go away\r\n"), Turn::on("QUIT", "").and_reset()}});
    CHECK(tool.at(rude.port(), "quit\n").status == 69);
}

TEST_CASE("mconnect: line ends on the wire, cooked and raw") {
    const Tool tool;
    NEEDS_MCONNECT(tool);
    const Script listens{Turn::say("220 x\r\n"), Turn::on("QUIT", "221 bye\r\n").and_close()};
    const FakeSmtp fake({listens, listens, listens});
    tool.at(fake.port(), "QUIT\n");
    CHECK(fake.wait_for(0).bytes == "QUIT\r\n");
    tool.at(fake.port(), "QUIT\r\n");
    CHECK(fake.wait_for(1).bytes == "QUIT\r\n");
    tool.at(fake.port(), "QUIT\r\n", {"-r"});
    CHECK(fake.wait_for(2).bytes == "QUIT\r\n");
    const FakeSmtp bare({{Turn::say("220 x\r\n"), Turn::take(6, "250 ok\r\n").and_close()}});
    tool.at(bare.port(), "a\rb\nc\n", {"-r"});
    CHECK(bare.wait_for(0).bytes == "a\rb\nc\n");
}

TEST_CASE("mconnect: the end of input is the end of our side only, and the server's close ends it") {
    const Tool tool;
    NEEDS_MCONNECT(tool);
    const auto door = must(listen_at("127.0.0.1"));
    auto session = tool.start({"-p", std::to_string(door.port), "127.0.0.1"});
    sys::Fd accepted(::accept4(door.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(accepted);
    Stream server(std::move(accepted));
    must(server.send("220 x\r\n"));
    must(session.wire.send("HELO a\nlast"));
    session.wire.half_close();
    CHECK(must(server.read_to_end()) == "HELO a\r\nlast");
    // There was time to stop listening.
    must(server.send("250 late\r\n"));
    server.close();
    const auto out = must(session.wire.read_to_end());
    CHECK(out.ends_with("220 x\r\n250 late\r\n"));
    CHECK(must(session.wait()).ok());
}

TEST_CASE("mconnect: an interrupt ends it at once") {
    const Tool tool;
    NEEDS_MCONNECT(tool);
    const FakeSmtp fake({{Turn::say("220 x\r\n").and_stall()}});
    auto session = tool.start({"-p", std::to_string(fake.port()), "127.0.0.1"});
    while (session.wire.reply() != "220 x\r\n") REQUIRE(must(session.wire.wait_readable(soon())));
    session.signal(SIGINT);
    const auto ending = must(session.wait());
    CHECK(ending.ok());
}

TEST_CASE("mconnect: a server that says nothing, and one that speaks before the handshake") {
    const Tool tool;
    NEEDS_MCONNECT(tool);
    const FakeSmtp silent({{Turn::say("").and_stall()}});
    const auto said = tool.at(silent.port(), "QUIT\n", {"--timeout", "300ms"});
    CHECK_MESSAGE(said.status == 75, said.all());
    CHECK(said.err == "mconnect: the server says nothing\n");
    const FakeSmtp injects({{Turn::say("220 x\r\n"), Turn::on("STARTTLS", "220 go\r\n250 injected\r\n")}});
    const auto seen = tool.at(injects.port(), "STARTTLS\nEHLO x\n");
    CHECK_MESSAGE(seen.status == 76, seen.all());
    CHECK_FALSE(seen.says("injected"));
    CHECK(injects.wait_for(0).bytes == "STARTTLS\r\n");
    const FakeSmtp refuses({{Turn::say("220 x\r\n"), Turn::on("STARTTLS", "454 not now\r\n"), Turn::on("QUIT", "221 bye\r\n")}});
    CHECK(tool.at(refuses.port(), "STARTTLS\nQUIT\n").status == 0);
}
