// send from the outside: what lands in new/, what standard error and the exit status say, what smtp is asked.
#include "tests/e2e/send_house.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

const std::string plain = "Subject: hi\n\nbody\n";
const std::string arrived = "Return-Path: <bob@x.example>\nDelivered-To: alice@example.org\n" + plain;
const std::string from_line = "From x.example!bob Sat Nov 21 23:44:04 2026 remote from \n";

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

#define NEEDS_SEND(house) \
    if ((house).send.empty()) SKIP("send is not built")

}  // namespace

TEST_CASE("send: every byte arrives, from a file and from a pipe") {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    const std::string bodies[] = {
        plain, "Subject: x\n\n" + all + "\n.\n..\nFrom nobody\n",      "no header at all", "A: b\r\n\r\nCRLF\r\n",
        "\n",  "Subject: big\n\n" + std::string(3'000'000, 'z') + "\n"};
    for (const auto& body : bodies) {
        CAPTURE(body.size());
        const SendHouse h({"alice"});
        NEEDS_SEND(h);
        const std::string expected = arrived.substr(0, arrived.size() - plain.size()) + body;
        CHECK(status(h.run({"-r", "--", "alice@example.org"}, from_line + body)) == 0);
        CHECK(h.messages("alice") == std::vector{expected});

        auto said = h.run({"-r", "alice"}, from_line + body, {"/bin/sh", "-c", "cat | \"$@\"", "sh"});
        CHECK(status(said) == 0);
        CHECK(said.err == "");
        CHECK(h.messages("alice") == std::vector{expected, expected});
        CHECK(h.dir.list("mail/example.org/alice/Maildir/tmp").empty());
    }
}

TEST_CASE("send: the message begins where standard input stands") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    const auto said = h.run({"alice"}, "first line\n" + from_line + plain, {"/bin/sh", "-c", "read line; exec \"$@\"", "sh"});
    CHECK(status(said) == 0);
    CHECK(h.messages("alice") == std::vector{arrived});
}

TEST_CASE("send: the sender") {
    struct {
        const char *line, *environment, *path;
    } const cases[] = {
        {"From x.example!bob Sat Nov 21 23:44:04 2026 remote from \n", "SENDER=eve@y.example", "<bob@x.example>"},
        {"From /dev/null Sat Nov 21 23:44:04 2026 remote from \n", "SENDER=eve@y.example", "<>"},
        {"", "SENDER=eve@y.example", "<eve@y.example>"},
        {"", "SENDER=y.example!eve", "<eve@y.example>"},
        {"", "SENDER=", "<>"},
        {"", "X=", "<>"},
        {"", "SENDER=a@b\nBcc: x@y", "<>"},
        {"From a@@b Sat\n", "SENDER=eve@y.example", "<eve@y.example>"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.line);
        CAPTURE(c.environment);
        SendHouse h({"alice"});
        NEEDS_SEND(h);
        h.environment.emplace_back(c.environment);
        CHECK(status(h.run({"alice"}, c.line + plain)) == 0);
        CHECK(h.messages("alice") ==
              std::vector{"Return-Path: " + std::string(c.path) + "\nDelivered-To: alice@example.org\n" + plain});
    }
}

TEST_CASE("send: one recipient known, one not: delivered, said, and postmaster told") {
    const SendHouse h({"alice", "chief"}, "[mailer]\npostmaster = chief\n");
    NEEDS_SEND(h);
    const auto said = h.run({"alice", "Nobody@example.org"}, from_line + plain);
    CHECK(status(said) == 0);
    CHECK(said.err == "Nobody@example.org: 550 5.1.1 Nobody@example.org: no such user\n");
    CHECK(h.messages("alice") == std::vector{arrived});
    REQUIRE(h.messages("chief").size() == 1);
    const std::string notice = h.messages("chief")[0];
    CHECK(notice.starts_with("Return-Path: <>\nDelivered-To: chief@example.org\nFrom: "));
    CHECK(has(notice, "from <bob@x.example>"));
    CHECK(has(notice, "\nNobody@example.org: 550 5.1.1 "));
    CHECK(has(notice, "\n    Subject: hi\n"));
}

TEST_CASE("send: nobody known") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    const auto said = h.run({"nobody", "../alice", "a/../../alice"}, plain);
    CHECK(status(said) == 67);
    CHECK(has(said.err, "nobody: 550 5.1.1 "));
    CHECK(h.files() == 0);
    CHECK(status(h.run({"alice", ""}, plain)) == 0);  // no notice to send: no postmaster
    CHECK(status(h.run({"@"}, plain)) == 67);
}

TEST_CASE("send: the same mailbox gets one copy") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    h.dir.write("aliases", "info: alice, alice@example.org\n");
    CHECK(status(h.run({"alice", "ALICE@example.org", "example.org!alice", "info"}, from_line + plain)) == 0);
    CHECK(h.messages("alice") == std::vector{arrived});
}

