#include "mail/verdict.hh"

namespace greylag::mail {

std::string_view name(Why why) {
    switch (why) {
        case Why::none: return "none";
        case Why::helo_is_ours: return "helo-is-ours";
        case Why::helo_bogus: return "helo-bogus";
        case Why::auth_required: return "auth-required";
        case Why::sender_denied: return "sender-denied";
        case Why::sender_no_domain: return "sender-no-domain";
        case Why::sender_null_mx: return "sender-null-mx";
        case Why::sender_dns: return "sender-dns";
        case Why::sender_unsafe: return "sender-unsafe";
        case Why::sender_rejected: return "sender-rejected";
        case Why::sender_deferred: return "sender-deferred";
        case Why::relay_denied: return "relay-denied";
        case Why::user_unknown: return "user-unknown";
        case Why::user_lookup: return "user-lookup";
        case Why::recipient_unsafe: return "recipient-unsafe";
        case Why::recipient_closed: return "recipient-closed";
        case Why::greylisted: return "greylisted";
        case Why::dialup: return "dialup";
        case Why::blocked: return "blocked";
        case Why::delayed: return "delayed";
        case Why::too_big: return "too-big";
        case Why::no_space: return "no-space";
        case Why::loop: return "loop";
        case Why::mailer_no_user: return "mailer-no-user";
        case Why::mailer_no_host: return "mailer-no-host";
        case Why::mailer_denied: return "mailer-denied";
        case Why::mailer_refused: return "mailer-refused";
        case Why::mailer_failed: return "mailer-failed";
        case Why::mailer_later: return "mailer-later";
        case Why::mailer_answer: return "mailer-answer";
    }
    return "none";
}

}  // namespace greylag::mail
