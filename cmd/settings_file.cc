#include "cmd/settings_file.hh"

#include <cstdio>
#include <cstdlib>

#include "sys/file.hh"
#include "sys/host.hh"

namespace greylag::cmd {

namespace {

constexpr std::size_t size_limit = 1 << 20;

// Children get the name in GREYLAG_CONF and may run elsewhere.
std::string absolute(const std::string& file) {
    if (file.starts_with('/')) return file;
    char* resolved = ::realpath(file.c_str(), nullptr);
    std::string whole = resolved != nullptr ? resolved : file;
    std::free(resolved);
    return whole;
}

}  // namespace

Result<SettingsFile> load_settings(std::string_view option_C) {
    SettingsFile out;
    const char* environment = std::getenv("GREYLAG_CONF");
    std::string file(option_C);
    if (file.empty() && environment != nullptr) file = environment;
    const bool asked_for = !file.empty();
    if (!asked_for) file = std::string(config::installed_file());

    if (file == "/dev/null") {
        out.file = file;
        out.loaded.settings = config::defaults();
        return out;
    }
    const auto bytes = sys::read_file(file, size_limit, sys::Guard::not_writable_by_others);
    if (bytes) {
        out.file = absolute(file);
        out.loaded = config::parse(*bytes, file);
    } else if (!asked_for && bytes.error().kind == Kind::not_found) {
        out.missing = file;
        out.loaded.settings = config::defaults();
    } else {
        return base::fail(Kind::config, bytes.error().text);
    }
    return out;
}

void print_faults(const std::vector<config::Fault>& faults) {
    for (const auto& fault : faults) std::fprintf(stderr, "%s\n", fault.text().c_str());
}

mailbox::Rules user_rules(const config::Settings& settings) {
    const std::string host = sys::host_name();
    mailbox::Rules rules;
    rules.domain = settings.smtpd.domain.empty() ? host : settings.smtpd.domain;
    rules.ours = settings.smtpd.ourdomains;
    for (const auto& name : {rules.domain, host})
        if (auto own = mail::DomainPattern::parse(name); own && !name.starts_with('*')) rules.ours.push_back(*std::move(own));
    // The default template lies under [paths] state, wherever that has been moved to.
    const bool moved = settings.paths.mail.empty() || settings.paths.mail == config::defaults().paths.mail;
    rules.maildir = moved ? sys::join(settings.paths.state, "mail/%d/%u/Maildir") : settings.paths.mail;
    rules.alias_file = sys::join(settings.paths.lib, "aliases");
    rules.catchall = settings.mailer.catchall;
    rules.postmaster = settings.mailer.postmaster;
    return rules;
}

}  // namespace greylag::cmd