TEST_CASE("send: a message that has been here is a loop") {
    const SendHouse h({"alice", "carol"});
    NEEDS_SEND(h);
    const std::string looped = "Delivered-To: ALICE@example.org\n" + plain;
    const auto said = h.run({"alice"}, looped);
    CHECK(status(said) == 69);
    CHECK(has(said.err, "alice@example.org: 554 5.4.6 "));
    CHECK(h.files() == 0);
    CHECK(status(h.run({"alice", "carol"}, looped)) == 0);
    CHECK(h.messages("carol").size() == 1);
    CHECK(status(h.run({"alice"}, plain + "Delivered-To: alice@example.org\n")) == 0);  // in the body it is text
}

TEST_CASE("send: without smtp, mail for others waits, and so does the rest of the message") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    const auto said = h.run({"alice", "bob@far.example"}, plain);
    CHECK(status(said) == 75);
    CHECK(said.err == "bob@far.example: 451 4.3.0 smtp is not installed: mail for other hosts has to wait\n");
    CHECK(h.files() == 0);
}

TEST_CASE("send: what smtp is asked") {
    SendHouse h({"alice"});
    NEEDS_SEND(h);
    h.fake_smtp("{ echo \"$#\"; printf '%s\\n' \"$@\"; env | sort; cat; echo ==; } >>$D/asked; exit 0\n");
    h.environment.emplace_back("SECRET=x");
    const auto said = h.run({"alice", "bob@far.example", "[192.0.2.1]!root", "eve@FAR.example"}, from_line + plain);
    CHECK(status(said) == 0);
    CHECK(said.err == "");
    CHECK(h.messages("alice") == std::vector{arrived});
    const std::string asked = h.dir.read("asked").value_or("");
    CHECK(has(asked, "8\n-s\n-o\n-R\n1\n--\n[192.0.2.1]\nbob@x.example\nroot@[192.0.2.1]\n"));
    CHECK(has(asked, "9\n-s\n-o\n-R\n1\n--\nfar.example\nbob@x.example\nbob@far.example\neve@FAR.example\n"));
    CHECK(has(asked, "\nGREYLAG_CONF=" + h.dir.at("conf") + "\n"));
    CHECK(has(asked, "\nLANG=C\n"));
    CHECK(!has(asked, "SECRET"));
    std::size_t copies = 0;
    for (auto at = asked.find(plain); at != std::string::npos; at = asked.find(plain, at + 1)) ++copies;
    CHECK(copies == 2);  // each host gets the message from its beginning
    CHECK(!has(asked, "remote from"));

    const SendHouse strict({}, "[tls]\nrequire = on\n");
    strict.fake_smtp("echo \"$@\" >$D/asked\n");
    CHECK(status(strict.run({"bob@far.example"}, plain)) == 0);
    CHECK(strict.dir.read("asked") == "-s -R 1 -- far.example <> bob@far.example\n");
}

TEST_CASE("send: smtp's word on each recipient") {
    struct {
        const char *name, *script;
        int status;
        bool local;  // alice gets hers
        const char* err;
    } const cases[] = {
        {"all delivered", "echo 'd a@far.example 250 ok'; echo 'd b@far.example 250 ok'; exit 0", 0, true, ""},
        {"one later", "echo 'd a@far.example 250 ok'; echo 'l b@far.example 451 busy'; exit 75", 75, false,
         "b@far.example: 451 busy\n"},
        {"one never", "echo 'd a@far.example 250 ok'; echo 'n b@far.example 550 5.1.1 who'; exit 67", 0, true,
         "b@far.example: 550 5.1.1 who\n"},
        {"all never", "echo 'n a@far.example 550 5.1.1 who'; echo 'n b@far.example 554 no'; exit 69", 0, true,
         "a@far.example: 550 5.1.1 who\nb@far.example: 554 no\n"},
        {"no word, 75", "echo oops >&2; exit 75", 75, false,
         "a@far.example: 451 4.3.0 smtp: oops\nb@far.example: 451 4.3.0 smtp: oops\n"},
        {"killed", "kill -9 $$", 75, false, nullptr},
        {"killed half way", "echo 'd a@far.example 250 ok'; kill -9 $$", 75, false,
         "b@far.example: 451 4.3.0 smtp: it said nothing\n"},
        {"cannot run", nullptr, 75, false, nullptr},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        const SendHouse h({"alice"});
        NEEDS_SEND(h);
        h.fake_smtp(c.script == nullptr ? "" : c.script);
        if (c.script == nullptr) h.dir.write("libexec/smtp", "#!/nonexistent/interpreter\n", 0700);
        const auto said = h.run({"alice", "a@far.example", "b@far.example"}, from_line + plain);
        CHECK(status(said) == c.status);
        CHECK(h.messages("alice").size() == (c.local ? 1 : 0));
        CHECK(h.files() == (c.local ? 1 : 0));
        if (c.err != nullptr) CHECK(said.err == c.err);
    }
}

