// smtpd.conf as settings: values, lists, faults, cross-checks, and the table against itself.
#include <algorithm>
#include <set>

#include "base/ascii.hh"
#include "tests/support/test.hh"
#include "tests/unit/config_support.hh"

using namespace greylag;
using namespace std::chrono_literals;
using test::faults;
using test::parsed;
using test::shown;

namespace {
struct Value {
    std::string section, key, text;
    std::string shows;  // empty: a fault, or nothing given
};
std::string after_parse(const Value& v) {
    const auto loaded = parsed("[" + v.section + "]\n" + v.key + " = " + v.text + "\n");
    if (loaded.faults.empty()) return shown(loaded.settings, v.section, v.key);
    CHECK(loaded.faults.front().line == 2);
    return {};
}
}  // namespace

TEST_CASE("config: an empty file is the built-in configuration") {
    for (const char* file : {"", "\n", "# nothing\n", "\xef\xbb\xbf", "[smtpd]\n[grey]\n"}) {
        const auto loaded = parsed(file);
        CHECK(loaded.faults.empty());
        CHECK(test::same(loaded.settings, config::defaults()));
        CHECK(loaded.sources.empty());
    }
}

TEST_CASE("config: built-in defaults") {
    const config::Settings s = config::defaults();
    CHECK(s.smtpd.norelay);
    CHECK(!s.smtpd.greylist);
    CHECK(s.smtpd.ournets.empty());
    CHECK(s.smtpd.mailer == "send");
    CHECK(s.smtpd.long_nets.size() == 20);
    for (const char* in :
         {"58.1.2.3", "66.0.0.0", "71.255.255.255", "76.1.1.1", "83.1.1.1", "89.1.1.1", "190.1.1.1", "201.1.1.1", "217.1.1.1"}) {
        const auto address = mail::IpAddress::parse(in).value();
        CHECK_MESSAGE(std::ranges::any_of(s.smtpd.long_nets, [&](const auto& net) { return net.contains(address); }), in);
    }
    for (const char* out : {"57.1.1.1", "75.1.1.1", "90.1.1.1", "127.0.0.1", "::1", "218.1.1.1"}) {
        const auto address = mail::IpAddress::parse(out).value();
        CHECK_MESSAGE(std::ranges::none_of(s.smtpd.long_nets, [&](const auto& net) { return net.contains(address); }), out);
    }
    CHECK(s.grey.min == 5min);
    CHECK(s.grey.max == 14h);
    CHECK(s.limits.size == 50u * 1024 * 1024);
    CHECK(s.limits.line == 1024u * 1024);
    CHECK(s.paths.state == GREYLAG_STATE);
    CHECK(config::parse("[paths]\nstate = /srv/greylag\n", "f").settings.paths.mail == "/srv/greylag/mail/%d/%u/Maildir");
    CHECK(s.paths.mail == GREYLAG_STATE "/mail/%d/%u/Maildir");
    CHECK(s.paths.libexec == GREYLAG_LIBEXEC);
    CHECK(s.paths.lib == GREYLAG_SYSCONFDIR "/greylag");
    CHECK(s.paths.ratify.empty());
    CHECK(config::installed_file() == GREYLAG_SYSCONFDIR "/greylag/smtpd.conf");
}

