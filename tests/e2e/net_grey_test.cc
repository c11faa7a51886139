// Greylisting over port 25: smtpd's own loop, real source addresses of both families, the disk beneath it full or read-only.
#include <sys/mount.h>
#include <unistd.h>

#include <map>
#include <set>

#include "base/escape.hh"
#include "tests/e2e/net_house.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

TEST_CASE("net: first call, early, too late, in time, white: IPv4 and IPv6") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        const NetHouse house;
        struct Caller {
            std::string one, other, stranger, record, line;
        };
        const Caller callers[] = {
            {"203.0.113.7", "203.0.113.99", "203.0.114.7", house.record("203.0.113.0"), "203.0.113.0/24 # 20"},
            {"2001:db8:1:2::7", "2001:db8:1:2:3::99", "2001:db8:1:3::7", house.record("2001:db8:1:2::"),
             "2001:db8:1:2::/64 # 20"}};
        for (const auto& c : callers) {
            wrong.is("first", house.answer(c.one),
                     "451 4.7.1 greylisted; try again from the same address; seconds left: 300\r\n");
            const std::string before = house.whitelist();
            house.age(c.record, 3 * minute);
            const std::int64_t first = house.first_call(c.record);
            for (const auto& source : {c.one, c.one, c.other}) {
                wrong.has("early", house.answer(source), "451 4.7.1 greylisted");
                wrong.holds("the clock was restarted by " + source, house.first_call(c.record) == first);
            }
            house.age(c.record, 14 * hour + minute);
            wrong.has("late", house.answer(c.one), "seconds left: 300");
            wrong.holds("late: no first call again", house.first_call(c.record) >= sys::wall_millis() / 1000 - minute);
            house.age(c.record, 13 * hour);
            wrong.is("the whitelist before", house.whitelist(), before);
            wrong.is("in the window", house.code(c.other), "250");
            wrong.has("whitelist", house.whitelist(), c.line);
            wrong.holds("the line is whole", house.whitelist().ends_with("Z greylist passed\n"));
            wrong.is("white, to another", house.code(c.one, "me@greylag.test"), "250");
            wrong.is("another network", house.code(c.stranger), "451");
        }
        const std::string all = house.whitelist();
        wrong.holds("two lines", base::split(all, '\n').size() == 3);
        return wrong.text();
    });
}

TEST_CASE("net: a message comes in from a network that waited; a bounce waits at DATA") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        NetHouse house;
        house.code("203.0.113.7");
        house.age(house.record("203.0.113.0"), 6 * minute);
        Stream wire = house.call("203.0.113.8");
        wrong.has("rcpt", wire.ask("RCPT TO:<you@greylag.test>"), "250 ");
        wrong.has("data", wire.ask("DATA"), "354 ");
        wrong.has("dot", wire.ask("Subject: in\r\n\r\nhello\r\n."), "250 2.6.0");
        const std::string got = house.site.take_message();
        wrong.has("message", got, "([203.0.113.8])\n");
        wrong.has("message", got, "\nSubject: in\n\nhello\n");

        Stream bounce = house.call("203.0.5.7", "MAIL FROM:<>");
        wrong.has("null sender, rcpt", bounce.ask("RCPT TO:<you@greylag.test>"), "250 ");
        wrong.has("null sender, data", bounce.ask("DATA"), "451 4.7.1");
        return wrong.text();
    });
}

TEST_CASE("net: eighty networks call; the trusted and the evil are none of them") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        const NetHouse house("[smtpd]\nournets = 192.0.2.0/24, 2001:db8:25::/48\n",
                             {"-g", "-k", "203.0.66", "-k", "2001:db8:66::/48"});
        for (int i = 0; i < 40; ++i) {
            const std::string n = std::to_string(100 + i);
            wrong.is(n, house.code("203.0." + n + ".7"), "451");
            wrong.is(n, house.code("2001:db8:" + n + "::7"), "451");
        }
        wrong.holds("eighty records", house.site.scratch.files("state/grey/tmp").size() == 80);
        for (const char* evil : {"203.0.66.1", "203.0.66.255", "2001:db8:66::1"}) {
            Stream wire = house.dial(evil);
            wrong.is(evil, must(wire.read_to_end()), "");
        }
        wrong.is("lines about the evil", std::to_string(house.logged("203.0.66.") + house.logged("2001:db8:66:")), "0");
        for (const char* ours : {"192.0.2.77", "2001:db8:25::1"}) wrong.is(ours, house.code(ours), "250");
        wrong.holds("no record of ours", house.site.scratch.files("state/grey/tmp").size() == 80);
        return wrong.text();
    });
}

