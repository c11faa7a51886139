// Real MX records, real port 25, real addresses, in a network of the test's own.
#include <fcntl.h>
#include <unistd.h>

#include "tests/e2e/site.hh"
#include "tests/e2e/smtp_support.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/name_server.hh"
#include "tests/support/namespace.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

const std::string message = "Subject: s\n\nhello\n";
const std::string from = "s@me.example", to = "r@dom.example";
// Addresses of nobody's interface: those of interfaces are ours, and refused.
const Network network{{"198.51.100.10"}, {"192.0.2.0/24"}, "198.51.100.10"};

struct World {
    DnsResponder dns{"198.51.100.10", 53};
    Sender s;
    Sent sent;

    World() = default;
    World(const World&) = delete;
    // What is wrong with a run of smtp, or nothing.
    std::string run(std::vector<std::string> options, int status, std::string_view reports) {
        options.insert(options.end(), {"dom.example", from, to});
        options.insert(options.begin(), {"-h", "me.example"});
        sent = s.run(options, message);
        if (sent.status == status && sent.report.find(reports) != std::string::npos) return {};
        return "status " + std::to_string(sent.status) + ", " + sent.report + sent.err + "; expected " + std::to_string(status) +
               " " + std::string(reports) + "\n";
    }
};

#define ROUTED(...)                                                             \
    if (program_path("smtp").empty()) SKIP("smtp is not built");                \
    if (const std::string why = namespace_forbidden(); !why.empty()) SKIP(why); \
    CHECK(in_namespace(network, __VA_ARGS__, sys::Deadline::in(base::Seconds(40))) == "")

}  // namespace

TEST_CASE("smtp: through a dead first MX to the second") {
    ROUTED([]() -> std::string {
        World w;
        w.dns.mx("dom.example", 10, "dead.example");
        w.dns.mx("dom.example", 20, "live.example");
        w.dns.address("dead.example", "192.0.2.1");
        w.dns.address("live.example", "192.0.2.2");
        const FakeSmtp server({FakeSmtp::accepting()}, "192.0.2.2", 25);
        const std::string fault = w.run({}, 0, "d r@dom.example 250");
        return fault + server.wait_for(0).fault;
    });
}

TEST_CASE("smtp: the next MX after a bad greeting, EHLO, or a refusal for now; never after a final word") {
    ROUTED([]() -> std::string {
        struct Case {
            Script first;
            int status;
            bool second;
        };
        const Turn hi = Turn::say("220 x\r\n"), ehlo = Turn::on("EHLO", "250 x\r\n"), mail = Turn::on("MAIL", "250 x\r\n"),
                   rcpt = Turn::on("RCPT", "250 x\r\n"), data = Turn::on("DATA", "354 x\r\n"),
                   bye = Turn::on("QUIT", "221 x\r\n");
        std::vector<Case> cases;
        cases.push_back({{Turn::say("554 x\r\n"), Turn::on("QUIT", "221 x\r\n")}, 0, true});
        cases.push_back({{Turn::say("421 x\r\n").and_close()}, 0, true});
        cases.push_back({{hi, Turn::on("EHLO", "").and_reset()}, 0, true});
        cases.push_back({{hi, Turn::on("EHLO", "550 x\r\n"), Turn::on("HELO", "550 x\r\n"), bye}, 0, true});
        cases.push_back({{hi, ehlo, mail, Turn::on("RCPT", "451 x\r\n"), bye}, 0, true});
        cases.push_back({{hi, ehlo, mail, rcpt, data, Turn::body("451 x\r\n"), bye}, 0, true});
        cases.push_back({{hi, ehlo, Turn::on("MAIL", "550 x\r\n"), bye}, 69, false});
        cases.push_back({{hi, ehlo, mail, Turn::on("RCPT", "550 5.1.1 x\r\n"), bye}, 67, false});
        cases.push_back({{hi, ehlo, mail, rcpt, data, Turn::body("554 x\r\n"), bye}, 69, false});
        cases.push_back({{hi, ehlo, mail, rcpt, data, Turn::body("").and_close()}, 75, false});  // it may have it
        World w;
        w.dns.mx("dom.example", 10, "one.example");
        w.dns.mx("dom.example", 20, "two.example");
        w.dns.address("one.example", "192.0.2.1");
        w.dns.address("two.example", "192.0.2.2");
        std::string wrong;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            const FakeSmtp one({cases[i].first}, "192.0.2.1", 25);
            const FakeSmtp two({FakeSmtp::accepting()}, "192.0.2.2", 25);
            const std::string fault = w.run({}, cases[i].status, "r@dom.example");
            if (!fault.empty() || one.heard().size() != 1 || two.heard().size() != (cases[i].second ? 1 : 0))
                wrong += "case " + std::to_string(i) + ": " + fault;
        }
        return wrong;
    });
}