TEST_CASE("send: refusals alone have their status") {
    const SendHouse h({"alice"}, "[mailer]\nremote = refuse\n");
    NEEDS_SEND(h);
    h.fake_smtp("touch $D/asked");
    auto said = h.run({"a@far.example"}, plain);
    CHECK(status(said) == 77);
    CHECK(has(said.err, "a@far.example: 550 5.7.1 "));
    CHECK(status(h.run({"a@far.example", "nobody"}, plain)) == 69);
    CHECK(status(h.run({"a@far.example", "alice"}, plain)) == 0);
    CHECK(!h.dir.exists("asked"));
}

TEST_CASE("send: a smtp that hangs is ended in time") {
    const SendHouse h({"alice"}, "[mailer]\ntimeout = 1s\n");
    NEEDS_SEND(h);
    h.fake_smtp("echo $$ >$D/pid; exec sleep 600");
    const auto said = h.run({"alice", "a@far.example"}, plain);
    CHECK(status(said) == 75);
    CHECK(h.files() == 0);
    const std::string pid = h.dir.read("pid").value_or("");
    CHECK((pid.empty() || eventually([&] { return !sys::status("/proc/" + pid.substr(0, pid.find('\n')) + "/stat"); })));
}

TEST_CASE("send: aliases to programs are refused and named, and the mail waits") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    h.dir.write("aliases", "trap: \"|touch " + h.dir.at("ran") + "\"\n");
    const auto said = h.run({"alice", "trap"}, plain);
    CHECK(status(said) == 75);
    CHECK(has(said.err, "aliases:1: target "));
    CHECK(has(said.err, "of 'trap' starts a program: refused"));
    CHECK(h.files() == 0);
    CHECK(!h.dir.exists("ran"));
}

TEST_CASE("send: usage") {
    const SendHouse h({"alice"});
    NEEDS_SEND(h);
    const sys::Fd nothing = must(sys::open_read("/dev/null"));
    struct {
        std::vector<std::string> words;
        int status;
        const char *out, *err;
    } const cases[] = {
        {{}, 64, "", "send: no recipient\nusage: send "},
        {{"-x", "alice"}, 64, "", "send: unknown option -x\nusage: send "},
        {{"-C"}, 64, "", "send: -C needs an argument\nusage: send "},
        {{"--help"}, 0, "usage: send ", ""},
        {{"--version"}, 0, "send (greylag) ", ""},
        {{"-C", "/dev/null", "alice"}, 65, "", "send: standard input holds no message\n"},
    };
    for (const auto& c : cases) {
        const auto said = h.run_bare(nothing, c.words);
        CAPTURE(said.err);
        CHECK(status(said) == c.status);
        CHECK(said.out.starts_with(c.out));
        CHECK((*c.out != '\0' || said.out.empty()));
        CHECK(said.err.starts_with(c.err));
        CHECK((*c.err != '\0' || said.err.empty()));
    }
    CHECK(status(h.run({"-r", "--", "-x"}, plain)) == 67);  // behind -- a dash is a name's
    CHECK(has(h.run({"-r", "--", "-x"}, plain).err, "-x: 550 5.1.1"));
}

TEST_CASE("send: configuration") {
    SendHouse h({"alice"});
    NEEDS_SEND(h);
    h.dir.write("message", plain);
    const sys::Fd message = must(sys::open_read(h.dir.at("message")));
    CHECK(status(h.run_bare(message, {"-C", h.dir.at("missing"), "alice"})) == 78);
    h.dir.write("open", "", 0622);
    CHECK(status(h.run_bare(message, {"-C", h.dir.at("open"), "alice"})) == 78);
    CHECK(status(h.run_bare(message, {"-C", h.dir.path(), "alice"})) == 78);
    h.dir.write("faulty", "[mailer]\nremot = smtp\ntimeout = soon\n");
    const auto said = h.run_bare(message, {"-C", h.dir.at("faulty"), "alice"});
    CHECK(status(said) == 78);
    CHECK(has(said.err, "faulty:2: "));
    CHECK(has(said.err, "faulty:3: "));
    h.environment.push_back("GREYLAG_CONF=" + h.dir.at("conf"));
    CHECK(status(h.run_bare(message, {"alice"})) == 0);
    CHECK(h.messages("alice").size() == 1);
    h.environment.back() = "GREYLAG_CONF=" + h.dir.at("missing");
    CHECK(status(h.run_bare(message, {"alice"})) == 78);
}
