// smtptest's pure parts: the editor, what a line means, the command line, the PROXY header.
#include "cmd/smtptest/editor.hh"
#include "cmd/smtptest/options.hh"
#include "cmd/smtptest/order.hh"
#include "cmd/smtptest/report.hh"
#include "cmd/smtptest/source.hh"
#include "cmd/smtptest/speech.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::smtptest;
using namespace greylag::test;

namespace {

std::string typed(std::string_view keys, const std::vector<std::string>& history = {}) {
    Editor editor("C: ", 80);
    for (const auto& line : history) editor.remember(line);
    const auto out = editor.feed(keys);
    return out.end ? "<end>" : out.interrupt ? "<interrupt>" : out.line.value_or("<open>");
}

// What a terminal as wide as this would show after these keys, and where its cursor would stand.
std::string screen(std::string_view keys, unsigned width) {
    Editor editor("C: ", width);
    editor.feed(keys);
    const std::string drawn = editor.show();
    const std::size_t clear = drawn.find("\x1b[K");
    return drawn.substr(1, clear - 1) + "|" + drawn.substr(clear + 6, drawn.size() - clear - 7);
}

std::string shown(const Deed& d) {
    static const char* const names[] = {"command", "starttls", "auth", "body", "last", "chunk", "skip", "tell", "nothing"};
    std::string out = names[static_cast<std::size_t>(d.what)];
    if (!d.text.empty()) out += " " + d.text;
    for (const auto& word : d.words) out += " [" + word + "]";
    if (d.octets != 0) out += " " + std::to_string(d.octets) + " octets";
    if (d.replies != 1) out += " " + std::to_string(d.replies) + " replies";
    return out;
}

Result<Order> order_of(std::vector<std::string> words, std::string_view program = "smtptest") {
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    return make_order(TRY(base::parse_command_line(argv, option_table, true)), program, "joe");
}

}  // namespace

TEST_CASE("smtptest: the editor's keys") {
    struct Row {
        std::string keys, line;
    };
    const Row rows[] = {
        {"NOOP\r", "NOOP"},
        {"NOOP\n", "NOOP"},
        {"NOOP\r\n", "NOOP"},
        {"NOO", "<open>"},
        {"\x04", "<end>"},
        {"ab\x01\x04\r", "b"},  // on a line that is not empty ^D deletes
        {"ab\x04\r", "ab"},
        {"\x03", "<interrupt>"},
        {"abc\x03", "<interrupt>"},
        {"abc\x7f\r", "ab"},
        {"abc\x08\x08\r", "a"},
        {"\x7f\r", ""},
        {"abc\x01X\r", "Xabc"},
        {"abc\x01\x05X\r", "abcX"},
        {"abc\x02X\r", "abXc"},
        {"abc\x02\x02\x06X\r", "abXc"},
        {"abc\x01\x0b\r", ""},
        {"abc\x02\x15\r", "c"},
        {"MAIL FROM:<a>  \x17X\r", "MAIL X"},
        {"abc\x1b[DX\r", "abXc"},
        {"abc\x1b[D\x1b[CX\r", "abcX"},
        {"abc\x1bODX\r", "abXc"},
        {"abc\x1b[HX\r", "Xabc"},
        {"abc\x1b[1~X\x1b[4~Y\r", "XabcY"},
        {"abc\x1b[H\x1b[3~\r", "bc"},
        {"abc\x1b[3~\r", "abc"},
        {"abc\x1b[1;5CX\r", "abcX"},  // an unknown sequence does nothing, and is no text
        {"a\x1bzb\r", "ab"},
        {"a\x1b[99999999999999999999b\r", "a99999b"},  // no sequence is that long
        {"a\tb\r", "a\tb"},
        {"a\x0e\x10\x0c\x16\r", "a"},
        {"j\xc3\xb6\x7f"
         "e\r",
         "je"},
        {"\xc3\xb6\xe2\x82\xac\x02\x02X\r", "X\xc3\xb6\xe2\x82\xac"},
        {"a\xff\xfe"
         "b\r",
         "ab"},  // no UTF-8
        {"a\xc3"
         "b\r",
         "ab"},
    };
    for (const Row& row : rows) {
        INFO(row.keys);
        CHECK(typed(row.keys) == row.line);
    }
}