TEST_CASE("smtp: some accepted, some not: the others are not tried elsewhere") {
    ROUTED([]() -> std::string {
        World w;
        w.dns.mx("dom.example", 10, "one.example");
        w.dns.mx("dom.example", 20, "two.example");
        w.dns.address("one.example", "192.0.2.1");
        w.dns.address("two.example", "192.0.2.2");
        const FakeSmtp one({{Turn::say("220 x\r\n"), Turn::on("EHLO", "250 x\r\n"), Turn::on("MAIL", "250 x\r\n"),
                             Turn::on("RCPT", "250 x\r\n"), Turn::on("RCPT", "451 x\r\n"), Turn::on("DATA", "354 x\r\n"),
                             Turn::body("250 x\r\n"), Turn::on("QUIT", "221 x\r\n").and_close()}},
                           "192.0.2.1", 25);
        const FakeSmtp two({FakeSmtp::accepting()}, "192.0.2.2", 25);
        const Sent sent = w.s.run({"-h", "me.example", "dom.example", from, to, "b@dom.example"}, message);
        return sent.status == 75 && sent.report == "d r@dom.example 250 x\nl b@dom.example 451 x\n" && two.heard().empty()
                   ? ""
                   : sent.report + sent.err;
    });
}

TEST_CASE("smtp: what DNS says decides") {
    ROUTED([]() -> std::string {
        struct Row {
            const char* what;
            std::vector<ZoneRecord> zone;  // without a type: the question fails so
            int status;
            const char* reports;
            std::vector<std::string> options = {};
        };
        const Row rows[] = {
            {"no MX", {{"dom.example", "A", "192.0.2.2"}}, 0, "d r@"},
            {"MX behind CNAME",
             {{"dom.example", "CNAME", "real.example"},
              {"real.example", "MX", "1 mx.example"},
              {"mx.example", "CNAME", "box.example"},
              {"box.example", "A", "192.0.2.2"}},
             0,
             "d r@"},
            {"null MX", {{"dom.example", "MX", "0 "}, {"dom.example", "A", "192.0.2.2"}}, 68, "n r@dom.example 556 5.1.10"},
            {"no such domain", {}, 68, "n r@dom.example 550 5.1.2"},
            {"a gateway", {{"gw.example", "A", "192.0.2.2"}}, 0, "d r@", {"-g", "gw.example"}},
            {"a gateway not needed", {{"dom.example", "MX", "0 "}}, 68, "556", {"-g", "[192.0.2.2]"}},
            {"MX fails", {{"dom.example", "", "servfail"}}, 75, "l r@dom.example 451 4.4.3"},
            {"A fails", {{"dom.example", "MX", "1 mx.example"}, {"mx.example", "", "refused"}}, 75, "451 4.4.3"},
            {"loopback",
             {{"dom.example", "MX", "1 localhost"}, {"localhost", "A", "127.0.0.1"}, {"localhost", "AAAA", "::1"}},
             69,
             "550 5.4.4"},
            {"an interface of ours",
             {{"dom.example", "MX", "1 us.example"}, {"us.example", "A", "198.51.100.10"}},
             69,
             "554 5.4.6"},
            {"our name",
             {{"dom.example", "MX", "1 me.example"}, {"dom.example", "MX", "2 mx.example"}, {"mx.example", "A", "192.0.2.2"}},
             69,
             "554 5.4.6"},
            {"ourselves and worse are cut",
             {{"dom.example", "MX", "1 mx.example"},
              {"dom.example", "MX", "5 us.example"},
              {"dom.example", "MX", "9 dead.example"},
              {"mx.example", "A", "192.0.2.2"},
              {"us.example", "A", "198.51.100.10"},
              {"dead.example", "A", "192.0.2.3"}},
             0,
             "d r@"},
            {"-b",
             {{"dom.example", "MX", "1 busted.example"},
              {"dom.example", "MX", "2 mx.example"},
              {"busted.example", "A", "127.0.0.1"},
              {"mx.example", "A", "192.0.2.2"}},
             0,
             "d r@",
             {"-b", "busted.example"}},
            {"every address of a host, a dead family costs little",
             {{"dom.example", "MX", "1 mx.example"},
              {"mx.example", "AAAA", "2001:db8::77"},
              {"mx.example", "A", "192.0.2.1"},
              {"mx.example", "A", "192.0.2.2"}},
             0,
             "d r@"},
        };
        std::string wrong;
        const FakeSmtp server({FakeSmtp::accepting()}, "192.0.2.2", 25);
        for (const Row& row : rows) {
            World w;
            for (const auto& record : row.zone) {
                if (!record.type.empty())
                    add(w.dns, record);
                else
                    w.dns.fault(record.owner, record.data == "refused" ? DnsFault::refused : DnsFault::servfail);
            }
            const std::string fault = w.run(row.options, row.status, row.reports);
            if (!fault.empty()) wrong += std::string(row.what) + ": " + fault;
        }
        return wrong;
    });
}

