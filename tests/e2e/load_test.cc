// smtp-source and smtp-sink against each other and against Postfix's programs of these names.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.hh"
#include "tests/e2e/load_house.hh"
#include "tests/support/certificates.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/terminal.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

TEST_CASE("load: source against sink in every way of speaking") {
    NEEDS_LOAD;
    struct Row {
        std::vector<std::string> source, sink;
        long connections;
    };
    const Row rows[] = {
        {{}, {}, 40},
        {{"-d"}, {}, 4},
        {{"--connections-per", "5"}, {}, 11},
        {{"-o"}, {}, 40},
        {{"-L"}, {"-L"}, 40},
        {{"-d", "-L", "--pipelining"}, {"-L"}, 4},
        {{"--ehlo"}, {}, 40},
        {{"-d", "--pipelining"}, {}, 4},
        {{"--pipelining"}, {}, 40},
        {{"-d", "--bdat"}, {}, 4},
        {{"-d", "--bdat", "--pipelining"}, {}, 4},
        {{"-d", "-L", "--bdat", "--pipelining"}, {"-L"}, 4},
        {{"-d", "-l", "300000"}, {"-T", "65536"}, 4},
        {{"-d", "--size", "0-200k", "--pipelining"}, {}, 4},
    };
    for (const auto& row : rows) {
        std::string shown;
        for (const auto& word : row.source) shown += word + " ";
        INFO(shown);
        Sink sink(row.sink);
        const auto said = source(joined(row.source, {"-s", "4", "-m", "40", "-r", "3", sink.where}));
        CHECK(said.err == "");
        CHECK(said.status == 0);
        CHECK(said.number("sent") == 40);
        CHECK(said.number("failed") == 0);
        // A session that found no message left never connected.
        CHECK(said.number("connections") <= row.connections);
        const auto counts = sink.end();
        CHECK(counts.status == 0);
        CHECK(counts.number("messages") == 40);
        CHECK(counts.number("recipients") == 120);
        CHECK(counts.number("sessions") == said.number("connections"));
        CHECK(counts.number("quits") == counts.number("sessions"));
        CHECK(counts.number("lost") == 0);
    }
}

TEST_CASE("load: a thousand sessions in parallel, none fails") {
    NEEDS_LOAD;
    Sink sink({});
    const auto said = source({"-s", "1000", "-m", "3000", "-l", "1000", sink.where});
    CHECK(said.err == "");
    CHECK(said.status == 0);
    CHECK(said.number("sent") == 3000);
    CHECK(sink.end().number("messages") == 3000);
}

TEST_CASE("load: over a socket of the file system") {
    NEEDS_LOAD;
    Scratch dir;
    Sink sink({"-M", "20"}, "unix:" + dir.at("socket"));
    const auto said = source({"-s", "5", "-m", "20", "unix:" + dir.at("socket")});
    CHECK(said.err == "");
    CHECK(said.number("sent") == 20);
    const auto counts = sink.end(0);
    CHECK(counts.status == 0);
    CHECK(counts.number("messages") == 20);
    CHECK_FALSE(dir.exists("socket"));
}

TEST_CASE("load: the messages arrive as they were made") {
    NEEDS_LOAD;
    Scratch dir;
    dir.write("message", "Subject: one\n\n.\n..\nbody\n");
    dir.write("form", "Subject: number %{number}\n\n%{payload}\n.\n");
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{}, {"-d", "--pipelining"}, {"-d", "--bdat", "--pipelining"}}) {
        Sink sink({"-D", dir.at("sub/dump"), "-S", "==\\n"});
        CHECK(source(joined(how, {"-F", dir.at("message"), "-f", "a@x", "-t", "b@y", "-N", sink.where})).status == 0);
        CHECK(source(joined(how, {"--template", dir.at("form"), "-l", "3", "-m", "2", sink.where})).status == 0);
        sink.end();
        const std::string dump = dir.read("sub/dump").value_or("");
        CHECK(dump.find("\nX-Mail-Args: <a@x>\nX-Rcpt-Args: <1b@y>\n") != std::string::npos);
        CHECK(dump.find("\nSubject: one\n\n.\n..\nbody\n\n") != std::string::npos);
        CHECK(dump.find("\nSubject: number 1\n\nXXX\n\n.\n\n") != std::string::npos);
        CHECK(dump.find("\nSubject: number 2\n\nXXX\n\n.\n\n") != std::string::npos);
        must(sys::replace_file(dir.at("sub/dump"), "", 0600));
    }
    Sink one({"-d", dir.at("each/x.")});
    CHECK(source({"-m", "3", one.where}).status == 0);
    one.end();
    CHECK(dir.list("each").size() == 3);
}

