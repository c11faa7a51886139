// TLS along MX records, on the real port 25 of a network of the test's own: whose name a certificate must bear, and where the
// message goes when a server refuses TLS.
#include "tests/e2e/net_house.hh"
#include "tests/e2e/send_house.hh"
#include "tests/e2e/smtp_house.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// Addresses of nobody's interface: those of interfaces are ours, and refused.
const Network network{{"198.51.100.10"}, {"192.0.2.0/24"}, "198.51.100.10"};

#define ROUTED(...)                                                             \
    if (program_path("smtp-tls").empty()) SKIP("smtp-tls is not built");        \
    if (const std::string why = namespace_forbidden(); !why.empty()) SKIP(why); \
    CHECK(in_namespace(network, __VA_ARGS__, sys::Deadline::in(base::Seconds(60))) == "")

struct World {
    House house;
    DnsResponder dns{"198.51.100.10", 53};
    World() {
        dns.mx("dom.example", 10, "one.example");
        dns.mx("dom.example", 20, "two.example");
        dns.address("one.example", "192.0.2.1");
        dns.address("two.example", "192.0.2.2");
    }
    World(const World&) = delete;
    std::string identity(const std::string& name) const {
        return house.authority.issue({.common_name = "mx", .names = "DNS:" + name});
    }
};

Script whole(const std::string& identity) {
    return {hi, ehlo, starttls, Turn::tls(identity), plain_ehlo, mail_ok, rcpt_ok, data_ok, body_ok, quit};
}

bool in_clear(const FakeSmtp& server) {
    for (const Heard& heard : server.heard())
        if (heard.bytes.substr(0, heard.bytes.find("[TLS]")).find("MAIL") != std::string::npos) return true;
    return false;
}

}  // namespace

TEST_CASE("smtp -s: a certificate is for the mail server that was dialled, not for the domain") {
    ROUTED([]() -> std::string {
        const World w;
        const FakeSmtp one({whole(w.identity("dom.example"))}, "192.0.2.1", 25);
        const FakeSmtp two({whole(w.identity("two.example"))}, "192.0.2.2", 25);
        Wrong wrong;
        const Sent sent = w.house.run({"-s", "-h", "me.example", "dom.example", from, to}, message);
        wrong.is("report", sent.report, "d r@x.example 250 2.0.0 kept\n");
        wrong.is("at two", two.wait_for(0).fault, "");
        wrong.holds("one was asked first", one.heard().size() == 1);
        wrong.holds("nothing went in clear", !in_clear(one) && !in_clear(two));
        const Sent alone = w.house.run({"-s", "-b", "two.example", "-h", "me.example", "dom.example", from, to}, message);
        wrong.is("one alone", alone.report,
                 "l r@x.example 4.7.5 TLS: the certificate of one.example is not to be believed: it is for dom.example, not "
                 "one.example\n");
        return wrong.text();
    });
}

TEST_CASE("smtp -s: where STARTTLS is refused or breaks the next server is tried, and this one never in clear") {
    ROUTED([]() -> std::string {
        const World w;
        const std::vector<Script> refusals{{hi, ehlo, Turn::on("STARTTLS", "454 4.7.0 busy\r\n"), quit},
                                           {hi, ehlo, Turn::on("STARTTLS", "502 what\r\n"), quit},
                                           {hi, ehlo, Turn::on("STARTTLS", "220 go\r\n250 injected\r\n")},
                                           {hi, ehlo, starttls, Turn::take(5, "what\r\n").and_close()},
                                           {hi, ehlo, starttls, Turn::tls(self_signed())}};
        Wrong wrong;
        for (const Script& refusal : refusals) {
            const FakeSmtp one({refusal}, "192.0.2.1", 25);
            {
                const FakeSmtp two({whole(w.identity("two.example"))}, "192.0.2.2", 25);
                const Sent sent = w.house.run({"-s", "-h", "me.example", "dom.example", from, to}, message);
                wrong.is("report", sent.report, "d r@x.example 250 2.0.0 kept\n");
                wrong.holds("two was not asked in clear", !in_clear(two));
            }
            const Sent alone = w.house.run({"-s", "-h", "me.example", "dom.example", from, to}, message);
            wrong.is("alone", std::to_string(alone.status), "75");
            wrong.holds("one was not told in clear", !in_clear(one));
        }
        return wrong.text();
    });
}

TEST_CASE("smtp -a: the key of the server that was dialled goes before the domain's") {
    ROUTED([]() -> std::string {
        const World w;
        w.house.dir.write("secrets",
                          "key proto=pass service=smtp server=dom.example user=joe !password=domain\n"
                          "key proto=pass service=smtp server=one.example user=joe !password=server\n");
        w.house.configure("[auth]\nsecrets = " + w.house.dir.at("secrets") + "\n");
        Wrong wrong;
        const auto login = [&](const char* address, const std::string& name, const std::string& secret) {
            const FakeSmtp server(
                {{hi, ehlo, starttls, Turn::tls(w.identity(name)), Turn::on("EHLO ", "250-x\r\n250 AUTH LOGIN\r\n"),
                  Turn::on("AUTH LOGIN", "334 \r\n"), Turn::on("am9l", "334 \r\n"), Turn::on(secret, "235 ok\r\n"), mail_ok,
                  rcpt_ok, data_ok, body_ok, quit}},
                address, 25);
            const Sent sent = w.house.run({"-a", "-u", "joe", "-h", "me.example", "dom.example", from, to}, message);
            wrong.is(name, sent.report, "d r@x.example 250 2.0.0 kept\n");
        };
        login("192.0.2.1", "one.example", "c2VydmVy");
        login("192.0.2.2", "two.example", "ZG9tYWlu");
        return wrong.text();
    });
}

TEST_CASE("send: any certificate will do, and under require only one that is believed") {
    if (program_path("send").empty()) SKIP("send is not built");
    ROUTED([]() -> std::string {
        const World w;
        Wrong wrong;
        for (const bool required : {false, true}) {
            for (const bool believed : {false, true}) {
                const FakeSmtp one({whole(believed ? w.identity("one.example") : self_signed())}, "192.0.2.1", 25);
                SendHouse h({}, "[tls]\nca_directory = " + w.house.dir.at("ca") + (required ? "\nrequire = on\n" : "\n"));
                h.environment = {"PATH=" + w.house.smtp.substr(0, w.house.smtp.rfind('/'))};
                const auto said = h.run({"bob@dom.example"}, message);
                const std::string what =
                    std::string(required ? "required" : "offered") + (believed ? ", believed" : ", not believed");
                wrong.is(what, std::to_string(said.ending.status) + said.err.substr(0, 15),
                         required && !believed ? "75bob@dom.example" : "0");
                wrong.holds("nothing went in clear", !in_clear(one));
            }
        }
        return wrong.text();
    });
}
