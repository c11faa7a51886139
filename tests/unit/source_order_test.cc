// smtp-source's command line: every option of the seed's page and of ours, and what each becomes.
#include "cmd/smtp-source/order.hh"

#include <functional>
#include <set>
#include <vector>

#include "cmd/smtp-source/options.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::source;

namespace {

Result<Order> order(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    const auto line = base::parse_command_line(arguments, option_table);
    if (!line) return std::unexpected(line.error());
    // What the line points to lives as long as the words.
    return make_order(*line, "host.example");
}

Order with(std::vector<std::string> words) {
    words.emplace_back("[192.0.2.1]:25");
    return test::must(order(std::move(words)));
}

std::string fault(std::vector<std::string> words) {
    const auto made = order(std::move(words));
    return made ? "" : made.error().kind == Kind::usage ? made.error().text : "not a usage error: " + made.error().text;
}

struct Row {
    const char* option;
    std::vector<std::string> words;
    std::function<bool(const Order&)> holds;
};

// The page smtp-source(1) of Postfix, option by option, in its order.
const std::vector<Row>& seed() {
    static const std::vector<Row> rows = {
        {"-4", {"-4"}, [](const Order& o) { return o.family == Family::v4; }},
        {"-6", {"-6"}, [](const Order& o) { return o.family == Family::v6; }},
        {"-A", {"-A"}, [](const Order& o) { return o.carry_on; }},
        {"-c", {"-c"}, [](const Order& o) { return o.count; }},
        {"-C", {"-C", "7"}, [](const Order& o) { return o.attempts == 7; }},
        {"-d", {"-d"}, [](const Order& o) { return o.per_connection > 1'000'000'000; }},
        {"-f", {"-f", "a@x"}, [](const Order& o) { return o.sender == "a@x"; }},
        {"-F", {"-F", "file"}, [](const Order& o) { return o.file == "file"; }},
        {"-l", {"-l", "1000"}, [](const Order& o) { return o.length == 1000U; }},
        {"-L", {"-L"}, [](const Order& o) { return o.lmtp; }},
        {"-m", {"-m", "12"}, [](const Order& o) { return o.messages == 12; }},
        {"-M", {"-M", "[192.0.2.9]"}, [](const Order& o) { return o.name == "[192.0.2.9]" && o.sender == "foo@[192.0.2.9]"; }},
        {"-N", {"-N"}, [](const Order& o) { return o.number_all; }},
        {"-o", {"-o"}, [](const Order& o) { return o.old_mode; }},
        {"-r", {"-r", "3"}, [](const Order& o) { return o.recipients == 3; }},
        {"-R", {"-R", "9"}, [](const Order& o) { return o.random_pause == base::Seconds(9); }},
        {"-s", {"-s", "40"}, [](const Order& o) { return o.sessions == 40; }},
        {"-S", {"-S", "a subject"}, [](const Order& o) { return o.subject == "a subject"; }},
        {"-t", {"-t", "b@y"}, [](const Order& o) { return o.recipient == "b@y"; }},
        {"-T", {"-T", "4096"}, [](const Order& o) { return o.window == 4096; }},
        {"-v", {"-v"}, [](const Order& o) { return o.verbose; }},
        {"-w", {"-w", "2"}, [](const Order& o) { return o.pause == base::Seconds(2); }},
    };
    return rows;
}

}  // namespace

TEST_CASE("smtp-source: every option of the seed's page has its meaning") {
    std::string letters;
    for (const auto& row : seed()) {
        INFO(row.option);
        CHECK(row.holds(with(row.words)));
        letters += row.option[1];
    }
    // getopt's string of the original, without its colons.
    CHECK(letters == "46AcCdfFlLmMNorRsStTvw");
    std::string table;
    for (const auto& option : option_table)
        if (option.letter != 0) table += option.letter;
    CHECK(table == letters);
}

TEST_CASE("smtp-source: the defaults of the seed's page") {
    const Order o = with({});
    CHECK(o.family == Family::any);
    CHECK(o.attempts == 1);
    CHECK(o.messages == 1);
    CHECK(o.recipients == 1);
    CHECK(o.sessions == 1);
    CHECK(o.per_connection == 1);
    CHECK(o.sender == "foo@host.example");
    CHECK(o.recipient == "foo@host.example");
    CHECK(o.name == "host.example");
    CHECK_FALSE((o.ehlo || o.pipelining || o.bdat || o.lmtp || o.old_mode || o.carry_on || o.number_all || o.count));
    CHECK(o.timeout == base::Seconds(300));
    CHECK(with({"-f", ""}).sender == "");
}

TEST_CASE("smtp-source: the operands of the seed's page") {
    using How = client::Destination::How;
    const auto to = [](const char* text) { return test::must(order({text})).to; };
    CHECK(to("mx.example").host == "mx.example");
    CHECK(to("mx.example").port == 25);
    CHECK(to("inet:mx.example:2525").port == 2525);
    CHECK(to("inet:[2001:db8::1]:26").address.text() == "2001:db8::1");
    CHECK(to("mx.example:submission").port == 587);
    CHECK(to("unix:relative/socket").how == How::local);
    CHECK(to("unix:relative/socket").path == "relative/socket");
}

TEST_CASE("smtp-source: our own options") {
    CHECK(with({"--numbering", "suffix"}).numbering == Numbering::suffix);
    CHECK(with({"--pipelining"}).ehlo);
    CHECK(with({"--bdat"}).ehlo);
    CHECK(with({"--tls", "starttls"}).ehlo);
    CHECK(with({"--tls=smtps"}).tls == Tls::smtps);
    CHECK_FALSE(with({"--tls=smtps"}).ehlo);
    CHECK(with({"--auth", "joe", "--password-file", "pw"}).ehlo);
    CHECK_FALSE(with({"--auth", "joe", "--password-file", "pw"}).password_in_clear);
    CHECK(with({"--auth", "joe", "--password-file", "pw", "--password-in-clear"}).password_in_clear);
    CHECK(with({"--rate", "2.5/s"}).rate == 2.5);
    CHECK(with({"--rate=100"}).rate == 100);
    CHECK(with({"--duration", "30s"}).duration == base::Seconds(30));
    CHECK(with({"--duration", "30s"}).messages > 1'000'000'000);
    CHECK(with({"--duration", "30s", "-m", "5"}).messages == 5);
    CHECK(with({"--source", "127.0.0.1,127.0.0.2,::1"}).sources.size() == 3);
    CHECK(with({"--connections-per", "10"}).per_connection == 10);
    CHECK(with({"--threads=3"}).threads == 3);
    CHECK(with({"--timeout=5s"}).timeout == base::Seconds(5));
    CHECK(with({"-w", "200ms"}).pause == base::Millis(200));
}

TEST_CASE("smtp-source: what cannot be understood names the fault") {
    const std::vector<std::vector<std::string>> bad = {
        {},
        {"a", "b"},
        {"-4", "-6", "h"},
        {"-C", "0", "h"},
        {"-m", "-1", "h"},
        {"-m", "0", "h"},
        {"-m", "1x", "h"},
        {"-s", "0", "h"},
        {"-r", "0", "h"},
        {"-l", "0", "h"},
        {"-l", "5", "-F", "f", "h"},
        {"-R", "1", "-w", "1", "h"},
        {"-w", "soon", "h"},
        {"-M", "a b", "h"},
        {"-M", "[300.1.1.1]", "h"},
        {"-f", "a\r\nRCPT TO:<b>", "h"},
        {"-t", "", "h"},
        {"-t", "a>b", "h"},
        {"-S", "a\nb: c", "h"},
        {"-T", "0", "h"},
        {"-x", "h"},
        {"--tls", "perhaps", "h"},
        {"--auth", "joe", "h"},
        {"--password-file", "pw", "h"},
        {"--password-in-clear", "h"},
        {"--ca", "x", "h"},
        {"--rate", "0", "h"},
        {"--rate", "fast", "h"},
        {"--rate", "1.x", "h"},
        {"--duration", "0", "h"},
        {"--size", "big", "h"},
        {"--size", "1k", "-l", "5", "h"},
        {"--numbering", "infix", "h"},
        {"--source", "here", "h"},
        {"--threads", "0", "h"},
        {"--connections-per", "0", "h"},
        {"-o", "-L", "h"},
        {"-o", "--pipelining", "h"},
        {"-F", "a", "--template", "b", "h"},
        {"unix:"},
        {"host:99999"},
        {"host:0"},
        {"a b"},
        {"net!host"},
    };
    std::set<std::string> said;
    for (const auto& words : bad) {
        std::string shown;
        for (const auto& word : words) shown += word + " ";
        INFO(shown);
        const std::string text = fault(words);
        CHECK(text != "");
        CHECK(text.find('\n') == std::string::npos);
        CHECK(text.find("not a usage error") == std::string::npos);
        said.insert(text);
    }
    CHECK(said.size() > 25);
    CHECK(fault({"-s", "200000", "h"}) == "-s \"200000\": not a number from 1 to 100000");
    CHECK(fault({"-m", "0", "h"}) == "-m \"0\": not a number from 1 on");
}
