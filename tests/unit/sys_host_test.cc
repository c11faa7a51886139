#include "sys/host.hh"

#include <unistd.h>

#include <set>

#include "base/ascii.hh"
#include "sys/rights.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;

TEST_CASE("sys/host: the name, from the best place that has one") {
    struct Case {
        const char* hostname;
        const char* hosts;
        const char* mailname;
        const char* name;
    };
    for (const Case& c : {
             Case{"mx.example.org", "127.0.0.1 mx.example.org other.example", "mail.example", "mx.example.org"},
             Case{"mx.example.org.", "", "", "mx.example.org"},
             Case{"mx", "127.0.0.1 localhost\n192.0.2.1\tmx.example.org mx\n", "mail.example", "mx.example.org"},
             Case{"mx", "192.0.2.1 mx mx.example.org second.example", "", "mx.example.org"},
             Case{"MX", "192.0.2.1 mx.example.org mx", "", "mx.example.org"},
             Case{"mx", "192.0.2.1 www.example.org www\n192.0.2.2 mx\n192.0.2.3 mx.example.net mx", "", "mx.example.net"},
             Case{"mx", "# 192.0.2.1 mx.example.org mx\n", "mail.example\n", "mail.example"},
             Case{"mx", "192.0.2.1 mx # mx.example.org\n", "", "mx"},
             Case{"mx", "192.0.2.1 mx.example.org mx\r\n", "", "mx.example.org"},
             Case{"mx", "127.0.1.1 mxx.example.org mxx", "", "mx"},
             Case{"mx", "", "  mail.example extra\n", "mail.example"},
             Case{"mx", "", "# nothing here\n", "mx"},
             Case{"mx", "", "", "mx"},
             Case{"", "127.0.0.1 a.b", "", "localhost"},
             Case{"(none)", "", "", "localhost"},
             Case{"m\nx.example", "", "mail.example", "mail.example"},
             Case{"localhost", "127.0.0.1 localhost.localdomain localhost", "", "localhost.localdomain"},
         }) {
        CAPTURE(c.hostname);
        CAPTURE(c.hosts);
        CAPTURE(c.mailname);
        CHECK(sys::choose_host_name(c.hostname, c.hosts, c.mailname) == c.name);
    }
    CHECK(!sys::host_name().empty());
}

TEST_CASE("sys/host: ids are unique, sortable, letters and digits") {
    std::set<std::string> seen;
    std::string last;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = sys::make_id();
        CHECK(seen.insert(id).second);
        CHECK(id.substr(0, 11) >= last);
        last = id.substr(0, 11);
        for (const char c : id) CHECK(base::is_alnum(c));
    }
}

namespace {
constexpr const char* passwd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "# a comment:x\n"
    "broken:x:1\n"
    "+nis::::::\n"
    "smtpd:x:101:102:SMTP receiver:/var/lib:/usr/sbin/nologin\n"
    "1234:x:55:56::/:/bin/sh\n"
    "huge:x:99999999999:1::/:/bin/sh";
constexpr const char* group =
    "root:x:0:\n"
    "mail:x:8:postfix,smtpd\n"
    "smtpd:x:102:smtpd\n"
    "tls:x:110:smtpd,other\n"
    "not:x:111:smtpdx\n"
    "bad:x:y:smtpd\n"
    "zero:x:120:1234";
}  // namespace

TEST_CASE("sys/rights: accounts from the files") {
    const auto smtpd = must(sys::find_account("smtpd", passwd, group));
    CHECK(smtpd.uid == 101);
    CHECK(smtpd.gid == 102);
    CHECK(smtpd.groups == std::vector<std::uint32_t>{102, 8, 110});
    CHECK(must(sys::find_account("101", passwd, group)).groups == smtpd.groups);
    const auto named = must(sys::find_account("1234", passwd, group));
    CHECK(named.uid == 55);
    CHECK(named.groups == std::vector<std::uint32_t>{56, 120});
    const auto unnamed = must(sys::find_account("4000", passwd, group));
    CHECK(unnamed.uid == 4000);
    CHECK(unnamed.gid == 4000);
    CHECK(unnamed.groups == std::vector<std::uint32_t>{4000});
    CHECK(must(sys::find_account("root", passwd, group)).uid == 0);
    for (const char* user : {"", "nobody-here", "broken", "+nis", "huge", "# a comment", "-1", "99999999999", "0x10"}) {
        CAPTURE(user);
        const auto found = sys::find_account(user, passwd, group);
        REQUIRE(!found);
        CHECK(found.error().kind == Kind::not_found);
    }
}

TEST_CASE("sys/rights: root becomes somebody and cannot go back") {
    if (!sys::is_root()) SKIP("needs root");
    const int status = in_fork([] {
        if (!sys::become("65534")) return 1;
        gid_t groups[100];
        const int count = ::getgroups(100, groups);
        if (::getuid() != 65534 || ::geteuid() != 65534 || ::getgid() == 0) return 2;
        for (int i = 0; i < count; ++i) {
            if (groups[i] == 0) return 3;
        }
        if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setgid(0) == 0) return 4;
        if (!sys::become("65534")) return 5;  // is that user already
        return sys::become("0").error().kind == Kind::denied && !sys::is_root() ? 0 : 6;
    });
    CHECK(status == 0);
    CHECK(sys::is_root());
}

TEST_CASE("sys/rights: an unknown user is refused before anything changes") {
    const auto result = sys::become("no such user");
    REQUIRE(!result);
    CHECK(result.error().text == "user no such user: not in /etc/passwd");
}

TEST_CASE("sys/host: the addresses of a name, from the machine's own file") {
    struct Case {
        const char* name;
        const char* hosts;
        const char* addresses;
    };
    for (const Case& c : {
             Case{"192.0.2.1", "192.0.2.9 192.0.2.1", "192.0.2.1"},
             Case{"2001:db8::1", "", "2001:db8::1"},
             Case{"store", "192.0.2.1 store.example store\n192.0.2.2 other\n2001:db8::1\tSTORE # x\n", "192.0.2.1 2001:db8::1"},
             Case{"store.example.", "192.0.2.1 store.example\r\n", "192.0.2.1"},
             Case{"store", "192.0.2.1 storehouse\n#192.0.2.1 store\nnonsense store\n", ""},
             Case{"localhost", "", "127.0.0.1 ::1"},
             Case{"localhost", "127.0.0.7 localhost\n", "127.0.0.7"},
             Case{"", "192.0.2.1\n", ""},
         }) {
        std::string found;
        for (const auto& address : sys::choose_host_addresses(c.name, c.hosts))
            found += (found.empty() ? "" : " ") + address.text();
        CHECK(found == c.addresses);
    }
}

TEST_CASE("sys: the name of a user's number") {
    constexpr std::string_view table = "root:x:0:0::/:/bin/sh\nbroken\njoe:x:1000:100::/:/bin/sh\ntwin:x:1000:100::/:/bin/sh\n";
    CHECK(sys::find_login_name(0, table) == "root");
    CHECK(sys::find_login_name(1000, table) == "joe");
    CHECK(sys::find_login_name(77, table) == "77");
    CHECK(!sys::login_name().empty());
}