TEST_CASE("load: whatever the server does, the exit status tells the truth") {
    NEEDS_LOAD;
    struct Row {
        std::vector<std::string> sink;
        int status;
        const char* failure;
    };
    const Row rows[] = {
        {{"-f", "connect"}, 69, "refused"}, {{"-r", "connect"}, 75, "later"},        {{"-f", "mail"}, 69, "refused"},
        {{"-r", "rcpt"}, 75, "later"},      {{"-f", "data"}, 69, "refused"},         {{"-r", "."}, 75, "later"},
        {{"-q", "mail"}, 75, "lost"},       {{"-Q", "rcpt"}, 75, "later"},           {{"--half", "data"}, 75, "lost"},
        {{"--reset", "."}, 75, "lost"},     {{"--garbage", "rcpt"}, 76, "protocol"}, {{"--stall", "."}, 75, "timeout"},
        {{"-A", "0"}, 69, "refused"},       {{"-q", "connect"}, 75, "lost"},
    };
    for (const auto& row : rows) {
        INFO(row.sink[0], " ", row.sink[1]);
        Sink sink(row.sink);
        for (const bool carry_on : {false, true}) {
            std::vector<std::string> words{"-m", "3", "--timeout", "1s", sink.where};
            if (carry_on) words.insert(words.begin(), "-A");
            const auto said = source(words);
            CHECK(said.status == row.status);
            CHECK(said.number("sent") == 0);
            CHECK(said.number("failed") == (carry_on ? 3 : 1));
            CHECK(said.number(row.failure) == said.number("failed"));
            CHECK(said.err != "");
        }
        CHECK(sink.end().number("messages") == 0);
    }
}

TEST_CASE("load: a reply that stalls in the middle of its line holds up no other session") {
    NEEDS_LOAD;
    // The original reads with blocking calls: one such server thread stops them all.
    Script stalls{Turn::say("220 x\r\n"), Turn::on("EHLO", "250-ha").and_stall()};
    FakeSmtp server({stalls, FakeSmtp::accepting()});
    const auto said = source({"--ehlo", "-A", "-s", "2", "-m", "8", "--threads", "1", "--timeout", "2s", at(server.port())});
    CHECK(said.number("sent") == 7);
    CHECK(said.number("timeout") == 1);
    CHECK(said.status == 75);
}

TEST_CASE("load: no server, no host, no file, no sense") {
    NEEDS_LOAD;
    const auto port = must(listen_at("127.0.0.1")).port;
    const auto refused = source({"-C", "2", at(port)});
    CHECK(refused.status == 75);
    CHECK(refused.number("unreachable") == 1);
    CHECK(refused.err.find("warning: connecting to " + at(port) + ": Connection refused\n") != std::string::npos);
    CHECK(source({"-6", at(port)}).status == 68);
    CHECK(source({"-F", "/nowhere/file", at(port)}).status == 66);
    CHECK(source({"--nothing", at(port)}).status == 64);
    CHECK(source({"--auth", "a", "--password-file", "/nowhere/pw", at(port)}).status == 78);
    const auto usage = run_load(load_path(), {});
    CHECK(usage.status == 64);
    CHECK(usage.out == "");
    CHECK(usage.err.starts_with("smtp-source: one server is needed\nusage: smtp-source "));
    // An address that nobody answers at, and one that somebody does.
    Sink sink({});
    CHECK(source({"localhost:" + sink.where.substr(sink.where.rfind(':') + 1)}).status == 0);
}

