// sendmessage's arguments and reports, and that every option of ::smtp::sendmessage has its counterpart.
#include "base/ascii.hh"
#include "cmd/sendmessage/options.hh"
#include "cmd/sendmessage/order.hh"
#include "cmd/sendmessage/report.hh"
#include "tests/support/test.hh"

using namespace greylag;
namespace sc = greylag::smtp_client;
using Tls = sc::Options::Tls;

namespace {

Result<submitter::Order> parsed(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    const auto line = base::parse_command_line(arguments, submitter::option_table);
    if (!line) return std::unexpected(line.error());
    return submitter::make_order(*line);
}

submitter::Order order(std::vector<std::string> words) {
    auto out = parsed(std::move(words));
    if (!out) throw std::runtime_error(out.error().text);
    return *std::move(out);
}

std::string fault(std::vector<std::string> words) {
    const auto out = parsed(std::move(words));
    return out ? "taken" : out.error().text;
}

std::string servers(const submitter::Order& o) {
    std::string out;
    for (const auto& server : o.options.servers)
        out += (out.empty() ? "" : " ") + server.host + "/" + std::to_string(server.port);
    return out;
}

}  // namespace

TEST_CASE("sendmessage: every option of the original's page, as an option and in the library's header") {
    // The page's name, a value, and what becomes of it; the member named in the check is its counterpart in the header.
    struct Row {
        const char* option;
        const char* value;
        bool (*counterpart)(const submitter::Order& o);
    };
    const Row rows[] = {
        {"servers", "mx1.example,mx2.example:2525",
         [](const auto& o) { return servers(o) == "mx1.example/25 mx2.example/2525"; }},
        {"ports", "2525", [](const auto& o) { return servers(o) == "localhost/2525"; }},
        {"client", "me.example", [](const auto& o) { return o.options.client == "me.example"; }},
        {"queue", "1", [](const auto& o) { return o.options.queue; }},
        {"atleastone", "true", [](const auto& o) { return o.options.at_least_one; }},
        {"originator", "a@x.example",
         [](const auto& o) { return o.options.originator == "a@x.example" && !o.options.null_originator; }},
        {"originator", "", [](const auto& o) { return o.options.null_originator; }},
        {"recipients", "b@y.example, c@y.example",
         [](const auto& o) { return o.options.recipients == "b@y.example, c@y.example"; }},
        {"header", "Subject: hello: you",
         [](const auto& o) { return o.options.headers.at(0) == std::pair<std::string, std::string>("Subject", "hello: you"); }},
        {"usetls", "0", [](const auto& o) { return o.options.tls == Tls::off && o.options.credentials.without_tls; }},
        {"usetls", "yes", [](const auto& o) { return o.options.tls == Tls::offered && !o.options.credentials.without_tls; }},
        {"tlspolicy", "secure", [](const auto& o) { return !o.insecure && o.policy.empty(); }},
        {"tlspolicy", "insecure", [](const auto& o) { return o.insecure; }},
        {"tlspolicy", "ask me",
         [](const auto& o) {
             return o.policy == std::vector<std::string>{"ask", "me"};
         }},
        {"username", "joe", [](const auto& o) { return o.options.credentials.user == "joe"; }},
        // Not on the page, but in the program (tlsimport, debug, maxsecs).
        {"tlsimport", "on", [](const auto& o) { return o.options.tls == Tls::implicit && servers(o) == "localhost/465"; }},
        {"debug", "YES", [](const auto& o) { return o.debug; }},
        {"maxsecs", "7", [](const auto& o) { return o.options.final_timeout_ms == 7000; }},
        {"maxsecs", "-1", [](const auto& o) { return o.options.final_timeout_ms == 0; }},
    };
    for (const auto& row : rows) {
        INFO(row.option);
        INFO(row.value);
        CHECK(row.counterpart(order({"--" + std::string(row.option), row.value})));
        CHECK(row.counterpart(order({"--" + std::string(row.option) + "=" + row.value})));
    }
    // -password has no counterpart with the password itself on the command line, where everybody can read it.
    CHECK(order({"--username", "joe", "--password-file", "f"}).password_file == "f");
    CHECK(fault({"--password", "x"}).starts_with("unknown option --password"));
}