TEST_CASE("smtptest: the editor's history and its window") {
    const std::vector<std::string> history{"EHLO a", "NOOP", "NOOP", "", "QUIT"};
    CHECK(typed("\x10\r", history) == "QUIT");
    CHECK(typed("\x1b[A\x1b[A\r", history) == "NOOP");
    CHECK(typed("\x10\x10\x10\r", history) == "EHLO a");
    CHECK(typed("\x10\x10\x10\x10\x10\r", history) == "EHLO a");
    CHECK(typed("half\x10\x0e!\r", history) == "half!");
    CHECK(typed("\x0e\r", history).empty());
    CHECK(typed("\x10\x7fT\r", history) == "QUIT");

    CHECK(screen("abc", 80) == "C: abc|6");
    CHECK(screen("abc\x01", 80) == "C: abc|3");
    CHECK(screen("0123456789", 10) == "C: 56789|8");
    CHECK(screen("0123456789\x01", 10) == "C: 012345|3");
    CHECK(screen("\xc3\xb6\xc3\xb6", 80) == "C: \xc3\xb6\xc3\xb6|5");
    CHECK(screen("abc", 0) == "C: |3");

    // Two lines at once: the rest is for the next.
    Editor editor("", 80);
    std::string_view keys = "NOOP\r\nQUIT\r\n";
    CHECK(editor.feed(keys).line == "NOOP");
    CHECK(editor.feed(keys).line == "QUIT");
    CHECK(keys == "\n");
    CHECK_FALSE(editor.feed(keys).line.has_value());
}

TEST_CASE("smtptest: what a line means") {
    struct Row {
        std::string line, deed;
        int code;
    };
    const std::vector<Row> rows = {
        {"EHLO x", "command EHLO x", 250},
        {"starttls", "starttls starttls", 220},
        {"STARTTLS now", "command STARTTLS now", 501},
        {"AUTH", "auth", 0},
        {"auth plain", "auth [plain]", 0},
        {"AUTH PLAIN AGpvZQBzZWNyZXQ=", "command AUTH PLAIN AGpvZQBzZWNyZXQ=", 235},
        {".auth LOGIN joe secret", "auth [LOGIN] [joe] [secret]", 0},
        {".b64 \\0joe\\0secret", "command AGpvZQBzZWNyZXQ=", 235},
        {".d64 am9l", "tell joe", 0},
        {".d64 !", "tell that is no base64", 0},
        {".raw STARTTLS", "command STARTTLS", 220},
        {".unknown", "command .unknown", 500},
        {".", "command .", 500},
        {"", "command", 500},
        {"BDAT 12", "chunk BDAT 12 12 octets", 250},
        {"BDAT x", "chunk BDAT x", 501},
        {"DATA", "command DATA", 354},
        {"STARTTLS", "body STARTTLS", 0},
        {"..stuffed", "body ..stuffed", 0},
        {".bare", "body ..bare", 0},
        {"", "body", 0},
        {".", "last .", 250},
        {"DATA", "command DATA", 554},
        {"Subject: x", "skip", 0},
        {".", "skip", 0},
        {"QUIT", "command QUIT", 221},
    };
    Speech speech(false, true);
    for (const Row& row : rows) {
        INFO(row.line);
        CHECK(shown(speech.line(row.line)) == row.deed);
        if (row.code != 0) speech.replied(row.code);
    }
    CHECK(shown(speech.end()) == "nothing");
    speech.line("DATA");
    speech.replied(354);
    CHECK(shown(speech.end()) == "last .");

    Speech person(false, false);
    person.line("DATA");
    person.replied(554);
    CHECK(shown(person.line("QUIT")) == "command QUIT");
}

TEST_CASE("smtptest: LMTP answers for each recipient") {
    Speech speech(true, true);
    const auto say = [&](std::string_view line, int code) {
        const auto d = shown(speech.line(line));
        speech.replied(code);
        return d;
    };
    say("MAIL FROM:<>", 250);
    say("RCPT TO:<a>", 250);
    say("RCPT TO:<b>", 550);
    say("RCPT TO:<c>", 250);
    say("DATA", 354);
    CHECK(shown(speech.line(".")) == "last . 2 replies");
    speech.replied(250);
    say("RCPT TO:<a>", 250);
    say("RCPT TO:<b>", 250);
    CHECK(say("BDAT 5", 250) == "chunk BDAT 5 5 octets");
    CHECK(say("BDAT 5 LAST", 250) == "chunk BDAT 5 LAST 5 octets 2 replies");
    say("RSET", 250);
    CHECK(say("BDAT 5 LAST", 250) == "chunk BDAT 5 LAST 5 octets");
}