TEST_CASE("net: twenty at once on one whitelist, while it is expired: no line lost, doubled or torn") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        const NetHouse house("[grey]\nmin = 0s\nwhitelist_age = 30d\n");
        std::string before = "# ours\n192.0.2.9\n";
        for (int i = 0; i < 200; ++i)
            before +=
                "10.0." + std::to_string(i) + ".0/24 # 2020-01-01T00:00:00Z greylist passed\n# kept " + std::to_string(i) + "\n";
        house.site.scratch.write("state/grey/whitelist", before + "203.1.0.0/24");
        for (int round = 0; round < 3; ++round) {
            std::vector<Stream> clients;
            for (int i = 0; i < 20; ++i) {
                // Ten networks, each twice.
                clients.push_back(house.call("203.0." + std::to_string(10 * round + i % 10) + "." + std::to_string(1 + i)));
                clients.back().ask("RCPT TO:<me@greylag.test>");
            }
            for (auto& client : clients) must(client.send("RCPT TO:<you@greylag.test>\r\nRCPT TO:<me@greylag.test>\r\n"));
            wrong.is("expire", house.ctl({"expire"}).err, "");
            for (auto& client : clients) {
                client.reply();
                wrong.has("second call", client.reply(), "250 ");
            }
        }
        std::map<std::string, int> lines;
        const std::string whitelist = house.whitelist();
        for (const auto line : base::split(whitelist, '\n')) {
            if (line.starts_with("# kept")) continue;
            ++lines[std::string(line.substr(0, line.find(' ')))];
            const bool whole = line.empty() || line == "# ours" || line == "192.0.2.9" || line == "203.1.0.0/24" ||
                               (line.starts_with("203.0.") && line.ends_with(" greylist passed"));
            wrong.holds("torn: " + std::string(line), whole);
        }
        for (const auto& [first, count] : lines) wrong.holds(first + " is there " + std::to_string(count) + " times", count == 1);
        wrong.is("lines", std::to_string(lines.size()), "34");  // the thirty, the three that were there, the end
        wrong.is("said", std::to_string(house.logged("whitelist id=")), "30");
        for (int i = 0; i < 200; ++i) wrong.has("kept", whitelist, "\n# kept " + std::to_string(i) + "\n");
        wrong.has("index", house.ctl({"rebuild"}).out, "fresh: 233 lines, 32 IPv4");
        return wrong.text();
    });
}

TEST_CASE("net: what a stranger calls a recipient, and what its record is called") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        const NetHouse house("[smtpd]\nourdomains = *.greylag.test\n[mailer]\ncatchall = you@greylag.test\n");
        const std::string deep = std::string(60, 'd') + "." + std::string(60, 'e') + ".greylag.test";
        const std::string slashes = std::string(64, '/') + "@" + deep;  // over 300 octets once they are escaped
        struct Row {
            std::string recipient, answer, record;
        };
        const Row rows[] = {
            {"\"../../../../etc/x\"@greylag.test", "451 4.7.1", "%22..%2F..%2F..%2F..%2Fetc%2Fx%22@greylag.test"},
            {"\"..\"@greylag.test", "451 4.7.1", "%22..%22@greylag.test"},
            {"\".\"@greylag.test", "451 4.7.1", "%22.%22@greylag.test"},
            {"\"a/b\"@greylag.test", "451 4.7.1", "a%2Fb@greylag.test"},
            {"/etc/passwd@greylag.test", "451 4.7.1", "%2Fetc%2Fpasswd@greylag.test"},
            {"\".hidden\"@greylag.test", "451 4.7.1", "%22.hidden%22@greylag.test"},
            {"..hidden@greylag.test", "501 5.1.3", ""},
            {"\"-rf /\"@greylag.test", "451 4.7.1", "%22-rf%20%2F%22@greylag.test"},
            {"a'`|&*?~#{}^=@greylag.test", "451 4.7.1", "a%27%60%7C%26%2A%3F%7E%23%7B%7D%5E=@greylag.test"},
            {"a$(reboot)@greylag.test", "501 5.1.3", ""},
            {"\"a\\\"b\\\\c\"@greylag.test", "451 4.7.1", "%22a%5C%22b%5C%5Cc%22@greylag.test"},
            {"A.B+C_D=E@GREYLAG.TEST", "451 4.7.1", "a.b+c_d=e@greylag.test"},
            {"you%elsewhere.test@greylag.test", "550 5.7.1", ""},
            {"j\u00f6s\u00e9@greylag.test", "451 4.7.1", "j%C3%B6s%C3%A9@greylag.test"},
            {"j\xf6s@greylag.test", "553 5.6.7", ""},
            {slashes, "451 4.7.1", "~"},
            {std::string(300, 'x') + "@greylag.test", "501 5.1.3", ""},
            {std::string("a\0b@greylag.test", 16), "500 5.5.2", ""},
        };
        int number = 0;
        for (const Row& row : rows) {
            const std::string network = "203.0." + std::to_string(number++) + ".";
            const std::string said = house.answer(network + "7", row.recipient, "MAIL FROM:<a@b.example> SMTPUTF8");
            wrong.holds(base::quoted(row.recipient, 60) + " was answered " + said, said.starts_with(row.answer));
            const auto names = house.site.scratch.files("state/grey/tmp/192.0.2.25/" + network + "0");
            const std::string name = names.empty() ? "" : names.front();
            const bool cut = row.record.ends_with('~');  // at 120 octets, and a digest of the whole
            wrong.holds(base::quoted(row.recipient, 60) + " became " + name,
                        cut ? name.starts_with("%2F%2F%2F") && name.size() == 185 && name[120] == '~' : name == row.record);
            if (name.empty()) continue;
            house.age(house.record(network + "0", name), 6 * minute);
            wrong.has(row.recipient, house.answer(network + "8", row.recipient, "MAIL FROM:<a@b.example> SMTPUTF8"), "250 ");
        }
        for (const auto& name : house.site.scratch.files("state/grey"))
            wrong.holds("a file " + name, name.starts_with("whitelist") || std::count(name.begin(), name.end(), '/') == 3);
        return wrong.text();
    });
}

