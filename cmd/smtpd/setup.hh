// The configuration in force: file, command line and host joined into what a session needs. Made once, before any client.
#pragma once
#include <string>
#include <vector>

#include "base/options.hh"
#include "cmd/smtpd/mailer.hh"
#include "config/settings.hh"
#include "mailbox/resolve.hh"
#include "policy/relay.hh"
#include "sys/listener.hh"
#include "sys/log.hh"

namespace greylag::smtpd {

struct Setup {
    config::Settings settings;
    config::Sources sources;
    std::vector<config::Fault> faults;  // not empty: the setup must not be used
    std::string file;                   // the configuration file that was read; empty: none, built-in defaults
    std::string missing;                // the installed file that was not there

    std::string domain;
    std::string netdir;
    std::vector<sys::ListenAddress> listen;
    bool tls_first = false;              // -t
    std::vector<std::string> arguments;  // our command line, for the sibling
    Mailer mailer;
    mailbox::Rules users;  // and which domains are ours

    bool is_trusted(const std::optional<mail::IpAddress>& peer) const;  // ournets, or a file of its name in ratify's trusted
    base::Millis greeting_wait(const std::optional<mail::IpAddress>& peer) const;
    unsigned waiting_places() const { return settings.limits.sessions / 4; }  // how many may wait so at a time
    bool is_evil(const std::optional<mail::IpAddress>& peer) const;
};

// Command-line values that cannot be read are usage errors; faults of the file are in Setup::faults.
Result<Setup> make_setup(const base::CommandLine& given);

sys::Log::Settings log_settings(const Setup& setup);

// Root becomes [smtpd] user, where that names one.
Result<void> give_up_root(const Setup& setup);

}  // namespace greylag::smtpd
