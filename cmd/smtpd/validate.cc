#include <sysexits.h>

#include "base/ascii.hh"
#include "cmd/smtpd/voices.hh"
#include "sys/file.hh"

namespace greylag::smtpd {

namespace {
// The client waits, and waits five minutes at most (RFC 5321 4.5.3.2); the mailer's own time may be shorter.
constexpr base::Millis longest{60'000};
}  // namespace

void note(const Scene& scene, const std::string& said) {
    scene.log.write(base::Event{}.with("reason", "policy").with("said", said));
}

Validation validate(const Scene& scene, const char* name, std::vector<std::string> arguments) {
    const auto& settings = scene.setup.settings;
    const std::string program = sys::join(settings.paths.lib, name);
    const auto status = sys::status(program);
    if (!status && status.error().kind == Kind::not_found) return {};
    if (!status || !status->executable) {
        note(scene, status ? program + ": not a program that can be executed" : status.error().text);
        return {};
    }
    sys::Command command;
    command.path = program;
    command.arguments = std::move(arguments);
    command.environment = {mailer_path, "LANG=C"};
    const auto ran = sys::run(command, sys::Deadline::in(std::min(longest, settings.mailer.timeout)));
    if (!ran) {
        note(scene, ran.error().text);
        return {Validation::Kind::deferred, {}};
    }
    std::string_view said = base::trim(ran->err.empty() ? ran->out : ran->err);
    said = base::trim(said.substr(0, said.find('\n')));
    const bool ended = ran->ending.how == sys::Ending::How::exited;
    if (ended && ran->ending.status == EX_OK) return {Validation::Kind::passed, {}};
    if (ended && ran->ending.status == 1) return {Validation::Kind::rejected, std::string(said)};
    // A program that broke has said nothing about the mail.
    if (!ended || ran->ending.status != EX_TEMPFAIL) note(scene, program + ": " + describe(ran->ending));
    return {Validation::Kind::deferred, std::string(said)};
}

}  // namespace greylag::smtpd
