// The program that judges senders: validatesender -n ROOT DOMAIN USER PEER HELO (upas, with the last two added).
#include "cmd/smtpd/voices.hh"
#include "sys/file.hh"

namespace greylag::smtpd {

using mail::Verdict;
using mail::Why;

Verdict sender_by_program(const Scene& scene, const smtp::Envelope& envelope) {
    // There is one network here; the words before it are where the scripts of upas look for them.
    constexpr const char* root = "/net";
    constexpr const char* name = "validatesender";
    if (!sys::status(sys::join(scene.setup.settings.paths.lib, name))) return Verdict::pass();
    if (envelope.sender.is_null()) {
        // A notice answers one message of one sender; many at once are something else.
        if (envelope.recipients.size() < 2) return Verdict::pass();
        return Verdict::never(Why::sender_rejected, "/dev/null sending to multiple recipients");
    }
    const mail::Mailbox& sender = envelope.sender.mailbox();
    if (sender.local().starts_with('-')) return Verdict::never(Why::sender_unsafe);
    const auto validation = validate(
        scene, name,
        {"-n", root, mail::text(sender.host()), sender.local_text(), scene.peer ? scene.peer->text() : "", envelope.helo.text});
    switch (validation.kind) {
        case Validation::Kind::absent:
        case Validation::Kind::passed: break;
        case Validation::Kind::rejected: return Verdict::never(Why::sender_rejected, validation.said);
        case Validation::Kind::deferred: return Verdict::later(Why::sender_deferred, validation.said);
    }
    return Verdict::pass();
}

}  // namespace greylag::smtpd
