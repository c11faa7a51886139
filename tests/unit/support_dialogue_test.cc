#include "tests/support/dialogue_run.hh"

#include "base/ascii.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// Says its lines one after the other, whatever it hears.
class Parrot : public Peer {
public:
    std::string heard, to_say;
    Aftermath after;
    std::vector<std::string> deeds;

    Result<void> send(std::string_view octets) override {
        heard += octets;
        deeds.emplace_back("send");
        return {};
    }
    Result<void> cut() override {
        deeds.emplace_back("cut");
        return {};
    }
    Result<std::string> read_reply(sys::Deadline) override {
        if (to_say.empty()) return base::fail(Kind::closed, "the stream ended");
        std::size_t end = 0;
        do end = to_say.find('\n', end) + 1;
        while (end < to_say.size() && to_say[to_say.rfind('\n', end - 2) + 4] == '-');
        std::string reply = to_say.substr(0, end);
        to_say.erase(0, end);
        return reply;
    }
    Result<bool> speaks_or_closes(sys::Deadline) override { return !to_say.empty(); }
    Result<std::string> read_to_end(sys::Deadline) override { return std::exchange(to_say, {}); }
    void half_close() override { deeds.emplace_back("close"); }
    Result<Aftermath> finish(sys::Deadline) override {
        after.unread = std::exchange(to_say, {});
        return after;
    }
};

// The first mismatch of a script against a server that says `said`.
std::string judge(std::string_view text, std::string_view said, const Peer::Aftermath& after = {}) {
    const auto script = smtp::dialogue::parse(text);
    REQUIRE(script);
    const auto world = world_of(*script);
    REQUIRE(world);
    Parrot parrot;
    parrot.to_say = said;
    parrot.after = after;
    return run("t", *script, *world, parrot).value_or("");
}

std::string faults(std::string_view text) {
    const auto script = smtp::dialogue::parse(text);
    REQUIRE(script);
    const auto world = world_of(*script);
    if (world) return {};
    std::string all;
    for (const auto& f : world.error()) all += (all.empty() ? "" : "; ") + std::to_string(f.line) + ": " + f.what;
    return all;
}

Peer::Aftermath delivery(std::string message) {
    Peer::Aftermath after;
    after.delivered = std::move(message);
    return after;
}
Peer::Aftermath logged(std::string line) {
    Peer::Aftermath after;
    after.log = {"smtpd[7]: connect ip=unknown", std::move(line)};
    return after;
}

}  // namespace

TEST_CASE("support: the runner compares replies and names the line") {
    struct {
        std::string_view script, said, verdict;
    } const cases[] = {
        {"s: 220\nc: QUIT\ns: 221\nclosed", "220 x\r\n221 y\r\n", ""},
        {"s: 220\n\ns: 221", "220 x\r\n", "t:3: expected a reply: the stream ended"},
        {"s: 220\ns: 250", "220 x\r\n550-a\r\n550 b\r\n", "t:2: expected 250, got \"550-a / 550 b\""},
        {"s: 220\ns! A\ns+ B", "220-A\r\n220 B\r\n", "t:2: expected no line \"A\", got \"220-A / 220 B\""},
        {"s: 220\nclosed", "220 x\r\nmore\r\n", "t:2: expected the server to close, got \"more\\x0d\\x0a\""},
        {"s: 220", "220 x\r\n421 y\r\n", "t:1: behind the last step came \"421 y\\x0d\\x0a\""},
        {"wait\ns: 220", "220 x\r\n", ""},
        {"wait", "", "t:1: the server neither speaks nor closes"},
        {"s: 220\ntls", "220 x\r\n", "t:2: tls: this peer cannot"},
        {"auth PLAIN", "", "t:1: auth: this peer cannot"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.script);
        CHECK(judge(c.script, c.said) == c.verdict);
    }
}

TEST_CASE("support: the runner sends groups, cuts and closes in order") {
    const auto script = smtp::dialogue::parse("c: A\nc: B\ncut\nc- C\nclose");
    REQUIRE(script);
    Parrot parrot;
    CHECK(!run("t", *script, {}, parrot));
    CHECK(parrot.heard == "A\r\nB\r\nC");
    CHECK(parrot.deeds == std::vector<std::string>{"send", "cut", "send", "close"});
}