TEST_CASE("config: values that are read") {
    const std::string hex(64, 'a');
    const std::vector<Value> cases = {
        {"smtpd", "norelay", "off", "off"},
        {"smtpd", "greylist", "YES", "on"},
        {"smtpd", "debug", "true", "on"},
        {"smtpd", "norelay", "no", "off"},
        {"smtpd", "norelay", "False", "off"},
        {"smtpd", "domain", "mx.example.org", "mx.example.org"},
        {"smtpd", "mailer", "/usr/bin/procmail -a \"%s\" %r", "/usr/bin/procmail -a \"%s\" %r"},
        {"smtpd", "mailer", "lmtp:/run/lmtp", "lmtp:/run/lmtp"},
        {"smtpd", "mailer", "lmtp:[::1]:24", "lmtp:[::1]:24"},
        {"smtpd", "ournets", "192.0.2.1 10.0.0.0/8,2001:db8::/32", "192.0.2.1 10.0.0.0/8 2001:db8::/32"},
        {"smtpd", "ournets", "192.0.2", "192.0.2.0/24"},
        {"smtpd", "ourdomains", "example.org, *.example.net", "example.org *.example.net"},
        {"smtpd", "bare_newline", "normalize", "normalize"},
        {"smtpd", "blocked", "/etc/greylag/blocked list", "/etc/greylag/blocked list"},
        {"smtpd", "user", "_smtpd", "_smtpd"},
        {"grey", "min", "90", "90s"},
        {"grey", "min", "200ms", "200ms"},
        {"grey", "max", "36d", "36d"},
        {"grey", "net4", "32", "32"},
        {"tls", "minimum", "1.3", "1.3"},
        {"tls", "known", "sha256:" + hex + " spki-sha256:" + base::upper(hex), "sha256:" + hex + " spki-sha256:" + hex},
        {"tls", "known", "sha256:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
         "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
        {"auth", "mechanisms", "plain, SCRAM-SHA-256", "PLAIN SCRAM-SHA-256"},
        {"limits", "size", "50M", "50M"},
        {"limits", "size", "1G", "1G"},
        {"limits", "size", "64k", "64k"},
        {"limits", "size", "64K", "64k"},
        {"limits", "size", "1500", "1500"},
        {"dns", "nameservers", "127.0.0.1 192.0.2.53:5353 [::1]:53 2001:db8::53 [2001:db8::54]",
         "127.0.0.1:53 192.0.2.53:5353 [::1]:53 [2001:db8::53]:53 [2001:db8::54]:53"},
        {"mailer", "arguments", "bang", "bang"},
        {"mailer", "remote", "refuse", "refuse"},
        {"mailer", "catchall", "joe", "joe"},
        {"mailer", "postmaster", "joe@example.org", "joe@example.org"},
        {"paths", "mail", "/home/%u/Maildir", "/home/%u/Maildir"},
        {"log", "to", "stderr", "stderr"},
        {"log", "to", "/var/log/smtpd", "/var/log/smtpd"},
        {"log", "level", "quiet", "quiet"},
        {"log", "format", "json", "json"},
    };
    for (const Value& c : cases) {
        CAPTURE(c.key);
        CAPTURE(c.text);
        CHECK(after_parse(c) == c.shows);
    }
}

TEST_CASE("config: values that are faults") {
    const std::vector<Value> cases = {
        {"smtpd", "norelay", "maybe", ""},
        {"smtpd", "norelay", "", ""},
        {"smtpd", "norelay", "on off", ""},
        {"smtpd", "norelay", "1", ""},
        {"smtpd", "domain", "-x.example", ""},
        {"smtpd", "domain", "two names", ""},
        {"smtpd", "mailer", "", ""},
        {"smtpd", "mailer", "\"/usr/bin/procmail\"", ""},
        {"smtpd", "ournets", "192.0.2.0/33", ""},
        {"smtpd", "ournets", "192.0.2.256", ""},
        {"smtpd", "ournets", "example.org", ""},
        {"smtpd", "ourdomains", "*", ""},
        {"smtpd", "blocked", "blocked", ""},
        {"smtpd", "blocked", "'/etc/blocked'", ""},
        {"smtpd", "user", "-smtpd", ""},
        {"smtpd", "user", "a b", ""},
        {"smtpd", "bare_newline", "accept", ""},
        {"grey", "min", "10seconds", ""},
        {"grey", "min", "5 m", ""},
        {"grey", "min", "-5m", ""},
        {"grey", "min", "1.5h", ""},
        {"grey", "min", "99999999999999999999s", ""},
        {"grey", "net4", "24bits", ""},
        {"grey", "net4", "+24", ""},
        {"grey", "net4", "0", ""},
        {"grey", "net4", "33", ""},
        {"grey", "net6", "0", ""},
        {"grey", "net6", "129", ""},
        {"grey", "max", "5m", ""},
        {"grey", "min", "14h", ""},
        {"tls", "minimum", "1.1", ""},
        {"tls", "known", "sha256:abcd", ""},
        {"tls", "known", "sha1:" + std::string(40, 'a'), ""},
        {"tls", "known", "sha256:" + std::string(63, 'a') + "g", ""},
        {"auth", "mechanisms", "SCRAM-SHA256", ""},
        {"limits", "size", "50MB", ""},
        {"limits", "size", "50 M", ""},
        {"limits", "size", "M", ""},
        {"limits", "size", "0x100", ""},
        {"limits", "size", "99999999999999999999", ""},
        {"limits", "size", "17179869184G", ""},
        {"limits", "size", "0", ""},
        {"limits", "size", "50", ""},
        {"limits", "size", "1025G", ""},
        {"limits", "line", "999", ""},
        {"limits", "line", "65M", ""},
        {"limits", "recipients", "0", ""},
        {"limits", "recipients", "4294967296", ""},
        {"limits", "errors", "0", ""},
        {"limits", "sessions", "0", ""},
        {"limits", "per_source", "1000001", ""},
        {"limits", "session_time", "0s", ""},
        {"limits", "stop_time", "0s", ""},
        {"auth", "failures", "201", ""},
        {"auth", "penalty", "0", ""},
        {"dns", "timeout", "0", ""},
        {"dns", "timeout", "61s", ""},
        {"dns", "nameservers", "ns.example.org", ""},
        {"dns", "nameservers", "127.0.0.1:0", ""},
        {"dns", "nameservers", "127.0.0.1:65536", ""},
        {"dns", "nameservers", "127.0.0.1:", ""},
        {"dns", "nameservers", "[::1", ""},
        {"dns", "nameservers", "[::1]53", ""},
        {"mailer", "timeout", "11m", ""},
        {"mailer", "timeout", "0", ""},
        {"mailer", "catchall", "joe@", ""},
        {"mailer", "postmaster", "a b", ""},
        {"paths", "state", "", ""},
        {"paths", "state", "var/lib", ""},
        {"paths", "mail", "/home/joe/Maildir", ""},
        {"paths", "mail", "/home/%u/%x", ""},
        {"paths", "mail", "/home/%u/%", ""},
        {"log", "to", "file", ""},
        {"log", "to", "", ""},
        {"smtpd", "greeting_delay", "5m", ""},
        {"smtpd", "long_delay", "241s", ""},
    };
    for (const Value& c : cases) {
        CAPTURE(c.key);
        CAPTURE(c.text);
        CHECK(after_parse(c).empty());
        CHECK(parsed("[" + c.section + "]\n" + c.key + " = " + c.text + "\n").faults.size() == 1);
    }
}

TEST_CASE("config: lists replace the default and grow line by line") {
    CHECK(shown(parsed("[smtpd]\nlong_nets = 10\nlong_nets = 192.168 172.16.0.0/12\n").settings, "smtpd", "long_nets") ==
          "10.0.0.0/8 192.168.0.0/16 172.16.0.0/12");
    const auto none = parsed("[smtpd]\nlong_nets =\n");
    CHECK(none.faults.empty());
    CHECK(none.settings.smtpd.long_nets.empty());
    const auto twice = parsed("[smtpd]\nournets = 10\n[grey]\nmin = 1m\n[smtpd]\nournets = 192.168\n");
    CHECK(twice.faults.empty());
    CHECK(twice.settings.smtpd.ournets.size() == 2);
    CHECK(twice.sources.at("smtpd.ournets") == "t.conf:2,6");
    CHECK(twice.sources.at("grey.min") == "t.conf:4");
    CHECK(!twice.sources.contains("grey.max"));
}

TEST_CASE("config: all faults at once, in file order, in words") {
    CHECK(faults("x = 1\n"
                 "[smtpd]\n"
                 "greylst = on\n"
                 "Greylist = on\n"
                 "norelay = perhaps\n"
                 "domain = a.example\n"
                 "[smptd]\n"
                 "whatever = 1\n"
                 "[grey]\n"
                 "min = 15h\n"
                 "greylist = on\n"
                 "zebra = 1\n"
                 "[smtpd]\n"
                 "domain = b.example\n"
                 "ournets = 10 300.1 192.0.2.0/40\n"
                 "user = \"greylag\"\n"
                 "[limits\n"
                 "size = big\n"
                 "[elephants]\n"
                 "oops\n") ==
          "t.conf:1: key 'x' stands before any [section]\n"
          "t.conf:3: unknown key 'greylst' in [smtpd]; did you mean 'greylist'?\n"
          "t.conf:4: unknown key 'Greylist' in [smtpd]; did you mean 'greylist'?\n"
          "t.conf:5: 'norelay' in [smtpd]: 'perhaps' will not do; expected on or off\n"
          "t.conf:7: unknown section [smptd]; did you mean 'smtpd'?\n"
          "t.conf:10: 'min' in [grey] must be less than 'max'\n"
          "t.conf:11: unknown key 'greylist' in [grey]; it belongs to [smtpd]\n"
          "t.conf:12: unknown key 'zebra' in [grey]\n"
          "t.conf:14: 'domain' in [smtpd] is already given in line 6\n"
          "t.conf:15: 'ournets' in [smtpd]: '300.1' will not do; expected an address or network such as 192.0.2.1, 192.0.2.0/24, "
          "192.0.2 or 2001:db8::/32\n"
          "t.conf:15: 'ournets' in [smtpd]: '192.0.2.0/40' will not do; expected an address or network such as 192.0.2.1, "
          "192.0.2.0/24, 192.0.2 or 2001:db8::/32\n"
          "t.conf:16: 'user' in [smtpd]: values are written without quotes\n"
          "t.conf:17: section header without ']'\n"
          "t.conf:18: 'size' in [limits]: 'big' will not do; expected a size in octets, or with k, M or G such as 50M\n"
          "t.conf:19: unknown section [elephants]\n"
          "t.conf:20: neither 'key = value' nor [section]: 'oops'; a value cannot continue on the next line\n");
}

TEST_CASE("config: a rule of two keys names the later line, and keeps still about values that have their own fault") {
    CHECK(faults("[grey]\nmax = 3m\n") == "t.conf:2: 'min' in [grey] must be less than 'max'\n");
    CHECK(faults("[grey]\nmin = 5m\nmax = 5m\n") == "t.conf:3: 'min' in [grey] must be less than 'max'\n");
    CHECK(faults("[grey]\nmax = 3m\nmin = soon\n") ==
          "t.conf:3: 'min' in [grey]: 'soon' will not do; expected a duration such as 200ms, 15s, 5m, 14h or 36d\n");
}

TEST_CASE("config: every key and section misspelt by one or two letters is found again") {
    for (const auto& setting : config::all_settings()) {
        const std::string key(setting.key), section(setting.section);
        if (key.size() < 4) continue;  // short names have near neighbours
        const std::string text = faults("[" + section + "]\n" + key.substr(0, 2) + "q" + key.substr(2) + " = 1\n");
        CHECK_MESSAGE(text.find("did you mean '" + key + "'?") != std::string::npos, text);
        const std::string other = faults("[" + section.substr(1) + "]\n");
        CHECK_MESSAGE(other.find("did you mean '" + section + "'?") != std::string::npos, other);
    }
}

TEST_CASE("config: hostile text in a fault is printable") {
    CHECK(faults("[smtpd]\ndomain = \xe2\x80\xae\n") ==
          "t.conf:2: 'domain' in [smtpd]: '\\xe2\\x80\\xae' will not do; expected a domain name such as mx.example.org, or "
          "nothing\n");
    for (const char c : faults("[smtpd]\n\xc3\xa4 = 1\n[a\tb]\nuser = \tx\ty\n")) CHECK((base::is_printable(c) || c == '\n'));
}

TEST_CASE("config: the table names each setting once and its defaults keep its rules") {
    std::set<std::string> names;
    for (const auto& setting : config::all_settings()) {
        CHECK(names.insert(std::string(setting.section) + "." + std::string(setting.key)).second);
        CHECK(!setting.expects.empty());
        CHECK(setting.expects.find("\n") == std::string_view::npos);
    }
    CHECK(names.size() == 61);
}

TEST_CASE("config: what show() shows is read back") {
    const std::string hex(64, '0');
    const std::string all =
        "[smtpd]\ndomain = mx.example\nourdomains = a.example *.b.example\nournets = 10 ::1\nuser = u\nmailer = /bin/cat -u\n"
        "norelay = off\ngreylist = on\nverifysenderdom = on\nsaveblockedmsg = on\nauthenticate = on\npasswordinclear = on\n"
        "debug = on\nevil = 192.0.2.1 2001:db8::/48\nblocked = /b\nbare_newline = normalize\ntarpit = on\ngreeting_delay = "
        "1500ms\n"
        "long_delay = 2m\nlong_nets = 1 2 3\n[grey]\nmin = 1s\nmax = 2s\nwhitelist_age = 36d\nnet4 = 32\nnet6 = 128\n[tls]\n"
        "certificate = /c\nkey = /k\nminimum = 1.3\nsni_directory = /s\nticket_key = /t\nca_directory = /ca\nknown = sha256:" +
        hex + " spki-sha256:" + hex +
        "\nrequire = on\n[auth]\nusers = /u\nmechanisms = PLAIN LOGIN\nsecrets = /x\nfailures = 0\npenalty = 1ms\n[limits]\nsize "
        "= 1k\nrecipients = 1\n"
        "errors = 1\nsessions = 1\nper_source = 1\nsession_time = 1ms\nstop_time = 1ms\nline = 1000\n[dns]\nnameservers = "
        "127.0.0.1:5353 "
        "[::1]:53\n"
        "timeout = 1ms\ntrust_ad = on\n[mailer]\ntimeout = 1ms\narguments = bang\nremote = refuse\ncatchall = c\npostmaster = "
        "p@q.example\n"
        "[paths]\nstate = /state\nmail = /%u\nlibexec = /libexec\nlib = /lib\nratify = /ratify\n[log]\nto = /log\nlevel = quiet\n"
        "format = json\n";
    const auto loaded = parsed(all);
    CHECK(faults(all).empty());
    for (const auto& setting : config::all_settings()) {
        CAPTURE(setting.key);
        // A setting this file leaves at its default would prove nothing.
        CHECK(setting.show(loaded.settings) != setting.show(config::defaults()));
        CHECK(loaded.sources.contains(std::string(setting.section) + "." + std::string(setting.key)));
    }
    CHECK(faults(config::as_file(loaded.settings)).empty());
    CHECK(test::same(parsed(config::as_file(loaded.settings)).settings, loaded.settings));
    CHECK(test::same(parsed(config::as_file(config::defaults())).settings, config::defaults()));
    CHECK(parsed("[log]\nto = /log\n").settings.log.path == "/log");
}

TEST_CASE("config: /dev/null or a file: a fault without a line has none") {
    CHECK(config::Fault{"smtpd.conf", 12, "what"}.text() == "smtpd.conf:12: what");
    CHECK(config::Fault{"smtpd.conf", 0, "what"}.text() == "smtpd.conf: what");
}
