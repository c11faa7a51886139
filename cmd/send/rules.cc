#include "cmd/send/rules.hh"

#include "sys/file.hh"
#include "sys/host.hh"

namespace greylag::cmd {

mailbox::Rules rules_from(const config::Settings& settings) {
    const std::string host = sys::host_name();
    mailbox::Rules rules;
    rules.domain = settings.smtpd.domain.empty() ? host : settings.smtpd.domain;
    rules.ours = settings.smtpd.ourdomains;
    if (auto own = mail::DomainPattern::parse(host)) rules.ours.push_back(*std::move(own));
    // The default template lies under [paths] state, wherever that has been moved to.
    const bool moved = settings.paths.mail.empty() || settings.paths.mail == config::defaults().paths.mail;
    rules.maildir = moved ? sys::join(settings.paths.state, "mail/%d/%u/Maildir") : settings.paths.mail;
    rules.alias_file = sys::join(settings.paths.lib, "aliases");
    rules.catchall = settings.mailer.catchall;
    rules.postmaster = settings.mailer.postmaster;
    return rules;
}

}  // namespace greylag::cmd