TEST_CASE("smtptest: the PROXY header") {
    using namespace std::string_literals;
    CHECK(proxy_header("192.0.2.7", "127.0.0.1:4000", "127.0.0.1:25") == "PROXY TCP4 192.0.2.7 127.0.0.1 4000 25\r\n");
    CHECK(proxy_header("2001:db8::7", "[::1]:4000", "[::1]:25") == "PROXY TCP6 2001:db8::7 ::1 4000 25\r\n");
    CHECK(proxy_header("2001:db8::7", "127.0.0.1:4000", "127.0.0.1:25") == "PROXY TCP6 2001:db8::7 :: 4000 25\r\n");
    CHECK(proxy_header("192.0.2.7", "/run/s", "/run/s") == "PROXY TCP4 192.0.2.7 0.0.0.0 0 0\r\n");
    CHECK(proxy_header("unknown", "", "") == "PROXY UNKNOWN\r\n");
    CHECK(proxy_header("local", "", "") == "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s);
    CHECK(proxy_header("elsewhere", "", "").empty());
    CHECK(proxy_header("", "", "").empty());
}

TEST_CASE("smtptest: the command line, letter by letter") {
    const auto o =
        must(order_of({"-p", "587",       "-m",  "scram-sha-1", "-a",   "ann", "-u",        "bob",
                       "-w", "secret",    "-k",  "56",          "-l",   "256", "-r",        "realm",
                       "-t", "key.pem",   "-n",  "3",           "-c",   "-i",  "-o",        "client_mech_list=PLAIN login",
                       "-v", "-I",        "pid", "-f",          "file", "-H",  "192.0.2.1", "--timeout",
                       "5s", "mx.example"}));
    CHECK(o.to.host == "mx.example");
    CHECK(o.to.service == "587");
    CHECK(o.mechanism == "SCRAM-SHA-1");
    CHECK(o.user == "ann");
    CHECK(o.authorization == "bob");
    CHECK(o.password == "secret");
    CHECK(o.least_bits == 56);
    CHECK(o.realm == "realm");
    CHECK(o.tls == Order::Tls::starttls);
    CHECK(o.tls_options.identity == "key.pem");
    CHECK_FALSE(o.tls_options.insist);
    CHECK(o.rounds == 3);
    CHECK(o.challenge);
    CHECK_FALSE(o.initial_response);
    CHECK(o.allowed == std::vector<std::string>{"PLAIN", "LOGIN"});
    CHECK(o.verbose);
    CHECK(o.pid_file == "pid");
    CHECK(o.file == "file");
    CHECK(o.proxy == "192.0.2.1");
    CHECK(o.dial.timeout_ms == 5000);
    CHECK(o.auth == Order::Auth::demanded);
    CHECK(o.notes.empty());

    CHECK(must(order_of({})).to.host == "localhost");
    CHECK(must(order_of({})).notes == std::vector<std::string>{"no host was named: localhost"});
    CHECK(must(order_of({"h"})).user == "joe");
    CHECK(must(order_of({"h"})).auth == Order::Auth::offered);
    CHECK(must(order_of({"-a", "joe", "-u", "joe", "h"})).authorization.empty());
    CHECK(must(order_of({"-s", "h"})).to.service == "465");
    CHECK(must(order_of({"-s", "h"})).tls == Order::Tls::implicit);
    CHECK(must(order_of({"-t", "", "h"})).tls == Order::Tls::starttls);
    CHECK(must(order_of({"h"}, "/usr/bin/lmtptest")).lmtp);
    CHECK(must(order_of({"-P", "smtp", "h"}, "lmtptest")).lmtp == false);
    CHECK(must(order_of({"-P", "lmtp", "h"})).lmtp);
    CHECK(must(order_of({"--lmtp", "h"})).to.service == "24");
    CHECK(must(order_of({"--connect-unix", "/run/lmtp"})).to.path == "/run/lmtp");
    CHECK(must(order_of({"--script", "s", "-a", "joe", "h"})).auth == Order::Auth::none);
    CHECK(must(order_of({"-x", "sock", "h"})).socket == "sock");
    CHECK(must(order_of({"-X", "sock", "h"})).background);
    CHECK(must(order_of({"--verify", "--ca", "/ca", "--fingerprint", "sha256:00", "--fingerprint=x", "h"}))
              .tls_options.known.size() == 2);
    CHECK(must(order_of({"-q", "h"})).notes == std::vector<std::string>{"-q: there is no compression in SMTP and LMTP"});
    CHECK(must(order_of({"-o", "log_level=7", "h"})).notes.size() == 1);
    CHECK(must(order_of({"--haproxy-clientip=local", "--reauth-attempts", "2", "--minssf=1", "--maxssf=2", "h"})).rounds == 2);
}

TEST_CASE("smtptest: command lines that are refused") {
    struct Row {
        std::vector<std::string> words;
        std::string fault;
    };
    const Row rows[] = {
        {{"a", "b"}, "one host is enough"},
        {{"-n", "0", "h"}, "-n takes a number above 0"},
        {{"-n", "x", "h"}, "-n takes a number"},
        {{"-k", "-1", "h"}, "-k takes a number"},
        {{"-k", "129", "-l", "128", "h"}, "-k asks for more than -l allows"},
        {{"-P", "imap", "h"}, "-P imap: smtp and lmtp are what is spoken here"},
        {{"-z", "h"}, "-z: a load is made by smtp-source(1)"},
        {{"-x", "s", "-X", "s", "h"}, "-x and -X exclude each other"},
        {{"-x", "s", "-f", "f", "h"}, "only one of -f, --script, -x and -X can follow"},
        {{"-s", "-t", "", "h"}, "-s and -t exclude each other: TLS begins once"},
        {{"-s", "--lmtp", "h"}, "-s: LMTP has no port with TLS from the first octet"},
        {{"-m", "GSSAPI", "h"}, "GSSAPI is not built in"},
        {{"-m", "KERBEROS_V4", "h"}, "KERBEROS_V4 is not built in"},
        {{"-m", "NTLM", "h"}, "NTLM is no mechanism that we know"},
        {{"-H", "here", "h"}, "-H takes an address, \"unknown\" or \"local\""},
        {{"--timeout", "soon", "h"}, "--timeout takes a duration like 30s, a day at most"},
        {{"--timeout", "0", "h"}, "--timeout takes a duration like 30s, a day at most"},
        {{"--no-auth", "-a", "x", "h"}, "--no-auth, and yet something to authenticate with"},
        {{"--connect-unix", "/s", "h"}, "--connect-unix takes the place of a host"},
        {{"-y", "h"}, "unknown option -y"},
    };
    for (const Row& row : rows) {
        const auto order = order_of(row.words);
        REQUIRE_FALSE(order.has_value());
        CHECK(order.error().text == row.fault);
    }
}

TEST_CASE("smtptest: lines of a file, and what a terminal may be shown") {
    Text text("MAIL\r\nRCPT\n\nBDAT 3\nab\r\nQUIT");
    CHECK(must(text.line(false)) == "MAIL");
    CHECK(must(text.line(false)) == "RCPT");
    CHECK(must(text.line(false)) == "");
    CHECK(must(text.line(false)) == "BDAT 3");
    CHECK(must(text.octets(4)) == "ab\r\n");
    CHECK(must(text.line(false)) == "QUIT");
    CHECK_FALSE(must(text.line(false)).has_value());
    CHECK(must(text.octets(4)).empty());
    CHECK(harmless("250 \x1b[31mred\x07\tj\xc3\xb6") == "250 \\x1b[31mred\\x07\tj\xc3\xb6");
    CHECK(wire({250, "2.1.0", {"one", "two"}}) == "250-2.1.0 one\r\n250 2.1.0 two\r\n");
    CHECK(wire({220, "", {"mx ESMTP"}}) == "220 mx ESMTP\r\n");
}

TEST_CASE("smtptest: every option of the pages it comes from") {
    // Letter, long form, whether it takes an argument: Cyrus imtest of Mac OS X Server 10.6, of 3.6, and its latest source.
    struct Row {
        char letter;
        std::string_view name;
        bool argument;
    };
    const Row rows[] = {
        {'p', "port", true},
        {'m', "mechanism", true},
        {'a', "authname", true},
        {'u', "username", true},
        {'w', "password", true},
        {'k', "minssf", true},
        {'l', "maxssf", true},
        {'r', "realm", true},
        {'t', "keyfile", true},
        {'s', "require-tls", false},
        {'f', "input-filename", true},
        {'n', "reauth-attempts", true},
        {'c', "do-challenge", false},
        {'i', "no-initial-response", false},
        {'o', "sasl-option", true},
        {'v', "verbose", false},
        {'I', "pidfile", true},
        {'x', "output-socket", true},
        {'X', "", true},
        {'q', "require-compression", false},
        {'z', "run-stress-test", false},
        {'P', "protocol", true},
        {'H', "haproxy-clientip", true},
        {'h', "", false},
    };
    for (const Row& row : rows) {
        INFO(row.letter);
        const base::Option* found = nullptr;
        for (const auto& option : option_table)
            if (option.letter == row.letter) found = &option;
        REQUIRE(found != nullptr);
        CHECK(!found->argument.empty() == row.argument);
        if (!row.name.empty()) CHECK(found->name == row.name);
    }
}
