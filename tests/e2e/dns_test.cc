// smtpd with a name server that answers, or misbehaves, as told: HELO, -r, the peer's name, --check.
#include <algorithm>

#include "dns/resolver.hh"
#include "tests/e2e/site.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// A site whose smtpd asks our name server and sees the peer that a test wants.
struct World {
    explicit World(std::string_view peer, std::string_view settings = "") {
        if (!site.built()) return;
        site.scratch.write("net/remote", std::string(peer) + "!4242\n");
        site.scratch.write("net/local", "198.51.100.25!25\n");
        configure(dns.text(), settings);
    }
    void configure(const std::string& servers, std::string_view settings = "") {
        const std::string text = site.scratch.read("smtpd.conf").value_or("");
        site.scratch.write("smtpd.conf", text + "[dns]\nnameservers = " + servers + "\n" + std::string(settings));
    }
    Stream& start(std::vector<std::string> options = {}) {
        Start how;
        how.program = site.smtpd;
        how.arguments = std::move(options);
        for (const std::string& word : {std::string("-n"), site.scratch.at("net")}) how.arguments.push_back(word);
        how.environment = site.environment();
        session.emplace(must(Session::start(how)));
        CHECK(session->wire.reply().starts_with("220 "));
        return session->wire;
    }
    // A whole message; the reply to its end.
    static std::string send_message(Stream& wire) {
        CHECK(wire.ask("EHLO client.home.arpa").starts_with("250"));
        CHECK(wire.ask("MAIL FROM:<a@sender.arpa>").starts_with("250"));
        CHECK(wire.ask("RCPT TO:<you@greylag.test>").starts_with("250"));
        CHECK(wire.ask("DATA").starts_with("354"));
        return wire.ask("Subject: x\r\n\r\nbody\r\n.");
    }

    Site site;
    DnsResponder dns;
    std::optional<Session> session;
};

constexpr std::string_view public_peer = "9.9.9.77";

// "550 5.1.8" of the reply to MAIL in a session of its own.
std::string mail_from(World& world, const std::string& sender) {
    Stream& wire = world.start({"-r"});
    CHECK(wire.ask("EHLO client.home.arpa").starts_with("250"));
    const std::string reply = wire.ask("MAIL FROM:<" + sender + ">");
    CHECK(wire.ask("QUIT").starts_with("221"));
    return reply.substr(0, reply.find(' ', 4));
}

std::string received(const std::string& message) {
    const auto at = message.find("Received: ");
    return at == std::string::npos ? message : message.substr(at, message.find("\tby ", at) - at);
}

}  // namespace