namespace {

// Another file system on state/grey for a while.
class Mounted {
public:
    Mounted(const Site& site, const char* type, const std::string& from, const char* options)
        : at_(site.scratch.at("state/grey")) {
        site.scratch.make_directory("state/grey");
        const bool tmpfs = std::string_view(type) == "tmpfs";
        if (::mount(from.c_str(), at_.c_str(), type, tmpfs ? 0 : MS_BIND, options) != 0) throw std::runtime_error("no mount");
    }
    ~Mounted() { ::umount2(at_.c_str(), MNT_DETACH); }
    Mounted(const Mounted&) = delete;
    void read_only() const {
        if (::mount(nullptr, at_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
            throw std::runtime_error("no remount");
    }

private:
    std::string at_;
};

}  // namespace

TEST_CASE("net: a disk without room fails open, and the log says so") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        const NetHouse house;
        {
            const Mounted small(house.site, "tmpfs", "none", "size=64k,mode=0700,nr_inodes=3");
            wrong.is("no inode for a record", house.code("203.0.113.7"), "250");
            wrong.is("said", std::to_string(house.logged("No space left on device; not greylisted")), "1");
        }
        const Mounted small(house.site, "tmpfs", "none", "size=16k,mode=0700");
        wrong.is("first call", house.code("203.0.113.7"), "451");
        house.site.scratch.write("state/grey/whitelist", "# ours\n" + std::string(4088, '#') + "\n");  // a page
        const sys::Fd filler(::open(house.site.scratch.at("state/grey/filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        const std::string block(1024, 'x');
        while (::write(filler.get(), block.data(), block.size()) > 0) {}
        const std::string before = house.whitelist();
        house.age(house.record("203.0.113.0"), 6 * minute);
        wrong.is("no block for the whitelist", house.code("203.0.113.7"), "250");
        wrong.is("once more", house.code("203.0.113.7"), "250");
        wrong.is("said", std::to_string(house.logged("No space left on device; not greylisted")), "3");
        wrong.is("lines", std::to_string(house.logged("whitelist id=")), "0");
        wrong.holds("the whitelist was torn", house.whitelist() == before);
        return wrong.text();
    });
}

TEST_CASE("net: a read-only disk fails open, and what stands on it still counts") {
    IN_NET([]() -> std::string {
        Wrong wrong;
        const NetHouse house;
        house.site.scratch.write("state/grey/whitelist", "203.0.1.0/24\n");
        for (const char* source : {"203.0.113.7", "203.0.114.7"}) wrong.is(source, house.code(source), "451");
        house.age(house.record("203.0.114.0"), 6 * minute);
        const Mounted same(house.site, "none", house.site.scratch.at("state/grey"), nullptr);
        same.read_only();
        const struct {
            const char *source, *code, *said;
        } cases[] = {{"203.0.1.1", "250", ""},      // white
                     {"203.0.113.7", "451", ""},    // early
                     {"203.0.114.7", "250", "1"},   // in the window; its line cannot be written
                     {"203.0.115.7", "250", "2"}};  // its first call cannot be noted
        for (const auto& c : cases) {
            wrong.is(c.source, house.code(c.source), c.code);
            if (*c.said != '\0')
                wrong.is(c.source, std::to_string(house.logged("Read-only file system; not greylisted")), c.said);
        }
        return wrong.text();
    });
}
