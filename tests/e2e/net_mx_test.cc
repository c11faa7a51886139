// Real name servers on port 53, real exchangers on port 25: what smtpd asks about a sender, and smtp's way to an smtpd that
// puts everybody off first.
#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <thread>

#include "client/deliver.hh"
#include "tests/e2e/net_house.hh"
#include "tests/e2e/smtp_support.hh"
#include "tests/support/name_server.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

constexpr const char* resolver = "198.51.100.10";

std::vector<ZoneRecord> zone() {
    std::vector<ZoneRecord> all = {
        {"greylag.test", "MX", "10 dead.greylag.test"},
        {"greylag.test", "MX", "20 mx.greylag.test"},
        {"dead.greylag.test", "A", "192.0.2.1"},
        {"mx.greylag.test", "A", NetHouse::v4},
        {"mx.greylag.test", "AAAA", NetHouse::v6},
        {"xn--bcher-kva.test", "MX", "10 mx.xn--bcher-kva.test"},
        {"mx.xn--bcher-kva.test", "A", NetHouse::v4},
        {"null.test", "MX", "0 "},
        {"host.test", "A", "203.0.113.7"},
        {"text.test", "TXT", "\"neither mail nor host\""},
        {"alias.test", "CNAME", "greylag.test"},
        {"9.9.9.7", "PTR", "sender.test"},
        {"sender.test", "A", "9.9.9.7"},
        {"9.9.9.8", "PTR", "liar.test"},
        {"liar.test", "A", "9.9.9.9"},
    };
    // Over 512 octets: asked for again over TCP.
    for (int i = 0; i < 60; ++i)
        all.push_back({"many.test", "MX", std::to_string(i) + " exchanger-number-" + std::to_string(i) + ".many.test"});
    return all;
}

const std::vector<std::string> zones{"test", "9.9.9.in-addr.arpa"};

// Takes two connections into its queue and answers nobody from then on: as a packet filter that drops, without one.
class BlackHole {
public:
    BlackHole(const std::string& address, std::uint16_t port) {
        listening_ = must(listen_at(address, port));
        ::listen(listening_.fd.get(), 0);
        while (auto stream = connect_to(address, port, sys::Deadline::in(base::Millis(150)))) held_.push_back(*std::move(stream));
    }

private:
    Listening listening_;
    std::vector<Stream> held_;
};

}  // namespace

TEST_CASE("net: smtpd -r asks nsd, knot and our responder, and hears the same") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        const NetHouse house("", {"-r"});
        for (const auto kind : NameServer::here()) {
            const NameServer dns(kind, resolver, zones, zone());
            const auto answer = [&](const char* sender) {
                Stream wire = house.dial("203.0.113.7");
                wire.reply();
                wire.ask("EHLO client.home.arpa");
                std::string said = wire.ask("MAIL FROM:<x@" + std::string(sender) + ">");
                wire.ask("QUIT");
                return said;
            };
            const struct {
                const char *sender, *reply;
            } cases[] = {
                {"greylag.test", "250 2.1.0"}, {"host.test", "250 2.1.0"},  {"alias.test", "250 2.1.0"},
                {"many.test", "250 2.1.0"},    {"null.test", "550 5.7.27"}, {"missing.test", "550 5.1.8"},
                {"text.test", "550 5.1.8"},
            };
            for (const auto& c : cases)
                wrong.has(std::string(NameServer::name(kind)) + ": " + c.sender, answer(c.sender), c.reply);
        }
        return wrong.text();
    });
}

TEST_CASE("net: a name server is waited for while its forerunner still holds the port") {
    IN_NET([]() -> std::string {
        for (const auto kind : NameServer::here()) {
            auto forerunner = std::make_unique<NameServer>(NameServer::Kind::responder, resolver, zones, zone());
            const std::jthread leaves([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
                forerunner.reset();
            });
            const NameServer dns(kind, resolver, zones, zone());
        }
        return "";
    });
}

TEST_CASE("net: a peer's name is believed when its address agrees") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        const NameServer dns(NameServer::here().front(), resolver, zones, zone());
        NetHouse house("", {});
        const auto received = [&](const char* source) {
            Stream wire = house.call(source);
            wire.ask("RCPT TO:<you@greylag.test>");
            wire.ask("DATA");
            wrong.has(source, wire.ask("Subject: x\r\n\r\n."), "250 ");
            return house.site.take_message();
        };
        wrong.has("confirmed", received("9.9.9.7"), "(sender.test [9.9.9.7])");
        wrong.has("not confirmed", received("9.9.9.8"), "([9.9.9.8])");
        wrong.has("no name", received("9.9.9.6"), "([9.9.9.6])");
        return wrong.text();
    });
}