TEST_CASE("smtpd: a name that no mail host has is refused at MAIL, and the third time ends it") {
    World world("192.0.2.7");
    if (!world.site.built()) SKIP("smtpd is not built");
    struct {
        std::string name, code;
    } const cases[] = {
        {"client.home.arpa", "250"},  {"[192.0.2.7]", "250"},         {"foo", "550 5.7.1"},
        {"a.example", "550 5.7.1"},   {"b.example.com", "550 5.7.1"}, {"1.2.3.4", "550 5.7.1"},
        {"[192.0.2.8]", "550 5.7.1"}, {"greylag.test", "550 5.7.1"},  {"[198.51.100.25]", "550 5.7.1"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        Stream& wire = world.start();
        CHECK(wire.ask("EHLO " + c.name).starts_with("250"));
        CHECK(wire.ask("MAIL FROM:<a@b.arpa>").starts_with(c.code + " "));
    }
    Stream& wire = world.start();
    CHECK(wire.ask("EHLO localhost").starts_with("250"));
    CHECK(wire.ask("MAIL FROM:<a@b.arpa>").starts_with("550 5.7.1 "));
    CHECK(wire.ask("EHLO x.localhost").starts_with("250"));
    CHECK(wire.ask("MAIL FROM:<a@b.arpa>").starts_with("550 5.7.1 "));
    CHECK(wire.ask("MAIL FROM:<a@b.arpa>").starts_with("421 4.7.1 "));
    CHECK(wire.read_to_end().value_or("?").empty());
    CHECK(world.dns.questions().empty());
    CHECK(world.site.scratch.read("log").value_or("").find("reason=helo-bogus") != std::string::npos);
}

TEST_CASE("smtpd: a better name after a bad one is taken, and trusted peers say what they like") {
    World world("192.0.2.7");
    if (!world.site.built()) SKIP("smtpd is not built");
    Stream& wire = world.start();
    CHECK(wire.ask("EHLO localhost").starts_with("250"));
    CHECK(wire.ask("MAIL FROM:<a@b.arpa>").starts_with("550"));
    CHECK(wire.ask("EHLO client.home.arpa").starts_with("250"));
    CHECK(wire.ask("MAIL FROM:<a@b.arpa>").starts_with("250"));
    World friends("192.0.2.7", "[smtpd]\nournets = 192.0.2.0/24\nverifysenderdom = on\n");
    for (const auto name : {"foo", "greylag.test", "[10.0.0.1]", "x.example"}) {
        CAPTURE(name);
        Stream& trusted = friends.start();
        CHECK(trusted.ask(std::string("HELO ") + name).starts_with("250"));
        CHECK(trusted.ask("MAIL FROM:<a@nowhere.arpa>").starts_with("250"));
    }
    CHECK(friends.dns.questions().empty());
}

// row 55
TEST_CASE("smtpd -r: every answer DNS can give about a sender's domain") {
    World world("192.0.2.7");
    if (!world.site.built()) SKIP("smtpd is not built");
    DnsResponder& dns = world.dns;
    dns.mx("mx.arpa", 10, "mail.mx.arpa");
    for (int i = 0; i < 60; ++i) dns.mx("many.arpa", 10, "mx" + std::to_string(i) + ".many.arpa");
    dns.address("a.arpa", "192.0.2.1");
    dns.address("aaaa.arpa", "2001:db8::1");
    dns.cname("alias.arpa", "mx.arpa");
    dns.mx("null.arpa", 0, ".");
    dns.address("null.arpa", "192.0.2.1");
    dns.txt("txt.arpa", "v=spf1 -all");
    for (const auto name : {"servfail.arpa", "refused.arpa", "garbage.arpa"}) dns.mx(name, 10, "mail.mx.arpa");
    dns.fault("servfail.arpa", DnsFault::servfail);
    dns.fault("refused.arpa", DnsFault::refused);
    dns.fault("garbage.arpa", DnsFault::garbage);
    dns.txt("half.arpa", "x");
    dns.fault("half.arpa", DnsFault::servfail, rr::aaaa);
    struct {
        std::string sender, code;
    } const cases[] = {
        {"a@mx.arpa", "250 2.1.0"},
        {"a@MX.arpa", "250 2.1.0"},
        {"a@many.arpa", "250 2.1.0"},
        {"a@a.arpa", "250 2.1.0"},
        {"a@aaaa.arpa", "250 2.1.0"},
        {"a@alias.arpa", "250 2.1.0"},
        {"", "250 2.1.0"},
        {"a@[203.0.113.9]", "250 2.1.0"},
        {"a@null.arpa", "550 5.7.27"},
        {"a@txt.arpa", "550 5.1.8"},
        {"a@nowhere.arpa", "550 5.1.8"},
        {"a@servfail.arpa", "451 4.4.3"},
        {"a@refused.arpa", "451 4.4.3"},
        {"a@garbage.arpa", "451 4.4.3"},
        {"a@half.arpa", "451 4.4.3"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.sender);
        CHECK(mail_from(world, c.sender) == c.code);
    }
    dns.mx("xn--mnchen-3ya.arpa", 10, "mail.mx.arpa");
    Stream& wire = world.start({"-r"});
    CHECK(wire.ask("EHLO client.home.arpa").starts_with("250"));
    CHECK(wire.ask("MAIL FROM:<a@m\u00fcnchen.arpa> SMTPUTF8").starts_with("250 2.1.0"));
    // An address is asked for only where there is no MX, and nothing for the null sender and literals.
    CHECK(dns.asked("mx.arpa", rr::a) + dns.asked("mx.arpa", rr::aaaa) + dns.asked("nowhere.arpa", rr::a) == 0);
    CHECK(dns.asked("a.arpa", rr::a) == 1);
    CHECK(dns.asked("a.arpa", rr::mx) == 1);
    const auto before = dns.questions().size();
    CHECK(mail_from(world, "") == "250 2.1.0");
    CHECK(dns.questions().size() == before);
}

TEST_CASE("smtpd -r: a name server that is silent costs no more than the time it is given") {
    World world("192.0.2.7", "timeout = 300ms\n");
    if (!world.site.built()) SKIP("smtpd is not built");
    world.dns.fault("silent.arpa", DnsFault::silence);
    const auto start = sys::stopwatch();
    CHECK(mail_from(world, "a@silent.arpa") == "451 4.4.3");
    CHECK(sys::since(start) >= base::Millis(299));
    CHECK(sys::since(start) < base::Millis(5'000));
}

TEST_CASE("smtpd -r: a real name server, nsd") {
    const std::string nsd = find_program("nsd");
    if (nsd.empty()) SKIP("nsd is not installed");
    World world("192.0.2.7");
    if (!world.site.built()) SKIP("smtpd is not built");
    const Scratch& scratch = world.site.scratch;
    std::string zone =
        "$ORIGIN zone.arpa.\n$TTL 60\n@ SOA ns root 1 60 60 60 5\n@ NS ns\nns A 127.0.0.1\nmx MX 10 ns\nnull MX 0 .\n"
        "a A 192.0.2.1\naaaa AAAA 2001:db8::1\nalias CNAME mx\ntxt TXT x\ndeep.under A 192.0.2.1\n";
    for (int i = 0; i < 60; ++i) zone += "many MX 10 exchanger-" + std::to_string(i) + "\n";
    scratch.write("zone", zone);
    const std::string address = "127.0.0.1";
    const std::uint16_t port = world.site.free_port();
    const auto at = [&](const char* name) { return '"' + scratch.at(name) + '"'; };
    scratch.write("nsd.conf", "server:\n  ip-address: " + address + "@" + std::to_string(port) +
                                  "\n  username: \"\"\n  zonesdir: " + at("") + "\n  database: \"\"\n  pidfile: " +
                                  at("nsd.pid") + "\n  xfrdfile: " + at("xfrd") + "\n  xfrdir: " + at("") +
                                  "\n  zonelistfile: " + at("zones") + "\n  cookie-secret-file: \"\"\n  server-count: 1\n" +
                                  "remote-control:\n  control-enable: no\nzone:\n  name: zone.arpa\n  zonefile: zone\n");
    const Listener server = started(world.site, nsd, {"-d", "-c", scratch.at("nsd.conf")}, port);
    const dns::NameServer here{must(mail::IpAddress::parse(address)), port};
    REQUIRE(eventually([&] { return dns::Resolver::silent({{here}, base::Millis(200)}).empty(); }));
    std::string text = scratch.read("smtpd.conf").value_or("");
    scratch.write("smtpd.conf", replaced(text, world.dns.text(), here.text()));
    struct {
        std::string domain, code;
    } const cases[] = {
        {"mx.zone.arpa", "250 2.1.0"},      {"many.zone.arpa", "250 2.1.0"},  {"a.zone.arpa", "250 2.1.0"},
        {"aaaa.zone.arpa", "250 2.1.0"},    {"alias.zone.arpa", "250 2.1.0"}, {"null.zone.arpa", "550 5.7.27"},
        {"nowhere.zone.arpa", "550 5.1.8"}, {"txt.zone.arpa", "550 5.1.8"},   {"under.zone.arpa", "550 5.1.8"},
        {"refused.elsewhere", "451 4.4.3"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.domain);
        CHECK(mail_from(world, "a@" + c.domain) == c.code);
    }
    CHECK(world.dns.questions().empty());
}

TEST_CASE("smtpd: without -r the sender's domain is nobody's business") {
    World world("192.0.2.7");
    if (!world.site.built()) SKIP("smtpd is not built");
    Stream& wire = world.start();
    CHECK(World::send_message(wire).starts_with("250"));
    CHECK(world.dns.questions().empty());
}

TEST_CASE("smtpd: the peer's confirmed name stands in Received and in the log") {
    World world(public_peer);
    if (!world.site.built()) SKIP("smtpd is not built");
    world.dns.ptr(public_peer, "liar.arpa");
    world.dns.ptr(public_peer, "mail.peer.arpa");
    world.dns.address("liar.arpa", "9.9.9.78");
    world.dns.address("mail.peer.arpa", "9.9.9.76");
    world.dns.address("mail.peer.arpa", public_peer);
    Stream& wire = world.start();
    CHECK(wire.ask("EHLO client.home.arpa").starts_with("250"));
    CHECK(world.dns.questions().empty());
    CHECK(World::send_message(wire).starts_with("250"));
    CHECK(received(world.site.take_message()) == "Received: from client.home.arpa (mail.peer.arpa [9.9.9.77])\n");
    // Once in a session.
    CHECK(World::send_message(wire).starts_with("250"));
    CHECK(received(world.site.take_message()) == "Received: from client.home.arpa (mail.peer.arpa [9.9.9.77])\n");
    CHECK(world.dns.asked(DnsResponder::reverse_name(public_peer)) == 1);
    CHECK(world.dns.asked("mail.peer.arpa", rr::a) == 1);
    CHECK(world.dns.asked("mail.peer.arpa", rr::aaaa) == 0);
    CHECK(world.site.scratch.read("log").value_or("").find("name=\"mail.peer.arpa\"") != std::string::npos);
}

// row 95
TEST_CASE("smtpd: a peer without a name, or with names that are none, is its address") {
    struct {
        std::string_view what;
        void (*fill)(DnsResponder&);
    } const cases[] = {
        {"no PTR", [](DnsResponder&) {}},
        {"not confirmed",
         [](DnsResponder& dns) {
             dns.ptr(public_peer, "liar.arpa");
             dns.address("liar.arpa", "9.9.9.78");
         }},
        {"SERVFAIL", [](DnsResponder& dns) { dns.fault(DnsResponder::reverse_name(public_peer), DnsFault::servfail); }},
        {"garbage", [](DnsResponder& dns) { dns.fault(DnsResponder::reverse_name(public_peer), DnsFault::garbage); }},
        {"odd octets, none of which may reach the header",
         [](DnsResponder& dns) {
             for (const std::string& name : {std::string("\6a\r\nX: \0", 8), std::string("\3a b\3c(d\0", 9),
                                             std::string("\2\xff\xfe\0", 4), std::string("\0", 1), std::string("\3foo\0", 5)})
                 dns.raw(DnsResponder::reverse_name(public_peer), rr::ptr, name);
         }},
        {"200 names, the right one far behind",
         [](DnsResponder& dns) {
             for (int i = 0; i < 199; ++i) dns.ptr(public_peer, "n" + std::to_string(i) + ".peer.arpa");
             dns.ptr(public_peer, "right.peer.arpa");
             dns.address("right.peer.arpa", public_peer);
         }},
    };
    for (const auto& c : cases) {
        CAPTURE(c.what);
        World world(public_peer);
        if (!world.site.built()) SKIP("smtpd is not built");
        c.fill(world.dns);
        CHECK(World::send_message(world.start()).starts_with("250"));
        CHECK(received(world.site.take_message()) == "Received: from client.home.arpa ([9.9.9.77])\n");
        CHECK(world.dns.questions().size() <= 8);
    }
}

TEST_CASE("smtpd: a name that comes late is never in the way") {
    World world(public_peer, "timeout = 10s\n");
    if (!world.site.built()) SKIP("smtpd is not built");
    world.dns.fault(DnsResponder::reverse_name(public_peer), DnsFault::silence);
    Stream& wire = world.start();
    const auto start = sys::stopwatch();
    CHECK(World::send_message(wire).starts_with("250"));
    const auto took = sys::since(start);
    CHECK(took >= base::Millis(900));
    CHECK(took < base::Millis(8'000));
    CHECK(received(world.site.take_message()) == "Received: from client.home.arpa ([9.9.9.77])\n");
    // It had its chance.
    const auto again = sys::stopwatch();
    CHECK(World::send_message(wire).starts_with("250"));
    CHECK(sys::since(again) < took);
}

TEST_CASE("smtpd -r: the name's question and the sender's are in flight together") {
    World world(public_peer);
    if (!world.site.built()) SKIP("smtpd is not built");
    const std::string reverse = DnsResponder::reverse_name(public_peer);
    world.dns.ptr(public_peer, "mail.peer.arpa");
    world.dns.address("mail.peer.arpa", public_peer);
    world.dns.mx("sender.arpa", 10, "mx.sender.arpa");
    for (const std::string& name : {reverse, std::string("sender.arpa")}) world.dns.delay(name, base::Millis(400));
    Stream& wire = world.start({"-r"});
    const auto start = sys::stopwatch();
    CHECK(World::send_message(wire).starts_with("250"));
    CHECK(sys::since(start) >= base::Millis(399));
    const auto asked = world.dns.questions();
    REQUIRE(asked.size() >= 2);
    CHECK(asked[0].name == reverse);
    CHECK(asked[1].name == "sender.arpa");
    CHECK(received(world.site.take_message()) == "Received: from client.home.arpa (mail.peer.arpa [9.9.9.77])\n");
}

TEST_CASE("smtpd: nobody asks for the names of loopback and private peers") {
    for (const auto peer : {"127.0.0.1", "10.1.2.3", "192.168.7.7", "172.31.0.1", "169.254.1.1", "100.64.0.9", "::1", "fe80::1",
                            "fd00::1", "2001:db8::5"}) {
        CAPTURE(peer);
        World world(peer);
        if (!world.site.built()) SKIP("smtpd is not built");
        CHECK(World::send_message(world.start()).starts_with("250"));
        CHECK(world.dns.questions().empty());
    }
}

TEST_CASE("smtpd --check: name servers that do not answer are named") {
    World world("192.0.2.7");
    if (!world.site.built()) SKIP("smtpd is not built");
    const auto check = [&] {
        sys::Command command;
        command.path = world.site.smtpd;
        command.arguments = {"--check"};
        command.environment = world.site.environment();
        return must(sys::run(command, soon()));
    };
    const auto good = check();
    CHECK(good.ending.status == 0);
    CHECK(good.err.empty());
    std::uint16_t closed = 0;
    { closed = DnsResponder().port(); }
    DnsResponder silent;
    silent.fault("", DnsFault::silence);
    world.configure("127.0.0.1:" + std::to_string(closed) + " " + silent.text());
    const auto bad = check();
    CHECK(bad.ending.status == 78);
    CHECK(bad.err.find("name server 127.0.0.1:" + std::to_string(closed) + ": no answer") != std::string::npos);
    CHECK(bad.err.find("name server " + silent.text() + ": no answer") != std::string::npos);
    CHECK(bad.err.find("name server " + world.dns.text()) == std::string::npos);
}