TEST_CASE("sendmessage: the defaults of the original") {
    const auto o = order({});
    CHECK(servers(o) == "localhost/25");
    CHECK(o.options.client.empty());
    CHECK(!o.options.queue);
    CHECK(!o.options.at_least_one);
    CHECK(o.options.originator.empty());
    CHECK(!o.options.null_originator);
    CHECK(o.options.recipients.empty());
    CHECK(o.options.headers.empty());
    CHECK(o.options.tls == Tls::offered);
    CHECK(!o.insecure);
    CHECK(o.options.final_timeout_ms == 120'000);
    CHECK(!o.debug);
    CHECK(order({"--header", "To: a@x", "--header", "To: b@x"}).options.headers.size() == 2);
}

TEST_CASE("sendmessage: servers and ports in tandem") {
    struct Case {
        std::vector<std::string> words;
        const char* servers;
    };
    const Case cases[] = {
        {{"--servers", "a.example,b.example", "--ports", "2525"}, "a.example/2525 b.example/25"},
        {{"--servers", "a.example", "--ports", "2525,2526"}, "a.example/2525"},
        {{"--servers", "a.example b.example", "--ports", "2525 2526"}, "a.example/2525 b.example/2526"},
        {{"--servers", "a.example:26,b.example", "--ports", "2525,2526"}, "a.example/26 b.example/2526"},
        {{"--servers", "[2001:db8::1]:26,2001:db8::2,192.0.2.1:27"}, "2001:db8::1/26 2001:db8::2/25 192.0.2.1/27"},
        {{"--servers", "a.example:submission"}, "a.example/587"},
        {{"--servers", "a.example:26", "--tlsimport", "on"}, "a.example/26"},
    };
    for (const auto& c : cases) CHECK(servers(order(c.words)) == c.servers);
}

TEST_CASE("sendmessage: mistakes are named") {
    CHECK(fault({"--queue", "maybe"}) == "--queue: \"maybe\" is neither on nor off");
    CHECK(fault({"--header", "no colon"}) == "--header: \"no colon\" has no colon");
    CHECK(fault({"--ports", "many"}) == "--ports: \"many\" is no port");
    CHECK(fault({"--servers", ","}) == "--servers: there is none");
    CHECK(fault({"--servers", "lmtp!x"}) == "--servers: \"lmtp!x\" is no host");
    CHECK(fault({"--recipients", " "}) == "--recipients: there is none");
    CHECK(fault({"--maxsecs", "soon"}) == "--maxsecs: \"soon\" is no time up to a day");
    CHECK(fault({"--timeout", "2d"}) == "--timeout: \"2d\" is no time up to a day");
    CHECK(fault({"--password-file", "f"}) == "--password-file: whose password is that? There is no --username");
    CHECK(fault({"--tlspolicy", ""}) == "--tlspolicy: neither secure nor insecure nor a command");
    CHECK(fault({"you@x.example"}) == "what is \"you@x.example\" for?");
}

TEST_CASE("sendmessage: a body becomes a message") {
    CHECK(submitter::text_message("x\n") ==
          "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\nx\n");
    CHECK(submitter::text_message("\xc3\xbc").find("charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n") != std::string::npos);
    CHECK(submitter::text_message("\xff").find("charset=unknown-8bit\n") != std::string::npos);
    CHECK(submitter::text_message("To: nobody\n\n").ends_with("\n\nTo: nobody\n\n"));
}

TEST_CASE("sendmessage: results for people and for scripts") {
    sc::Report report;
    report.server = {"2001:db8::1", 25};
    report.reply = {250, "2.0.0", {"kept as \"1\""}};
    report.accepted = {"a@x.example"};
    report.notes = {"a note"};
    submitter::Outcome sent = report;
    CHECK(submitter::result_lines(sent, false, false) == "");
    CHECK(submitter::complaint(sent) == "sendmessage: a note\n");
    CHECK(submitter::status_of(sent, false) == 0);
    CHECK(submitter::result_lines(sent, false, true) ==
          "{\"recipient\":\"a@x.example\",\"status\":\"accepted\",\"code\":250,\"enhanced\":\"2.0.0\",\"text\":\"kept as "
          "\\\"1\\\"\"}\n"
          "{\"result\":\"sent\",\"exit\":0,\"server\":\"[2001:db8::1]:25\",\"code\":250,\"enhanced\":\"2.0.0\",\"text\":\"kept "
          "as \\\"1\\\"\"}\n");
    sent->refused = {{"b@x.example", 450, "4.2.0", "later"}};
    CHECK(submitter::result_lines(sent, true, false) == "b@x.example 450 4.2.0 later\n");
    CHECK(submitter::status_of(sent, true) == 0);
    CHECK(submitter::status_of(sent, false) == 75);
    sent->refused.push_back({"c@x.example", 550, "", "who"});
    CHECK(submitter::status_of(sent, false) == 69);

    const submitter::Outcome failed = std::unexpected(sc::SendFailure{
        {sc::Failure::Kind::refused, 550, "5.1.1", "who"}, {"mx.example", 25}, {{"b@x.example", 550, "5.1.1", "who"}}});
    CHECK(submitter::result_lines(failed, false, false) == "b@x.example 550 5.1.1 who\n");
    CHECK(submitter::complaint(failed) == "sendmessage: mx.example:25: 550 5.1.1 who\n");
    CHECK(submitter::status_of(failed, true) == 69);
    CHECK(submitter::result_lines(failed, false, true)
              .ends_with("{\"result\":\"failed\",\"exit\":69,\"server\":\"mx.example:25\",\"code\":550,\"enhanced\":\"5.1.1\","
                         "\"text\":\"who\"}\n"));
    const submitter::Outcome ours = std::unexpected(sc::SendFailure{{sc::Failure::Kind::usage, 0, "", "no recipient"}, {}, {}});
    CHECK(submitter::complaint(ours) == "sendmessage: no recipient\n");
}