TEST_CASE("smtp: a trusted client's mail leaves the house: smtpd, send, smtp, and another smtpd") {
    if (program_path("smtpd").empty() || program_path("send").empty()) SKIP("smtpd and send are not built");
    ROUTED([]() -> std::string {
        World w;
        w.dns.mx("greylag.test", 10, "mx.greylag.test");
        w.dns.address("mx.greylag.test", "192.0.2.25");
        Site far, near;
        const auto receiver = started(far, far.smtpd, {"-C", far.configuration, "-l", "192.0.2.25:25"}, 25, "192.0.2.25");
        near.scratch.make_directory("state/mail/near.example.net/me");
        std::string conf = replaced(near.scratch.read("smtpd.conf").value_or(""), "domain = greylag.test",
                                    "domain = near.example.net\nournets = 198.51.100.10");
        conf = replaced(conf, "you@greylag.test", "me@near.example.net");
        near.scratch.write("smtpd.conf", conf);
        const auto sender = started(near, near.smtpd, {"-C", near.configuration, "-l", "198.51.100.10:25"}, 25, "198.51.100.10");
        if (!eventually([] { return connect_to("192.0.2.25", 25) && connect_to("198.51.100.10", 25); })) return "nobody listens";
        Stream client = must(connect_to("198.51.100.10", 25));
        std::string wrong = client.reply().starts_with("220") ? "" : "no greeting";
        for (const char* line : {"EHLO laptop.near.example.net", "MAIL FROM:<me@near.example.net>", "RCPT TO:<you@greylag.test>",
                                 "RCPT TO:<me@near.example.net>", "RCPT TO:<nobody@greylag.test>", "DATA"}) {
            const std::string reply = client.ask(line);
            if (!reply.starts_with('2') && !reply.starts_with('3')) wrong += std::string(line) + ": " + reply;
        }
        const std::string reply = client.ask("Subject: out\r\n\r\nhello\r\n.");
        if (!reply.starts_with("250")) wrong += reply;
        const std::string got = far.take_message();
        if (got.find("\nSubject: out\n\nhello\n") == std::string::npos ||
            !got.starts_with("Return-Path: <me@near.example.net>\n"))
            wrong += got;
        // Delivered and never together: taken, the local copy committed, the refused one in a notice to postmaster.
        const std::string box = "state/mail/near.example.net/me/Maildir/new";
        if (near.scratch.list(box).size() != 2) wrong += std::to_string(near.scratch.list(box).size()) + " messages at home";
        std::string all;
        for (const auto& name : near.scratch.list(box)) all += near.scratch.read(box + "/" + name).value_or("");
        if (all.find("nobody@greylag.test") == std::string::npos || all.find("550 5.1.1") == std::string::npos) wrong += all;
        return wrong;
    });
}
