// Recipients that only some may write to, or nobody: names.blocked, senders, validateaddress.
#include "cmd/smtpd/voices.hh"
#include "policy/recipients.hh"
#include "sys/file.hh"

namespace greylag::smtpd {

using mail::Verdict;
using mail::Why;

namespace {

// What is not there says nothing.
Result<std::optional<std::string>> read_if_there(const Scene& scene, const char* name) {
    auto bytes = sys::read_file(sys::join(scene.setup.settings.paths.lib, name), policy_file_limit);
    if (bytes) return *std::move(bytes);
    if (bytes.error().kind == Kind::not_found) return std::nullopt;
    note(scene, bytes.error().text);
    return std::unexpected(std::move(bytes).error());
}

Verdict by_senders(const Scene& scene, const std::string& bytes, const mail::Path& recipient) {
    const auto closed = policy::closed_to(bytes, recipient);
    if (!closed.listed || (scene.peer && closed.holds(*scene.peer))) return Verdict::pass();
    bool unsure = false;
    for (const auto& name : closed.names) {
        const auto is_it = scene.peer ? scene.lookup.is_address_of(*scene.peer, name) : false;
        if (is_it && *is_it) return Verdict::pass();
        unsure = unsure || !is_it;
    }
    return unsure ? Verdict::later(Why::user_lookup) : Verdict::never(Why::recipient_closed);
}

}  // namespace

Verdict recipient_by_files(const Scene& scene, const mail::Path& recipient) {
    const auto names = read_if_there(scene, "names.blocked");
    if (!names) return Verdict::later(Why::user_lookup);
    if (*names && policy::is_name_blocked(**names, recipient)) return Verdict::never(Why::user_unknown);
    const auto senders = read_if_there(scene, "senders");
    if (!senders) return Verdict::later(Why::user_lookup);
    return *senders ? by_senders(scene, **senders, recipient) : Verdict::pass();
}

Verdict recipient_by_program(const Scene& scene, const mail::Path& recipient, const std::string& helo) {
    const std::string address = written(scene.setup.mailer, recipient);
    if (address.starts_with('-') && sys::status(sys::join(scene.setup.settings.paths.lib, "validateaddress")))
        return Verdict::never(Why::recipient_unsafe);
    const auto validation = validate(scene, "validateaddress", {address, scene.peer ? scene.peer->text() : "", helo});
    switch (validation.kind) {
        case Validation::Kind::absent:
        case Validation::Kind::passed: break;
        case Validation::Kind::rejected: return Verdict::never(Why::user_unknown);
        case Validation::Kind::deferred: return Verdict::later(Why::user_lookup);
    }
    return Verdict::pass();
}

}  // namespace greylag::smtpd
