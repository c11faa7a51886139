// One real message through every listener, byte for byte, by every client at hand. The listeners' lines are those of conf/.
#include "tests/e2e/site.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

std::string port_text(std::uint16_t port) { return std::to_string(port); }

// --- listeners: each starts and gives back where it listens; nothing when the program it needs is absent -------------------

using Start = std::optional<Listener> (*)(const Site&);

std::optional<Listener> own(const Site& site) {
    const auto port = site.free_port();
    return started(site, site.smtpd, {"-l", "127.0.0.1:" + port_text(port)}, port);
}

std::optional<Listener> own_v6(const Site& site) {
    if (!listen_at("::1")) return std::nullopt;
    const auto port = site.free_port("::1");
    return started(site, site.smtpd, {"-l", "[::1]:" + port_text(port)}, port, "::1");
}

std::optional<Listener> own_both(const Site& site) {
    const auto port = site.free_port();
    return started(site, site.smtpd, {"-l", ":" + port_text(port)}, port);
}

std::optional<Listener> socket_activate(const Site& site, std::vector<std::string> flags) {
    const std::string program = find_program("systemd-socket-activate");
    if (program.empty()) return std::nullopt;
    const auto port = site.free_port();
    flags.insert(flags.end(), {"-E", "GREYLAG_CONF=" + site.configuration, "-l", "127.0.0.1:" + port_text(port), site.smtpd});
    return started(site, program, std::move(flags), port);
}
std::optional<Listener> systemd_accepting(const Site& site) { return socket_activate(site, {"--inetd", "-a"}); }
std::optional<Listener> systemd_passing(const Site& site) { return socket_activate(site, {}); }

// Under systemd with both families on one socket, clients of IPv4 come as ::ffff:a.b.c.d.
std::optional<Listener> systemd_mapped(const Site& site) {
    const std::string program = find_program("systemd-socket-activate");
    if (program.empty() || !listen_at("::1")) return std::nullopt;
    const auto port = site.free_port();
    return started(site, program,
                   {"--inetd", "-a", "-E", "GREYLAG_CONF=" + site.configuration, "-l", port_text(port), site.smtpd}, port);
}

std::optional<Listener> tcpserver(const Site& site) {
    if (find_program("tcpserver").empty()) return std::nullopt;
    const auto port = site.free_port();
    std::string script = shipped("tcpserver.run");
    script = replaced(script, "0 smtp /usr/local/sbin/smtpd", "127.0.0.1 " + port_text(port) + " " + site.smtpd);
    // Giving rights away needs rights.
    if (our_user() == "root")
        script = replaced(script, "id -u greylag)", "id -u root)"), script = replaced(script, "id -g greylag)", "id -g root)");
    else
        script = replaced(script, line_of(script, "    -u ") + "\n", "");
    site.scratch.write("run", script, 0700);
    return started(site, site.scratch.at("run"), {}, port);
}

std::optional<Listener> inetd(const Site& site, std::string_view line_begins) {
    const std::string program = find_program("inetd");
    if (program.empty()) return std::nullopt;
    const auto port = site.free_port();
    std::string line = line_of(shipped("inetd.conf"), line_begins);
    line = replaced(line, line_begins, "127.0.0.1:" + port_text(port) + "  ");
    line = replaced(line, "  greylag  /usr/local/sbin/smtpd  smtpd", "  " + our_user() + "  " + site.smtpd + "  smtpd");
    site.scratch.write("inetd.conf", line + "\n");
    // -d keeps it, and what it starts, in our process group.
    return started(site, program, {"-d", "-i", "-R", "0", site.scratch.at("inetd.conf")}, port);
}
std::optional<Listener> inetd_nowait(const Site& site) { return inetd(site, "smtp  "); }
std::optional<Listener> inetd_wait(const Site& site) { return inetd(site, "#smtp  "); }