TEST_CASE("net: smtp to smtpd by MX, past a dead host, put off first and taken on retry, byte for byte") {
    if (program_path("smtp").empty()) SKIP("smtp is not built");
    IN_NET([]() -> std::string {
        Wrong wrong;
        for (const auto kind : NameServer::here()) {
            const std::string with = NameServer::name(kind);
            const NameServer dns(kind, resolver, zones, zone());
            NetHouse house;
            const Sender sender;
            const std::string header =
                "Message-ID: <1@sender.home.arpa>\nDate: Sun, 22 Nov 2026 00:00:00 +0000\nFrom: joe@sender.home.arpa\nSubject: "
                "s\n\n";
            const std::string body = "h\xc3\xa9llo\n.\n..\n. \n\n\xff\xfe\ttrailing \n" + std::string(990, 'x') + "\nend\n";
            const std::vector<std::string> words{"-h", "sender.home.arpa", "greylag.test", "joe@sender.home.arpa",
                                                 "you@greylag.test"};
            const Sent first = sender.run(words, header + body);
            wrong.is(with + ": put off", std::to_string(first.status), "75");
            wrong.has(with + ": put off", first.report, "l you@greylag.test 451 4.7.1 greylisted");
            wrong.has(with + ": the last word", first.err, "Retry, Temporary Failure");
            const Sent early = sender.run(words, header + body);
            wrong.is(with + ": early", std::to_string(early.status), "75");
            const auto records = house.site.scratch.files("state/grey/tmp");
            for (const auto& name : records) house.age(house.site.scratch.at("state/grey/tmp/" + name), 6 * minute);
            wrong.is(with + ": records", std::to_string(records.size()), "1");  // the same family each time

            const Sent second = sender.run(words, header + body);
            wrong.is(with + ": taken", std::to_string(second.status) + second.err, "0");
            wrong.has(with + ": taken", second.report, "d you@greylag.test 250 2.6.0");
            const std::string got = house.site.take_message();
            const std::size_t at = got.find(header);
            wrong.holds(with + ": the message came differently: " + got,
                        at != std::string::npos && got.substr(at) == header + body);
            wrong.holds(with + ": once", house.site.scratch.list("state/mail/greylag.test/you/Maildir/new").empty());
            wrong.has(with + ": whitelist", house.whitelist(), "greylist passed\n");
        }
        return wrong.text();
    });
}

TEST_CASE("net: smtp finds the exchanger of a name beyond ASCII") {
    if (program_path("smtp").empty()) SKIP("smtp is not built");
    IN_NET([]() -> std::string {
        Wrong wrong;
        const NetHouse house("", {});
        const NameServer dns(NameServer::here().front(), resolver, zones, zone());
        const Sender sender;
        const auto send = [&](std::vector<std::string> words) {
            words.insert(words.begin(), {"-h", "sender.home.arpa"});
            words.insert(words.end(), {"joe@sender.home.arpa", "you@greylag.test"});
            const Sent sent = sender.run(words, "Subject: s\n\nhello\n");
            return std::to_string(sent.status) + " " + sent.report;
        };
        wrong.has("by MX", send({"b\u00fccher.test"}), "0 d you@greylag.test 250");
        wrong.has("upper case", send({"B\u00fccher.Test"}), "0 d you@greylag.test 250");
        wrong.has("dialled", send({"[mx.b\u00fccher.test]:25"}), "0 d you@greylag.test 250");
        wrong.has("a gateway", send({"-g", "mx.b\u00fccher.test", "text.test"}), "0 d you@greylag.test 250");
        wrong.has("busted", send({"-b", "mx.b\u00fccher.test", "b\u00fccher.test"}), "75 l you@greylag.test 451 4.4.3");
        wrong.has("no such name", send({"m\u00fcnchen.test"}), "68 n you@greylag.test 550 5.1.2");
        wrong.has("no name at all", send({"xn--b\u00fccher.test"}), "64 ");
        return wrong.text();
    });
}

TEST_CASE("net: a first MX that answers nothing costs its time and no more; a silent address beside a live one costs less") {
    if (program_path("smtp").empty()) SKIP("smtp is not built");
    IN_NET([]() -> std::string {
        Wrong wrong;
        NetHouse house("", {});
        const BlackHole hole("192.0.2.9", 25);
        const NameServer dns(NameServer::here().front(), resolver, {"greylag.test", "two.test"},
                             {{"greylag.test", "MX", "10 hole.greylag.test"},
                              {"greylag.test", "MX", "20 mx.greylag.test"},
                              {"hole.greylag.test", "A", "192.0.2.9"},
                              {"mx.greylag.test", "A", NetHouse::v4},
                              {"two.test", "MX", "10 both.two.test"},
                              {"both.two.test", "A", "192.0.2.9"},
                              {"both.two.test", "AAAA", NetHouse::v6}});
        // smtp itself gives a host half a minute; this is its delivery with less patience.
        const std::string text = "Subject: s\r\n\r\nhello\r\n";
        house.site.scratch.write("message", text);
        const sys::Fd message(::open(house.site.scratch.at("message").c_str(), O_RDONLY | O_CLOEXEC));
        client::Delivery d;
        d.destination = must(client::parse_destination("greylag.test"));
        d.facts.name = "sender.home.arpa";
        d.facts.sender = must(mail::Path::parse("joe@sender.home.arpa"));
        d.facts.recipients = {must(mail::Path::parse("you@greylag.test"))};
        d.facts.message.octets = text.size();
        d.message.fd = message.get();
        d.own_names = {"sender.home.arpa"};
        d.dial = base::Millis(300);
        const auto start = sys::wall_millis();
        const auto outcomes = client::deliver(d);
        wrong.holds("the hole was not tried", sys::wall_millis() - start >= 300);
        wrong.holds("not delivered: " + outcomes[0].text, outcomes[0].state == smtp::Outcome::State::delivered);
        wrong.has("message", house.site.take_message(), "Subject: s\n\nhello\n");

        const Sender sender;
        const Sent sent = sender.run({"-h", "sender.home.arpa", "two.test", "joe@sender.home.arpa", "you@greylag.test"},
                                     "Subject: t\n\nhello\n");
        wrong.is("both", std::to_string(sent.status) + sent.err, "0");
        wrong.has("both", house.site.take_message(), "Subject: t\n");
        return wrong.text();
    });
}
