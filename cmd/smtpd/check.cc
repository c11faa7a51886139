#include "cmd/smtpd/check.hh"

#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cmd/settings_file.hh"
#include "cmd/smtpd/auth.hh"
#include "cmd/smtpd/greylist.hh"
#include "cmd/smtpd/lmtp_mailer.hh"
#include "cmd/smtpd/lookup.hh"
#include "cmd/smtpd/voices.hh"
#include "policy/recipients.hh"
#include "sys/file.hh"
#include "sys/rights.hh"

namespace greylag::smtpd {

namespace {

using config::Fault;

constexpr base::Millis lmtp_wait{3000};

void print_settings(const Setup& setup) {
    std::string_view section;
    for (const auto& row : config::all_settings()) {
        if (row.section != section) std::printf("[%s]\n", std::string(section = row.section).c_str());
        const std::string name = std::string(row.section) + "." + std::string(row.key);
        const auto source = setup.sources.find(name);
        const std::string value = name == "smtpd.domain" ? setup.domain : row.show(setup.settings);
        std::printf("%-18s = %-40s # %s\n", std::string(row.key).c_str(), value.c_str(),
                    source == setup.sources.end() ? "default" : source->second.c_str());
    }
    for (const auto& where : setup.listen) std::printf("listen               %s\n", where.text().c_str());
}

std::string where(const Setup& setup, const std::string& key) {
    const auto source = setup.sources.find(key);
    return key + (source == setup.sources.end() ? " (default)" : " (" + source->second + ")");
}

// A server that is down now may be up when mail comes: worth a word, no fault.
void note_lmtp(const Setup& setup) {
    const auto fd = connect(*setup.mailer.lmtp, sys::Deadline::in(lmtp_wait));
    if (!fd) std::printf("# note: the LMTP server does not answer: %s\n", fd.error().text.c_str());
}

void check_mailer(const Setup& setup, std::vector<Fault>& faults) {
    if (setup.mailer.lmtp) return note_lmtp(setup);
    const auto status = sys::status(setup.mailer.program);
    if (!status)
        faults.push_back({where(setup, "smtpd.mailer"), 0, status.error().text});
    else if (!status->regular || !status->executable)
        faults.push_back({where(setup, "smtpd.mailer"), 0, setup.mailer.program + ": expected a program that can be executed"});
    if (!setup.mailer.is_send()) return;
    for (const char* name : {"postmaster", "abuse"}) {
        const auto address = mail::Mailbox::parse(name, mail::Domain::Allow::ascii, mail::Mailbox::Unqualified::allowed);
        const auto targets = mailbox::resolve(setup.users, *address);
        if (!targets)
            faults.push_back({where(setup, "mailer.postmaster"), 0,
                              "mail for " + std::string(name) + " would go nowhere: " + targets.error().text});
    }
}

void check_directories(const Setup& setup, std::vector<Fault>& faults) {
    const std::string& state = setup.settings.paths.state;
    if (!sys::writable_directory(state))
        faults.push_back({where(setup, "paths.state"), 0, state + ": expected a directory that can be written"});
}

// Where the file cannot be written the log goes to standard error, which under inetd is nowhere.
void check_log(const Setup& setup, std::vector<Fault>& faults) {
    const auto settings = log_settings(setup);
    if (settings.to != sys::Log::To::file) return;
    const std::string& path = settings.path;
    const std::string folder = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
    const auto status = sys::status(path);
    const bool good = status                                   ? !status->directory && ::access(path.c_str(), W_OK) == 0
                      : status.error().kind == Kind::not_found ? sys::writable_directory(folder)
                                                               : false;
    if (!good) faults.push_back({where(setup, "log.to"), 0, path + ": expected a file that can be written"});
}

void name_lines(const std::string& file, const std::vector<policy::LineFault>& lines, std::vector<Fault>& faults) {
    for (const auto& line : lines) faults.push_back({file, line.line, line.what});
}

void check_directory(const Setup& setup, const std::string& key, const std::string& path, std::vector<Fault>& faults) {
    const auto status = sys::status(path);
    if (!status)
        faults.push_back({where(setup, key), 0, status.error().text});
    else if (!status->directory)
        faults.push_back({where(setup, key), 0, path + ": not a directory"});
}

// The files that policy is made of; see voices.hh.
void check_policy(const Setup& setup, std::vector<Fault>& faults) {
    const auto& paths = setup.settings.paths;
    if (const auto& file = setup.settings.smtpd.blocked; !file.empty()) {
        const auto bytes = sys::read_file(file, policy_file_limit);
        if (bytes)
            name_lines(file, policy::BlockList::parse(*bytes).faults(), faults);
        else
            faults.push_back({where(setup, "smtpd.blocked"), 0, bytes.error().text});
    }
    if (!paths.ratify.empty())
        for (const auto& said : closed_folders(paths.ratify)) faults.push_back({where(setup, "paths.ratify"), 0, said});
    // The default directory comes with an installation.
    if (setup.sources.contains("paths.lib")) check_directory(setup, "paths.lib", paths.lib, faults);
    for (const char* name : {"senders", "names.blocked"}) {
        const std::string file = sys::join(paths.lib, name);
        const auto bytes = sys::read_file(file, policy_file_limit);
        if (bytes && name == std::string_view("senders"))
            name_lines(file, policy::faults_of_senders(*bytes), faults);
        else if (!bytes && bytes.error().kind != Kind::not_found)
            faults.push_back({where(setup, "paths.lib"), 0, bytes.error().text});
    }
    for (const char* name : {"validateaddress", "validatesender"}) {
        const std::string file = sys::join(paths.lib, name);
        const auto status = sys::status(file);
        if (status && !status->executable)
            faults.push_back({where(setup, "paths.lib"), 0, file + ": expected a program that can be executed"});
    }
}

// Servers that nobody named and nothing needs are not asked: a machine without a network must pass.
void check_name_servers(const Setup& setup, std::vector<Fault>& faults) {
    if (setup.settings.dns.nameservers.empty() && !setup.settings.smtpd.verifysenderdom) return;
    constexpr base::Millis patience{2'000};
    auto settings = dns_settings(setup.settings);
    settings.timeout = std::min(settings.timeout, patience);
    for (const auto& error : dns::Resolver::silent(settings)) faults.push_back({where(setup, "dns.nameservers"), 0, error.text});
}

void check_security(const Setup& setup, Crypto* crypto, std::vector<Fault>& faults) {
    const auto& s = setup.settings;
    if (crypto != nullptr && !s.tls.certificate.empty())
        if (const auto ready = crypto->prepare(s.tls); !ready)
            faults.push_back({where(setup, "tls.certificate"), 0, ready.error().text});
    if (setup.tls_first && s.tls.certificate.empty())
        faults.push_back({"-t", 0, "a certificate is needed: -c or [tls] certificate"});
    if (s.smtpd.authenticate && s.auth.users.empty())
        faults.push_back({where(setup, "smtpd.authenticate"), 0, "nobody can log in: [auth] users is not set"});
    if (s.auth.users.empty()) return;
    for (auto& fault : check_users_file(s.auth.users)) faults.push_back(std::move(fault));
}

void warnings(const Setup& setup) {
    if (!setup.missing.empty()) std::printf("# note: %s is missing: built-in defaults\n", setup.missing.c_str());
    if (setup.domain.find('.') == std::string::npos)
        std::printf("# note: the domain '%s' has no dot; set [smtpd] domain or -h\n", setup.domain.c_str());
    if (sys::is_root() && setup.settings.smtpd.user.empty())
        std::printf("# note: started as root, smtpd would stay root; set [smtpd] user\n");
}

}  // namespace

int check(const Setup& setup, Crypto* crypto) {
    print_settings(setup);
    warnings(setup);
    std::vector<Fault> faults = setup.faults;
    // With the eyes of who will serve: root reads what the user it becomes cannot.
    if (const auto done = give_up_root(setup); !done) faults.push_back({where(setup, "smtpd.user"), 0, done.error().text});
    if (faults.empty()) {
        check_mailer(setup, faults);
        check_directories(setup, faults);
        check_log(setup, faults);
        check_security(setup, crypto, faults);
        check_policy(setup, faults);
        check_name_servers(setup, faults);
        std::vector<std::string> notes;
        check_greylist(setup, faults, notes);
        for (const auto& note : notes) std::printf("# note: %s\n", note.c_str());
    }
    cmd::print_faults(faults);
    return faults.empty() ? EX_OK : EX_CONFIG;
}

}  // namespace greylag::smtpd
