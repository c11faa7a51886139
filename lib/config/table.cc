#include "config/table.hh"

#include "config/values.hh"

namespace greylag::config {
namespace {

template <class Kind, auto Section, auto Member>
constexpr Row one(std::string_view section, std::string_view key) {
    return {{section, key, false, Kind::expects, [](const Settings& s) { return Kind::show(s.*Section.*Member); }},
            [](Settings& s, std::string_view text) {
                auto value = Kind::parse(text);
                if (!value) return false;
                s.*Section.*Member = std::move(*value);
                return true;
            },
            nullptr};
}

template <class Kind, auto Section, auto Member>
constexpr Row list(std::string_view section, std::string_view key) {
    return {{section, key, true, Kind::expects,
             [](const Settings& s) {
                 std::string text;
                 for (const auto& item : s.*Section.*Member) text += (text.empty() ? "" : " ") + Kind::show(item);
                 return text;
             }},
            [](Settings& s, std::string_view text) {
                auto value = Kind::parse(text);
                if (!value) return false;
                (s.*Section.*Member).push_back(std::move(*value));
                return true;
            },
            [](Settings& s) { (s.*Section.*Member).clear(); }};
}

std::string show_log_to(const Settings& s) {
    switch (s.log.to) {
        case LogTo::syslog: return "syslog";
        case LogTo::stderr_: return "stderr";
        case LogTo::file: return s.log.path;
    }
    return {};
}

bool set_log_to(Settings& s, std::string_view text) {
    const bool file = text.starts_with('/');
    if (!file && text != "syslog" && text != "stderr") return false;
    s.log.to = file ? LogTo::file : text == "stderr" ? LogTo::stderr_ : LogTo::syslog;
    s.log.path = file ? text : std::string_view();
    return true;
}

// g++ 12 reads "&Settings::Smtpd::x" in a template argument only when it is spelled out, hence the short names.
using S = Settings;

constexpr Row settings_table[] = {
    one<DomainName, &S::smtpd, &S::Smtpd::domain>("smtpd", "domain"),
    list<DomainOrBelow, &S::smtpd, &S::Smtpd::ourdomains>("smtpd", "ourdomains"),
    list<Network, &S::smtpd, &S::Smtpd::ournets>("smtpd", "ournets"),
    one<UserName, &S::smtpd, &S::Smtpd::user>("smtpd", "user"),
    one<CommandLineText, &S::smtpd, &S::Smtpd::mailer>("smtpd", "mailer"),
    one<Switch, &S::smtpd, &S::Smtpd::norelay>("smtpd", "norelay"),
    one<Switch, &S::smtpd, &S::Smtpd::greylist>("smtpd", "greylist"),
    one<Switch, &S::smtpd, &S::Smtpd::verifysenderdom>("smtpd", "verifysenderdom"),
    one<Switch, &S::smtpd, &S::Smtpd::saveblockedmsg>("smtpd", "saveblockedmsg"),
    one<Switch, &S::smtpd, &S::Smtpd::authenticate>("smtpd", "authenticate"),
    one<Switch, &S::smtpd, &S::Smtpd::passwordinclear>("smtpd", "passwordinclear"),
    one<Switch, &S::smtpd, &S::Smtpd::debug>("smtpd", "debug"),
    list<Network, &S::smtpd, &S::Smtpd::evil>("smtpd", "evil"),
    one<FileName, &S::smtpd, &S::Smtpd::blocked>("smtpd", "blocked"),
    one<BareNewlineWord, &S::smtpd, &S::Smtpd::bare_newline>("smtpd", "bare_newline"),
    one<Switch, &S::smtpd, &S::Smtpd::tarpit>("smtpd", "tarpit"),
    one<Duration, &S::smtpd, &S::Smtpd::greeting_delay>("smtpd", "greeting_delay"),
    one<Duration, &S::smtpd, &S::Smtpd::long_delay>("smtpd", "long_delay"),
    list<Network, &S::smtpd, &S::Smtpd::long_nets>("smtpd", "long_nets"),

    one<Duration, &S::grey, &S::Grey::min>("grey", "min"),
    one<Duration, &S::grey, &S::Grey::max>("grey", "max"),
    one<Duration, &S::grey, &S::Grey::whitelist_age>("grey", "whitelist_age"),
    one<Count, &S::grey, &S::Grey::net4>("grey", "net4"),
    one<Count, &S::grey, &S::Grey::net6>("grey", "net6"),

    one<FileName, &S::tls, &S::Tls::certificate>("tls", "certificate"),
    one<FileName, &S::tls, &S::Tls::key>("tls", "key"),
    one<TlsVersion, &S::tls, &S::Tls::minimum>("tls", "minimum"),
    one<FileName, &S::tls, &S::Tls::sni_directory>("tls", "sni_directory"),
    one<FileName, &S::tls, &S::Tls::ticket_key>("tls", "ticket_key"),
    one<FileName, &S::tls, &S::Tls::ca_directory>("tls", "ca_directory"),
    list<Fingerprint, &S::tls, &S::Tls::known>("tls", "known"),
    one<Switch, &S::tls, &S::Tls::require>("tls", "require"),

    one<FileName, &S::auth, &S::Auth::users>("auth", "users"),
    list<Mechanism, &S::auth, &S::Auth::mechanisms>("auth", "mechanisms"),
    one<FileName, &S::auth, &S::Auth::secrets>("auth", "secrets"),
    one<Count, &S::auth, &S::Auth::failures>("auth", "failures"),
    one<Duration, &S::auth, &S::Auth::penalty>("auth", "penalty"),

    one<Size, &S::limits, &S::Limits::size>("limits", "size"),
    one<Count, &S::limits, &S::Limits::recipients>("limits", "recipients"),
    one<Count, &S::limits, &S::Limits::errors>("limits", "errors"),
    one<Count, &S::limits, &S::Limits::sessions>("limits", "sessions"),
    one<Count, &S::limits, &S::Limits::per_source>("limits", "per_source"),
    one<Duration, &S::limits, &S::Limits::session_time>("limits", "session_time"),
    one<Duration, &S::limits, &S::Limits::stop_time>("limits", "stop_time"),
    one<Size, &S::limits, &S::Limits::line>("limits", "line"),

    list<Server, &S::dns, &S::Dns::nameservers>("dns", "nameservers"),
    one<Duration, &S::dns, &S::Dns::timeout>("dns", "timeout"),
    one<Switch, &S::dns, &S::Dns::trust_ad>("dns", "trust_ad"),

    one<Duration, &S::mailer, &S::Mailer::timeout>("mailer", "timeout"),
    one<ArgumentsWord, &S::mailer, &S::Mailer::arguments>("mailer", "arguments"),
    one<RemoteWord, &S::mailer, &S::Mailer::remote>("mailer", "remote"),
    one<Address, &S::mailer, &S::Mailer::catchall>("mailer", "catchall"),
    one<Address, &S::mailer, &S::Mailer::postmaster>("mailer", "postmaster"),

    one<Directory, &S::paths, &S::Paths::state>("paths", "state"),
    one<MaildirTemplate, &S::paths, &S::Paths::mail>("paths", "mail"),
    one<Directory, &S::paths, &S::Paths::libexec>("paths", "libexec"),
    one<Directory, &S::paths, &S::Paths::lib>("paths", "lib"),
    one<FileName, &S::paths, &S::Paths::ratify>("paths", "ratify"),

    Row{{"log", "to", false, "syslog, stderr, or a file name that begins with '/'", show_log_to}, set_log_to, nullptr},
    one<LevelWord, &S::log, &S::Log::level>("log", "level"),
    one<FormatWord, &S::log, &S::Log::format>("log", "format"),
};

constexpr bool within(auto value, decltype(value) low, decltype(value) high) { return low <= value && value <= high; }
constexpr bool is_count(unsigned value) { return within(value, 1, 1'000'000); }
constexpr base::Millis minutes(int n) { return std::chrono::minutes(n); }
constexpr base::Millis tick{1};

// Clients wait 5 minutes for the greeting and 10 for the answer to the dot (RFC 5321 4.5.3.2); a text line has up to 1000
// octets (4.5.3.1.6).
constexpr Rule rules_table[] = {
    Rule{"smtpd", "greeting_delay", "", "must not be over 4m: clients give up after 5",
         [](const S& s) { return s.smtpd.greeting_delay <= minutes(4); }},
    Rule{"smtpd", "long_delay", "", "must not be over 4m: clients give up after 5",
         [](const S& s) { return s.smtpd.long_delay <= minutes(4); }},
    Rule{"grey", "min", "max", "must be less than 'max'", [](const S& s) { return s.grey.min < s.grey.max; }},
    Rule{"grey", "net4", "", "must be 1 to 32", [](const S& s) { return within(s.grey.net4, 1, 32); }},
    Rule{"grey", "net6", "", "must be 1 to 128", [](const S& s) { return within(s.grey.net6, 1, 128); }},
    Rule{"auth", "failures", "", "must not be over 200", [](const S& s) { return s.auth.failures <= 200; }},
    Rule{"auth", "penalty", "", "must be more than 0", [](const S& s) { return s.auth.penalty >= tick; }},
    Rule{"limits", "size", "", "must be 1k to 1024G", [](const S& s) { return within(s.limits.size, 1u << 10, 1ULL << 40); }},
    Rule{"limits", "recipients", "", "must be 1 to 1000000", [](const S& s) { return is_count(s.limits.recipients); }},
    Rule{"limits", "errors", "", "must be 1 to 1000000", [](const S& s) { return is_count(s.limits.errors); }},
    Rule{"limits", "sessions", "", "must be 1 to 1000000", [](const S& s) { return is_count(s.limits.sessions); }},
    Rule{"limits", "per_source", "", "must be 1 to 1000000", [](const S& s) { return is_count(s.limits.per_source); }},
    Rule{"limits", "session_time", "", "must be more than 0", [](const S& s) { return s.limits.session_time >= tick; }},
    Rule{"limits", "stop_time", "", "must be more than 0", [](const S& s) { return s.limits.stop_time >= tick; }},
    Rule{"limits", "line", "", "must be 1000 to 64M", [](const S& s) { return within(s.limits.line, 1000, 64u << 20); }},
    Rule{"dns", "timeout", "", "must be more than 0 and not over 1m",
         [](const S& s) { return within(s.dns.timeout, tick, minutes(1)); }},
    Rule{"mailer", "timeout", "", "must be more than 0 and not over 10m: clients give up then",
         [](const S& s) { return within(s.mailer.timeout, tick, minutes(10)); }},
};

}  // namespace

std::span<const Row> table() { return settings_table; }
std::span<const Rule> rules() { return rules_table; }

std::vector<Setting> all_settings() {
    std::vector<Setting> settings;
    settings.reserve(std::size(settings_table));
    for (const Row& row : settings_table) settings.push_back(row.setting);
    return settings;
}

}  // namespace greylag::config
