// Every setting of smtpd.conf and smtp.conf as a typed value (smtpd.conf(5)). One grammar, one table: parser, --check, manual
// page and tests share it.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "base/time.hh"
#include "mail/domain.hh"
#include "mail/ip.hh"

namespace greylag::config {

enum class BareNewline : std::uint8_t { reject, normalize };
enum class RemoteMail : std::uint8_t { smtp, refuse };
enum class MailerArguments : std::uint8_t { at, bang };
enum class LogTo : std::uint8_t { syslog, stderr_, file };
enum class LogFormat : std::uint8_t { text, json };
enum class LogLevel : std::uint8_t { all, quiet };

struct NameServer {
    mail::IpAddress address;
    std::uint16_t port = 53;
};

struct Settings {
    struct Smtpd {
        std::string domain;  // empty: the host's name
        std::string mailer = "send";
        bool norelay = true, verifysenderdom = false, saveblockedmsg = false, greylist = false, tarpit = false;
        bool authenticate = false, passwordinclear = false, debug = false;
        std::vector<mail::Cidr> ournets;
        std::vector<mail::DomainPattern> ourdomains;
        std::vector<mail::Cidr> evil;
        std::string blocked;  // file
        BareNewline bare_newline = BareNewline::reject;
        base::Millis greeting_delay{0}, long_delay{60'000};
        std::vector<mail::Cidr> long_nets;  // default: the table of upas
        std::string user;
    } smtpd;
    struct Grey {
        base::Millis min{5 * 60'000}, max{14 * 3'600'000LL}, whitelist_age{0};
        unsigned net4 = 24, net6 = 64;
    } grey;
    struct Tls {
        std::string certificate, key, minimum = "1.2", sni_directory, ticket_key, ca_directory;
        std::vector<std::string> known;
        bool require = false;
    } tls;
    struct Auth {
        std::string users;
        std::vector<std::string> mechanisms;
        std::string secrets;
        unsigned failures = 20;
        base::Millis penalty{15 * 60'000};
    } auth;
    struct Limits {
        std::uint64_t size = 50u << 20;
        unsigned recipients = 1000, errors = 20, sessions = 200, per_source = 20;
        base::Millis session_time{3'600'000}, stop_time{30'000};
        std::uint64_t line = 1u << 20;
    } limits;
    struct Dns {
        std::vector<NameServer> nameservers;
        base::Millis timeout{5000};
        bool trust_ad = false;
    } dns;
    struct Mailer {
        base::Millis timeout{5 * 60'000};
        MailerArguments arguments = MailerArguments::at;
        RemoteMail remote = RemoteMail::smtp;
        std::string catchall, postmaster;
    } mailer;
    struct Paths {
        std::string state, mail, libexec, lib, ratify;  // defaults from the build: config::defaults()
    } paths;
    struct Log {
        LogTo to = LogTo::syslog;
        std::string path;  // to = a file's absolute name
        LogLevel level = LogLevel::all;
        LogFormat format = LogFormat::text;
    } log;
};

Settings defaults();                // the built-in ones, with the build's directories
std::string_view installed_file();  // SYSCONFDIR/greylag/smtpd.conf

// A fault of a configuration file, ready to print: "smtpd.conf:12: unknown key 'greylst' in [smtpd]; did you mean 'greylist'?"
struct Fault {
    std::string file;
    unsigned line = 0;
    std::string what;
    std::string text() const;
};

// Where a setting came from: "smtpd.conf:12", a list's "smtpd.conf:12,15", "-h". A default has no entry.
using Sources = std::map<std::string, std::string>;  // "smtpd.domain" -> source

struct Loaded {
    Settings settings;
    Sources sources;
    std::vector<Fault> faults;  // all of them, in file order; empty: the settings can be used
};
// `bytes` is the file's content, `file` its name for faults. Starts from defaults().
Loaded parse(std::string_view bytes, std::string_view file);

// One row a setting, in the order of the manual page: for --check, pages and tests.
struct Setting {
    std::string_view section, key;
    bool list;
    std::string_view expects;              // "on or off", "a duration such as 15s, 5m, 14h", ...
    std::string (*show)(const Settings&);  // as it would stand in the file
};
std::vector<Setting> all_settings();
// Every setting as a complete file, one item of a list a line: parse() reads it back as the same settings without a fault.
std::string as_file(const Settings& settings);

}  // namespace greylag::config