std::optional<Listener> xinetd(const Site& site) {
    const std::string program = find_program("xinetd");
    if (program.empty()) return std::nullopt;
    const auto port = site.free_port();
    std::string service = shipped("xinetd.conf");
    service = replaced(service, "/usr/local/sbin/smtpd", site.smtpd);
    service = replaced(service, "= greylag\n",
                       "= " + our_user() + "\n    type = UNLISTED\n    bind = 127.0.0.1\n    port = " + port_text(port) +
                           "\n    env = GREYLAG_CONF=" + site.configuration + "\n");
    service = replaced(service, "SYSLOG mail", "FILE " + site.scratch.at("xinetd.log"));
    site.scratch.write("xinetd.conf", service);
    return started(site, program,
                   {"-dontfork", "-f", site.scratch.at("xinetd.conf"), "-pidfile", site.scratch.at("xinetd.pid"), "-filelog",
                    site.scratch.at("xinetd.log")},
                   port);
}

struct Row {
    const char* name;
    Start start;
    const char* absent;  // why it may be skipped
    const char* peer;    // as Received must name it
};
constexpr Row rows[] = {
    {"smtpd -l", own, "", "[127.0.0.1]"},
    {"smtpd -l, IPv6", own_v6, "no IPv6 on the loopback", "[IPv6:::1]"},
    {"smtpd -l :port", own_both, "", "[127.0.0.1]"},
    {"systemd-socket-activate --inetd -a", systemd_accepting, "systemd-socket-activate is not installed", "[127.0.0.1]"},
    {"systemd-socket-activate, both families", systemd_mapped, "systemd-socket-activate or IPv6 is missing", "[127.0.0.1]"},
    {"systemd-socket-activate, LISTEN_FDS", systemd_passing, "systemd-socket-activate is not installed", "[127.0.0.1]"},
    {"tcpserver", tcpserver, "tcpserver is not installed", "[127.0.0.1]"},
    {"inetd nowait", inetd_nowait, "inetd is not installed", "[127.0.0.1]"},
    {"inetd wait", inetd_wait, "inetd is not installed", "[127.0.0.1]"},
    {"xinetd", xinetd, "xinetd is not installed", "[127.0.0.1]"},
};
const Row& row(std::string_view name) {
    for (const Row& r : rows)
        if (r.name == name) return r;
    throw std::runtime_error("no such listener");
}

// --- messages ----------------------------------------------------------------------------------------------------------

constexpr std::string_view header =
    "From: A stranger <stranger@example.org>\nTo: you@greylag.test\nSubject: through a listener\n\n";

// What a client of others can be given as a file of text.
std::string text_message() {
    return std::string(header) +
           "plain\n.\n..\n. a dot\n\n  blanks in front and behind  \n\ttab\nGr\xc3\xbc\xc3\x9f"
           "e\n" +
           std::string(900, 'x') + "\nlast\n";
}

// Every octet a message may hold.
std::string every_octet_message() {
    std::string message = std::string(header) + ".\n";
    for (int octet = 1; octet < 256; ++octet)
        if (octet != '\r' && octet != '\n') message += static_cast<char>(octet);
    return message + "\n..\nend\n";
}

std::string on_the_wire(std::string_view message) {
    std::string out;
    bool start = true;
    for (const char c : message) {
        if (start && c == '.') out += '.';
        if (c == '\n') out += '\r';
        out += c;
        start = c == '\n';
    }
    return out + ".\r\n";
}

void raw_client_sends(const Listener& listener, std::string_view message) {
    Stream stream = listener.connect();
    CHECK(stream.reply().starts_with("220 greylag.test "));
    CHECK(stream.ask("EHLO client.home.arpa").starts_with("250-greylag.test "));
    CHECK(stream.ask("MAIL FROM:<stranger@example.org>").starts_with("250 2.1.0 "));
    CHECK(stream.ask("RCPT TO:<you@greylag.test>").starts_with("250 2.1.5 "));
    CHECK(stream.ask("DATA").starts_with("354 "));
    must(stream.send(on_the_wire(message)));
    CHECK(stream.reply().starts_with("250 2.6.0 "));
    CHECK(stream.ask("QUIT").starts_with("221 2.0.0 "));
}

void check_stored(Site& site, const Row& listener, std::string_view message) {
    const std::string stored = site.take_message();
    REQUIRE(stored.ends_with(message));
    const std::string front = stored.substr(0, stored.size() - message.size());
    INFO(front);
    CHECK(front.starts_with("Return-Path: <stranger@example.org>\nDelivered-To: you@greylag.test\nReceived: from "));
    CHECK(front.find(listener.peer) != std::string::npos);
    CHECK(front.find("\tby greylag.test with ESMTP ") != std::string::npos);
    CHECK(front.ends_with("\n"));
    CHECK(front.find("From stranger") == std::string::npos);
}