TEST_CASE("load: --csv writes into what its name stands for, and never costs the summary") {
    NEEDS_LOAD;
    Scratch dir;
    dir.write("csv", "");
    REQUIRE(::symlink("csv", dir.at("link").c_str()) == 0);
    Sink sink({});
    CHECK(source({"--csv", dir.at("link"), sink.where}).status == 0);
    CHECK(dir.read("csv").value_or("").starts_with("phase,count,"));
    const auto both = source({"--csv", "/dev/fd/1", sink.where});
    CHECK(both.number("sent") == 1);
    CHECK(both.out.find("\nphase,count,") != std::string::npos);
    REQUIRE(::mkfifo(dir.at("fifo").c_str(), 0600) == 0);
    CHECK(source({"--csv", dir.at("fifo"), sink.where}).status == 73);  // nobody reads it
    const auto nowhere = source({"--csv", dir.at("none/csv"), sink.where});
    CHECK(nowhere.status == 73);
    CHECK(nowhere.number("sent") == 1);
    CHECK(nowhere.err.find("none/csv: No such file or directory") != std::string::npos);
}

TEST_CASE("load: rate, duration, sources, figures") {
    NEEDS_LOAD;
    Scratch dir;
    Sink sink({});
    const auto paced = source({"--rate", "50", "-m", "6", "-s", "3", sink.where});
    CHECK(paced.number("sent") == 6);
    CHECK(paced.out.find("\"elapsed\":0.0") == std::string::npos);  // five fiftieths of a second at least
    const auto timed =
        source({"--duration", "300ms", "-d", "-s", "2", "--source", "127.0.0.1,127.0.0.2", "--csv", dir.at("csv"), sink.where});
    CHECK(timed.status == 0);
    CHECK(timed.number("sent") > 0);
    CHECK(timed.number("sent") + 6 == sink.end().number("messages"));
    CHECK(dir.read("csv").value_or("").starts_with("phase,count,"));

    Sink other({});
    const auto text = run_load(load_path(), {"-c", "-m", "5", other.where});
    CHECK(text.status == 0);
    CHECK(text.out.find("5\r\nsent         5 messages to 5 recipients") != std::string::npos);
    CHECK(text.out.find("\nwhole             5 ") != std::string::npos);
    CHECK(text.err == "");
}

TEST_CASE("load: a signal ends the run, and the summary is still said") {
    NEEDS_LOAD;
    Scratch dir;
    Sink sink({});
    const sys::Fd out(must(sys::create_file(dir.at("out"), 0600)));
    auto command = load_command(load_path(), {"-c", "-d", "--duration", "1m", "--rate", "100", sink.where});
    command.out = out.get();
    auto child = must(sys::Child::spawn(command));
    CHECK(eventually([&] { return dir.read("out").value_or("") != ""; }));
    child.kill(2);
    const auto ending = must(child.wait(soon()));
    CHECK(ending.how == sys::Ending::How::exited);
    CHECK(ending.status == 75);
    CHECK(dir.read("out").value_or("").find("stopped before the end\nsent ") != std::string::npos);
}