TEST_CASE("support: the runner compares what was delivered") {
    const std::string front = "From a@b now\nReceived: from x\n\tby y;\n z\n";
    struct {
        std::string_view script;
        std::optional<std::string> message;
        std::string_view verdict;
    } const cases[] = {
        {"@delivered none", std::nullopt, ""},
        {"@delivered none", "x\n", "t:1: expected no delivery, and the mailer got a message"},
        {"@delivered <<E\nx\nE", std::nullopt, "t:1: expected a delivery, and the mailer was not started"},
        {"@delivered <<E\nA: b\n\nc\nE", front + "A: b\n\nc\n", ""},
        {"@delivered <<E\nA: b\nE", front + "A: b\n\nc\n", "t:1: delivered line 2: expected the end, got \"\""},
        {"@delivered <<E\nA: b\n\nE", front + "A: b\n", "t:1: delivered line 2: expected \"\", and the message ends"},
        {"@delivered <<E\nA: b\nE", front + "A: c\n", "t:1: delivered line 1: expected \"A: b\", got \"A: c\""},
        {"@delivered <<E\n~ A:\nE", front + "A: c\n", ""},
        {"@delivered <<E\n~ B:\nE", front + "A: c\n", "t:1: delivered line 1: expected \"~ B:\", got \"A: c\""},
        {"@delivered <<E\n~ From a@b\n~ Received:\n\tby y;\n z\nx\nE", front + "x\n", ""},
        {"@delivered <<E\n~ From c@d\n~ Received:\n\tby y;\n z\nx\nE", front + "x\n",
         "t:1: delivered line 1: expected \"~ From c@d\", got \"From a@b now\""},
    };
    for (const auto& c : cases) {
        CAPTURE(c.script);
        CHECK(judge(c.script, "", c.message ? delivery(*c.message) : Peer::Aftermath()) == c.verdict);
    }
}

TEST_CASE("support: the runner looks into the log and at the end") {
    const auto line = logged("smtpd[7]: reject id=1 code=550 about=\"a \\\"b\\\" \\\\c\" from=\"x@y\"");
    struct {
        std::string_view script;
        bool fits;
    } const cases[] = {
        {"@log reject", true},  {"@log reject code=550 from=x@y", true}, {"@log connect", true},
        {"@log accept", false}, {"@log reject code=55", false},          {"@log connect code=550", false},
        {"@log! accept", true}, {"@log! reject code=550", false},        {"@log! reject code=551", true},
        {"@log 550", false},    {"@log reject ip=unknown", false},
    };
    for (const auto& c : cases) {
        CAPTURE(c.script);
        CHECK(judge(c.script, "", line).empty() == c.fits);
    }
    Peer::Aftermath dead;
    dead.fault = "it died";
    CHECK(judge("c: A", "", dead) == "t:1: it died");
}

TEST_CASE("support: the world of a dialogue") {
    const auto script = smtp::dialogue::parse(
        "@option -r -h \"a b\"\n@config <<E\n[x]\nE\n@config <<E\n[y]\nE\n@user joe\n@user ann@b.example\n@alias all: joe, ann\n"
        "@file d/f <<E\ntext\nE\n@peer 192.0.2.7\n@mailer exit 75 not now\n@mailer hang\n@mailer send\n@only memory\n@exit 78\n");
    REQUIRE(script);
    const auto world = world_of(*script);
    REQUIRE(world);
    CHECK(world->options == std::vector<std::string>{"-r", "-h", "a b"});
    CHECK(world->config == "[x]\n[y]\n");
    CHECK(world->users == std::vector<std::string>{"joe@example.org", "ann@b.example"});
    CHECK(world->aliases == std::vector<std::string>{"all: joe, ann"});
    CHECK(world->files.at(0).text == "text\n");
    CHECK(world->peer == "192.0.2.7");
    CHECK(world->mailer == "exit 75\nerr not now\nhang\n");
    CHECK(world->real_send);
    CHECK(!world->in_program);
    CHECK(world->in_memory);
    CHECK(world->exit == 78);
}

TEST_CASE("support: faults of a world are named with their lines") {
    struct {
        std::string_view script, faults;
    } const cases[] = {
        {"@nonsense x", "1: @nonsense is no word of the world"},
        {"@user", "1: @user takes an argument"},
        {"@user <<E\nE\n@peer", "1: @user takes no block; 3: @peer takes an argument"},
        {"@config x", "1: @config takes a block: <<END"},
        {"@delivered", "1: @delivered takes a block: <<END"},
        {"@delivered x <<E\nE", "1: @delivered takes none or a block"},
        {"@file /x <<E\nE", "1: @file takes a name under the world's directory"},
        {"@alias joe", "1: @alias takes name: target"},
        {"@only here", "1: @only takes program or memory"},
        {"@exit 256", "1: @exit takes an exit status"},
        {"@log reject code", "1: @log takes a word and key=value, not code"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.script);
        CHECK(faults(c.script).starts_with(c.faults));
    }
}

TEST_CASE("support: a dialogue that cannot be read says why") {
    const Scratch scratch;
    scratch.write("b.dialog", "c: \\q\nbogus\n");
    scratch.write("a.dialog", "@bogus x\n");
    scratch.write("no", "");
    const auto files = dialogue_files(scratch.path());
    CHECK(files == std::vector<std::string>{scratch.at("a.dialog"), scratch.at("b.dialog")});
    const auto broken = read_dialogues(files[1]);
    REQUIRE(!broken);
    CHECK(broken.error().starts_with(files[1] + ":1: an escape is one of"));
    CHECK(broken.error().ends_with("\n" + files[1] + ":2: \"bogus\" is no word of a dialogue"));
    CHECK(read_dialogues(files[0]).error() == files[0] + ":1: @bogus is no word of the world");
    CHECK(read_dialogues(scratch.at("gone")).error() == scratch.at("gone") + ": cannot be read");
}
