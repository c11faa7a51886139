// What a policy says: pass, later (4yz) or never (5yz), and the reason.
//
// The reason is a word, not a text: the words a client hears stand in one table, smtp/voice.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace greylag::mail {

enum class Why : std::uint8_t {
    none,              // pass
    helo_is_ours,      // claims to be us
    helo_bogus,        // no name a mail host has
    auth_required,     //
    sender_denied,     // the block list
    sender_no_domain,  // NXDOMAIN, no MX and no address
    sender_null_mx,    // RFC 7505
    sender_dns,        // DNS did not answer
    sender_unsafe,     // looks like an option
    sender_rejected,   // validatesender; detail: what it said
    sender_deferred,   // the same, not now
    relay_denied,      // not ours
    user_unknown,      // or names.blocked, validateaddress
    user_lookup,       // the lookup itself failed
    recipient_unsafe,  // looks like an option
    recipient_closed,  // senders
    greylisted,        // detail: seconds left
    dialup,            //
    blocked,           //
    delayed,           //
    too_big,           //
    no_space,          // our own disk
    loop,              // too many Received
    mailer_no_user,    // 67
    mailer_no_host,    // 68
    mailer_denied,     // 77
    mailer_refused,    // said "mail refused"
    mailer_failed,     // 65 69 76
    mailer_later,      // everything else
    mailer_answer,     // what an LMTP server said
};
std::string_view name(Why why);  // "relay-denied": reason= in the log

struct Verdict {
    enum class Kind : std::uint8_t { pass, later, never };
    Kind kind = Kind::pass;
    Why why = Why::none;
    std::string detail;  // fills the one gap of the reply's text; not yet escaped
    // A code of the same kind that somebody else chose, and is said instead of the reason's own; 0: none.
    std::uint16_t code = 0;
    std::string enhanced{};

    static Verdict pass() { return {}; }
    static Verdict later(Why why, std::string detail = {}) { return {Kind::later, why, std::move(detail), 0, {}}; }
    static Verdict never(Why why, std::string detail = {}) { return {Kind::never, why, std::move(detail), 0, {}}; }
    bool ok() const { return kind == Kind::pass; }
};

}  // namespace greylag::mail