TEST_CASE("load: on a terminal the figures run while it works, and the summary takes their place") {
    NEEDS_LOAD;
    struct Row {
        std::vector<std::string> words;
        bool display;
    };
    const Row rows[] = {{{}, true}, {{"-c"}, true}, {{"-v"}, false}};  // -v has the lines for itself
    for (const auto& [words, display] : rows) {
        Sink sink({});
        OnTerminal terminal(load_path(), joined(words, {"-d", "--duration", "1m", "--rate", "100", sink.where}));
        const std::string line = "/s, p50 ", gone = "\r\x1b[K";
        CHECK(terminal.shows(display ? line : "<<< 354"));
        terminal.kill(SIGINT);
        CHECK(terminal.end() == 75);
        INFO(base::printable(terminal.shown, 4000));
        const std::size_t figures = terminal.shown.find(line), summary = terminal.shown.find("stopped before the end");
        REQUIRE(summary != std::string::npos);
        CHECK((figures < summary) == display);
        if (!display) {
            CHECK(terminal.shown.find(gone) == std::string::npos);
            continue;
        }
        // Each line takes the last one's place, and the summary the last of all.
        CHECK(terminal.shown.rfind(gone, figures) != std::string::npos);
        CHECK(terminal.shown.rfind(gone, summary) + gone.size() == summary);
    }
}

TEST_CASE("load: TLS and AUTH, or nothing at all") {
    NEEDS_LOAD;
    Scratch dir;
    const Authority authority;
    dir.write("root", authority.pem());
    dir.write("cert", authority.issue({.names = "DNS:localhost"}));
    dir.write("password", "secret\n");
    dir.write("wrong", "other\n");
    const std::vector<std::string> server{"--cert", dir.at("cert"), "--user", "joe:secret"};
    const std::vector<std::string> login{"--auth", "joe", "--password-file", dir.at("password")};
    {
        Sink sink(server);
        for (const std::vector<std::string>& how :
             {std::vector<std::string>{}, {"-d"}, {"-d", "--pipelining", "-l", "300000"}, {"--bdat"}}) {
            const auto said =
                source(joined(joined({"--tls", "starttls", "-s", "3", "-m", "9"}, joined(login, how)), {sink.where}));
            CHECK(said.err == "");
            CHECK(said.status == 0);
            CHECK(said.number("sent") == 9);
        }
        const auto wrong = source({"--tls", "starttls", "--auth", "joe", "--password-file", dir.at("wrong"), sink.where});
        CHECK(wrong.status == 77);
        CHECK(wrong.number("auth") == 1);
        const auto doubted = source({"--tls", "starttls", "--ca", "/etc/ssl/certs", sink.where});
        CHECK(doubted.status == 76);
        CHECK(doubted.err.find("not to be believed") != std::string::npos);
        // The strongest of those offered, of which only the name is shown.
        const auto shown = source(joined({"-v", "--tls", "starttls"}, joined(login, {sink.where})));
        CHECK(shown.status == 0);
        CHECK(shown.err.find(" SCRAM-SHA-256-PLUS\n") != std::string::npos);
        CHECK(shown.err.find(">>> AUTH SCRAM-SHA-256-PLUS ***\n") != std::string::npos);
        CHECK(shown.err.find(">>> ***\n") != std::string::npos);
        const auto counts = sink.end();
        CHECK(counts.number("messages") == 37);
    }
    {
        Sink sink(joined(server, {"--smtps", "-L"}));
        const auto said = source(joined({"--tls", "smtps", "-L", "-d", "-m", "5", "--ca", dir.at("root")},
                                        {"localhost:" + sink.where.substr(sink.where.rfind(':') + 1)}));
        CHECK(said.err == "");
        CHECK(said.number("sent") == 5);
        CHECK(source({"--tls", "starttls", "--timeout", "1s", sink.where}).status != 0);
        CHECK(sink.end().number("messages") == 5);
    }
    {
        Sink sink({});  // offers none
        const auto said = source(joined({"--tls", "starttls", "-A", "-m", "2"}, joined(login, {sink.where})));
        CHECK(said.status == 76);
        CHECK(said.number("tls") == 2);
        const auto counts = sink.end();
        CHECK(counts.number("messages") == 0);
        CHECK(counts.number("refused") == 0);
    }
}