void goes_through(std::string_view name) {
    const Row& listener = row(name);
    Site site;
    if (!site.built()) SKIP("smtpd or send is not built");
    const auto running = listener.start(site);
    if (!running) SKIP(listener.absent);
    for (const std::string& message : {text_message(), every_octet_message()}) {
        raw_client_sends(*running, message);
        check_stored(site, listener, message);
    }
}

// --- other people's clients ----------------------------------------------------------------------------------------------

struct Client {
    const char* program;
    std::vector<std::string> (*arguments)(const Site&, const Listener&);
};

std::vector<std::string> python(const Site& site, const Listener& listener) {
    site.scratch.write("client.py",
                       "import smtplib, sys\n"
                       "client = smtplib.SMTP(sys.argv[1], int(sys.argv[2]), 'client.home.arpa', timeout=20)\n"
                       "client.sendmail('stranger@example.org', ['you@greylag.test'], open(sys.argv[3], "
                       "'rb').read().replace(b'\\n', b'\\r\\n'))\n"
                       "client.quit()\n");
    return {site.scratch.at("client.py"), listener.address, port_text(listener.port), site.scratch.at("message")};
}

std::vector<std::string> curl(const Site& site, const Listener& listener) {
    const std::string host = listener.address == "::1" ? "[::1]" : listener.address;
    return {"-sS",
            "--max-time",
            "20",
            "--url",
            "smtp://" + host + ":" + port_text(listener.port) + "/client.home.arpa",
            "--mail-from",
            "stranger@example.org",
            "--mail-rcpt",
            "you@greylag.test",
            "--crlf",
            "-T",
            site.scratch.at("message")};
}

std::vector<std::string> swaks(const Site& site, const Listener& listener) {
    // It ends the last line itself.
    const std::string message = site.scratch.read("message").value();
    site.scratch.write("message", message.substr(0, message.size() - 1));
    return {"--server", listener.address,       "--port", port_text(listener.port), "--ehlo", "client.home.arpa",
            "--from",   "stranger@example.org", "--to",   "you@greylag.test",       "--data", "@" + site.scratch.at("message")};
}

void sends_through_every_listener(const Client& client) {
    const std::string program = find_program(client.program);
    if (program.empty()) SKIP(std::string(client.program) + " is not installed");
    Site site;
    if (!site.built()) SKIP("smtpd or send is not built");
    const std::string message = text_message();
    for (const Row& listener : rows) {
        INFO(std::string(listener.name));
        const auto running = listener.start(site);
        if (!running) continue;  // named by its own test case
        running->connect().close();
        site.scratch.write("message", message);
        sys::Command command;
        command.path = program;
        command.arguments = client.arguments(site, *running);
        command.environment = site.environment();
        const auto said = must(sys::run(command, soon()));
        INFO(said.out);
        INFO(said.err);
        REQUIRE(said.ending.ok());
        check_stored(site, listener, message);
    }
}

}  // namespace

TEST_CASE("listener: smtpd -l") { goes_through("smtpd -l"); }
TEST_CASE("listener: smtpd -l, IPv6") { goes_through("smtpd -l, IPv6"); }
TEST_CASE("listener: smtpd -l :port") { goes_through("smtpd -l :port"); }
TEST_CASE("listener: systemd, a process a connection") { goes_through("systemd-socket-activate --inetd -a"); }
TEST_CASE("listener: systemd, both families on one socket") { goes_through("systemd-socket-activate, both families"); }
TEST_CASE("listener: systemd, LISTEN_FDS") { goes_through("systemd-socket-activate, LISTEN_FDS"); }
TEST_CASE("listener: tcpserver") { goes_through("tcpserver"); }
TEST_CASE("listener: inetd nowait") { goes_through("inetd nowait"); }
TEST_CASE("listener: inetd wait") { goes_through("inetd wait"); }
TEST_CASE("listener: xinetd") { goes_through("xinetd"); }

TEST_CASE("client: Python's smtplib") { sends_through_every_listener({"python3", python}); }
TEST_CASE("client: curl") { sends_through_every_listener({"curl", curl}); }
TEST_CASE("client: swaks") { sends_through_every_listener({"swaks", swaks}); }
