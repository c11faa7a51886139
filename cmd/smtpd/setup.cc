#include "cmd/smtpd/setup.hh"

#include "base/escape.hh"
#include "cmd/settings_file.hh"
#include "cmd/smtpd/options.hh"
#include "policy/tarpit.hh"
#include "sys/folder.hh"
#include "sys/rights.hh"

namespace greylag::smtpd {

namespace {

// The value of an option wins over the file and says so in --check.
void note(Setup& setup, std::string_view key, char letter) { setup.sources[std::string(key)] = std::string("-") + letter; }

Result<void> apply(Setup& setup, const base::Given& given) {
    auto& s = setup.settings.smtpd;
    switch (given.option->letter) {
        case 'a':
            s.authenticate = true;
            note(setup, "smtpd.authenticate", 'a');
            break;
        case 'c':
            setup.settings.tls.certificate = std::string(given.value);
            note(setup, "tls.certificate", 'c');
            break;
        case 'd':
            s.debug = true;
            note(setup, "smtpd.debug", 'd');
            break;
        case 'D':
            s.tarpit = true;
            note(setup, "smtpd.tarpit", 'D');
            break;
        case 'f':
            s.norelay = true;
            note(setup, "smtpd.norelay", 'f');
            break;
        case 'g':
            s.greylist = true;
            note(setup, "smtpd.greylist", 'g');
            break;
        case 'h':
            s.domain = std::string(given.value);
            note(setup, "smtpd.domain", 'h');
            break;
        case 'k':
            s.evil.push_back(TRY(mail::Cidr::parse(given.value)));
            note(setup, "smtpd.evil", 'k');
            break;
        case 'l': setup.listen.push_back(TRY(sys::ListenAddress::parse(given.value))); break;
        case 'm':
            s.mailer = std::string(given.value);
            note(setup, "smtpd.mailer", 'm');
            break;
        case 's':
            s.saveblockedmsg = true;
            note(setup, "smtpd.saveblockedmsg", 's');
            break;
        case 'n': setup.netdir = std::string(given.value); break;
        case 'p':
            s.passwordinclear = true;
            note(setup, "smtpd.passwordinclear", 'p');
            break;
        case 't': setup.tls_first = true; break;
        case 'r':
            s.verifysenderdom = true;
            note(setup, "smtpd.verifysenderdom", 'r');
            break;
        default: break;
    }
    return {};
}

// A fault of a value that only makes sense here goes beside the file's own.
void fault(Setup& setup, std::string_view key, std::string what) {
    const auto source = setup.sources.find(std::string(key));
    setup.faults.push_back({source == setup.sources.end() ? "smtpd" : source->second, 0, std::move(what)});
}

void complete(Setup& setup) {
    auto& s = setup.settings;
    setup.users = cmd::user_rules(s);
    setup.domain = setup.users.domain;
    if (!mail::Domain::parse(setup.domain))
        fault(setup, "smtpd.domain", "'" + base::printable(setup.domain) + "' is not a domain name");

    if (auto mailer = parse_mailer(s.smtpd.mailer, s.paths.libexec)) {
        setup.mailer = std::move(*mailer);
        setup.mailer.bang = s.mailer.arguments == config::MailerArguments::bang;
    } else {
        fault(setup, "smtpd.mailer", mailer.error().text);
    }
}

}  // namespace

bool Setup::is_trusted(const std::optional<mail::IpAddress>& peer) const {
    if (!peer) return false;
    for (const auto& net : settings.smtpd.ournets)
        if (net.contains(*peer)) return true;
    if (settings.paths.ratify.empty()) return false;
    // What cannot be looked up gives nobody a right.
    const auto folder = sys::Folder::open(settings.paths.ratify);
    return folder && folder->holds({"trusted"}, base::file_name(peer->text())).value_or(false);
}

base::Millis Setup::greeting_wait(const std::optional<mail::IpAddress>& peer) const {
    const auto& s = settings.smtpd;
    const policy::Tarpit tarpit{s.tarpit, s.greeting_delay, s.long_delay, s.long_nets};
    const auto wait = policy::greeting_wait(tarpit, peer);
    return wait.count() > 0 && is_trusted(peer) ? base::Millis{0} : wait;
}

bool Setup::is_evil(const std::optional<mail::IpAddress>& peer) const {
    if (!peer) return false;
    for (const auto& net : settings.smtpd.evil)
        if (net.contains(*peer)) return true;
    return false;
}

Result<Setup> make_setup(const base::CommandLine& given) {
    Setup setup;
    auto file = TRY(cmd::load_settings(given.value('C')));
    setup.settings = std::move(file.loaded.settings);
    setup.sources = std::move(file.loaded.sources);
    setup.faults = std::move(file.loaded.faults);
    setup.file = std::move(file.file);
    setup.missing = std::move(file.missing);
    for (const auto& option : given.options) {
        setup.arguments.push_back(option.option->letter != 0 ? std::string("-") + option.option->letter
                                                             : "--" + std::string(option.option->name));
        if (!option.option->argument.empty()) setup.arguments.emplace_back(option.value);
        if (auto applied = apply(setup, option); !applied)
            return base::fail(Kind::usage, std::string("-") + option.option->letter + ": " + applied.error().text);
    }
    complete(setup);
    return setup;
}

sys::Log::Settings log_settings(const Setup& setup) {
    const auto& log = setup.settings.log;
    sys::Log::Settings to;
    to.program = "smtpd";
    to.path = log.path;
    to.quiet = log.level == config::LogLevel::quiet;
    to.format = log.format == config::LogFormat::json ? sys::Log::Format::json : sys::Log::Format::text;
    switch (log.to) {
        case config::LogTo::syslog: to.to = sys::Log::To::syslog; break;
        case config::LogTo::stderr_: to.to = sys::Log::To::stderr_; break;
        case config::LogTo::file: to.to = sys::Log::To::file; break;
    }
    return to;
}

Result<void> give_up_root(const Setup& setup) {
    if (!sys::is_root() || setup.settings.smtpd.user.empty()) return {};
    return sys::become(setup.settings.smtpd.user);
}

}  // namespace greylag::smtpd