TEST_CASE("load: ours against Postfix's smtp-sink") {
    NEEDS_LOAD;
    if (postfix_program("smtp-sink").empty()) SKIP("Postfix's smtp-sink is not installed");
    {
        PostfixSink sink({});
        for (const std::vector<std::string>& how :
             {std::vector<std::string>{}, {"-d"}, {"-d", "--pipelining", "-r", "3"}, {"-o"}, {"-d", "-l", "100000"}}) {
            const auto said = source(joined(how, {"-s", "10", "-m", "100", sink.where()}));
            CHECK(said.err == "");
            CHECK(said.status == 0);
            CHECK(said.number("sent") == 100);
        }
        const auto many = source({"-s", "1000", "-m", "1000", sink.where()});
        CHECK(many.err == "");
        CHECK(many.number("sent") == 1000);
    }
    PostfixSink lmtp({"-L"});
    CHECK(source({"-L", "-m", "10", "-r", "2", lmtp.where()}).number("recipients") == 20);
    PostfixSink refuses({"-r", "rcpt"});
    CHECK(source({"-A", "-m", "3", refuses.where()}).number("later") == 3);
}

TEST_CASE("load: Postfix's smtp-source against our sink") {
    NEEDS_LOAD;
    const std::string theirs = postfix_program("smtp-source");
    if (theirs.empty()) SKIP("Postfix's smtp-source is not installed");
    Sink sink({});
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{}, {"-d"}, {"-d", "-l", "100000"}, {"-o"}, {"-r", "3", "-N"}})
        CHECK(run_load(theirs, joined(how, {"-M", "h", "-s", "5", "-m", "50", sink.where})).status == 0);
    const auto counts = sink.end();
    CHECK(counts.number("messages") == 250);
    CHECK(counts.number("recipients") == 350);
    Sink lmtp({"-L"});
    CHECK(run_load(theirs, {"-L", "-M", "h", "-m", "5", "-r", "2", lmtp.where}).status == 0);
    CHECK(lmtp.end().number("messages") == 5);
    Sink refuses({"-f", "rcpt"});
    const auto said = run_load(theirs, {"-M", "h", refuses.where});
    CHECK(said.status == 1);
    CHECK(said.err.find("recipient rejected: 500") != std::string::npos);
}

TEST_CASE("load: both put the same message on the wire") {
    NEEDS_LOAD;
    const std::string theirs = postfix_program("smtp-source");
    if (theirs.empty()) SKIP("Postfix's smtp-source is not installed");
    // All that may differ is the date and the identifier.
    const auto heard = [](const std::string& program, std::vector<std::string> words, bool ours) {
        Script script{Turn::say("220 x\r\n"), Turn::on("HELO", "250 x\r\n"), Turn::on("MAIL", "250 x\r\n")};
        for (int i = 0; i < 2; ++i) script.push_back(Turn::on("RCPT", "250 x\r\n"));
        for (const auto& turn : {Turn::on("DATA", "354 x\r\n"), Turn::body("250 x\r\n"), Turn::on("QUIT", "221 x\r\n")})
            script.push_back(turn);
        FakeSmtp server({script});
        words.insert(words.end(), {"-M", "h.example", "-f", "a@x", "-t", "b@y", "-S", "s", at(server.port())});
        const auto said = run_load(program, words);
        CHECK(said.status == 0);
        CHECK((ours || said.out == ""));
        std::string out;
        const std::string bytes = server.wait_for(0).bytes;
        for (const auto line : base::split(bytes, '\n'))
            if (!line.starts_with("Date: ") && !line.starts_with("Message-Id: ")) out.append(line).append("\n");
        return out;
    };
    for (const std::vector<std::string>& how : {std::vector<std::string>{"-r", "2"},
                                                {"-r", "2", "-l", "1"},
                                                {"-r", "2", "-l", "80"},
                                                {"-r", "2", "-l", "81"},
                                                {"-r", "2", "-l", "161"},
                                                {"-N", "-r", "2", "-l", "1000"}})
        CHECK(heard(load_path(), how, true) == heard(theirs, how, false));
}
