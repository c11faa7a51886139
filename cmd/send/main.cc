// send: the mailer that smtpd uses unless told otherwise (send(8)). Arguments, wiring, exit status.
#include <sysexits.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/options.hh"
#include "cmd/program.hh"
#include "cmd/send/deliver.hh"
#include "sys/file.hh"

namespace {
using namespace greylag;

constexpr base::Option options[] = {
    {'C', "", "file", "configuration instead of GREYLAG_CONF or the installed one"},
    {'r', "", "", "the message comes from another host"},
};
constexpr std::string_view operands = "recipient...";

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

constexpr cmd::Program program{"send", options, operands};

send::Courier courier(const config::Settings& settings, std::string_view argv0, std::string_view file) {
    const std::string path(environment("PATH"));
    return {send::find_smtp(argv0, settings.paths.libexec, path),
            file.empty() ? std::vector<std::string>{"PATH=" + path, "LANG=C"}
                         : std::vector<std::string>{"PATH=" + path, "LANG=C", "GREYLAG_CONF=" + std::string(file)},
            settings.tls.require};
}

int run(const config::Settings& settings, const send::Courier& courier, std::span<const std::string_view> recipients) {
    // The receiver that waits for us gives up at the time-out: our own word must come before.
    const sys::Deadline deadline = sys::Deadline::in(settings.mailer.timeout * 9 / 10);
    const std::string spool = sys::join(settings.paths.state, "spool");
    const auto message = send::take_message(0, environment("SENDER"), spool, deadline);
    if (!message) return program.complain(message.error().kind == Kind::limit ? EX_DATAERR : EX_TEMPFAIL, message.error().text);

    const mailbox::Rules rules = cmd::user_rules(settings);
    const send::Job job{rules, courier, settings.mailer.remote == config::RemoteMail::refuse, spool, deadline};
    const auto deliveries = send::deliver(job, *message, recipients);
    for (const auto& delivery : deliveries) std::fputs(send::failure_line(delivery).c_str(), stderr);
    return send::verdict(deliveries);
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto line = program.arguments(argc, argv);
    if (!line) return line.error();
    if (line->operands.empty()) return program.usage("no recipient");
    const auto file = program.settings(line->value('C'));
    if (!file) return file.error();
    auto settings = file->loaded.settings;
    // A receiver that was told its domain on its command line has taken mail for it.
    if (const auto domain = environment("DOMAIN"); !domain.empty()) settings.smtpd.domain = domain;
    return run(settings, courier(settings, argv[0], file->file), line->operands);
}
