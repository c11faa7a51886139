// A row a text. Enhanced codes are RFC 3463 and the IANA registry; those that may not carry one (greeting, HELO, 354) have none.
#include "smtp/voice.hh"

#include <array>

#include "base/escape.hh"

namespace greylag::smtp {

namespace {

template <class Name>
struct Row {
    Name name;
    std::uint16_t code;
    std::string_view enhanced;
    std::string_view text;
};

using V = Voice;
constexpr auto voices = std::to_array<Row<Voice>>({
    {V::greeting, 220, "", "{} ESMTP"},
    {V::early_talk, 554, "5.5.0", "you spoke before the greeting"},
    {V::bye, 221, "2.0.0", "closing the connection"},
    {V::service_closing, 421, "4.3.2", "service is closing; try again later"},
    {V::config_error, 421, "4.3.5", "Server configuration error"},
    {V::too_many_sessions, 421, "4.7.0", "too many connections; try again later"},

    {V::helo_ok, 250, "", "{} you are {}"},
    {V::mail_ok, 250, "2.1.0", "sender is {}"},
    {V::rcpt_ok, 250, "2.1.5", "receiver is {}"},
    {V::data_go, 354, "", "Input message; end with <CRLF>.<CRLF>"},
    {V::sent, 250, "2.6.0", "sent: {}"},
    {V::reset_ok, 250, "2.0.0", "ok"},
    {V::noop_ok, 250, "2.0.0", "ok"},
    {V::help, 214, "2.0.0", "the commands are those of RFC 5321 and what EHLO lists"},
    {V::vrfy, 252, "2.5.2", "cannot verify; send the mail and it will be tried"},
    {V::expn, 502, "5.5.1", "EXPN is not available"},

    {V::line_too_long, 500, "5.5.2", "line too long"},
    {V::bad_line, 500, "5.5.2", "a line must end with CRLF and hold no other CR, LF or NUL"},
    {V::empty_line, 500, "5.5.2", "a command was expected"},
    {V::unknown_command, 500, "5.5.1", "unknown command"},
    {V::not_offered, 502, "5.5.1", "{} is not available"},
    {V::wrong_protocol, 521, "5.5.1", "this is a mail server and speaks SMTP only"},

    {V::no_argument_allowed, 501, "5.5.4", "{} takes no argument"},
    {V::helo_syntax, 501, "5.5.4", "a domain name or an address literal is needed, and nothing behind it"},
    {V::mail_syntax, 501, "5.5.4", "syntax: MAIL FROM:<address>"},
    {V::rcpt_syntax, 501, "5.5.4", "syntax: RCPT TO:<address>"},
    {V::rcpt_null, 501, "5.1.3", "the null address cannot receive mail"},
    {V::vrfy_syntax, 501, "5.5.4", "a name is needed"},
    {V::need_brackets, 501, "5.5.4", "the address must stand between < and >"},
    {V::sender_syntax, 501, "5.1.7", "bad sender address: {}"},
    {V::sender_unqualified, 501, "5.1.8", "the sender's address needs a domain"},
    {V::recipient_unqualified, 501, "5.1.3", "the recipient's address needs a domain"},
    {V::recipient_syntax, 501, "5.1.3", "bad recipient address: {}"},
    {V::parameter_syntax, 501, "5.5.4", "malformed parameter: {}"},
    {V::parameter_twice, 501, "5.5.4", "parameter given twice: {}"},
    {V::parameter_unknown, 555, "5.5.4", "parameter not recognized: {}"},
    {V::parameter_needs_ehlo, 555, "5.5.4", "parameters need EHLO first"},
    {V::utf8_needed, 553, "5.6.7", "the address is not ASCII; that needs SMTPUTF8"},
    {V::utf8_broken, 553, "5.6.7", "the address is not valid UTF-8"},

    {V::need_helo, 503, "5.5.1", "say EHLO or HELO first"},
    {V::nested_mail, 503, "5.5.1", "the sender was already given; RSET begins anew"},
    {V::need_mail, 503, "5.5.1", "give the sender with MAIL first"},
    {V::need_rcpt, 503, "5.5.1", "give a recipient with RCPT first"},
    {V::no_valid_recipient, 554, "5.5.1", "no valid recipient"},
    {V::not_now, 503, "5.5.1", "{} is not possible now"},
    {V::sync_error, 554, "5.5.0", "more was sent than may be sent before the answer"},
    {V::helo_lies, 421, "4.7.1", "refused for the name given with HELO; closing the connection"},

    {V::message_too_big, 552, "5.3.4", "message is larger than the limit of {} octets"},
    {V::too_many_recipients, 452, "4.5.3", "too many recipients; send the others in another transaction"},
    {V::bare_newline, 550, "5.6.11", "message holds a bare CR, a bare LF or a NUL"},
    {V::line_in_body, 554, "5.6.0", "message holds a line that is too long"},
    {V::header_too_big, 554, "5.6.0", "the message's header is too large"},
    {V::message_failed, 451, "4.3.0", "the message could not be taken; try again later"},

    {V::chunk_ok, 250, "2.0.0", "{} octets taken"},
    {V::bdat_syntax, 501, "5.5.4", "syntax: BDAT count [LAST]"},
    {V::chunk_countless, 552, "5.3.4", "no such chunk can be taken; closing the connection"},
    {V::chunks_begun, 503, "5.5.1", "{} is not possible between chunks; RSET begins anew"},
    {V::tls_go, 220, "2.0.0", "ready to start TLS"},
    {V::tls_unavailable, 454, "4.7.0", "TLS is not available for now"},
    {V::auth_syntax, 501, "5.5.4", "syntax: AUTH mechanism [initial-response]"},
    {V::auth_unknown, 504, "5.5.4", "authentication mechanism not available: {}"},
    {V::auth_needs_tls, 538, "5.7.11", "Encryption required for requested authentication mechanism"},
    {V::auth_needed, 530, "5.7.0", "Authentication required"},
    {V::auth_done, 503, "5.5.1", "you are authenticated already"},
    {V::auth_challenge, 334, "", "{}"},
    {V::auth_base64, 501, "5.5.2", "that is not base64"},
    {V::auth_malformed, 501, "5.5.2", "malformed authentication response"},
    {V::auth_aborted, 501, "5.7.0", "authentication aborted"},
    {V::auth_too_long, 500, "5.5.6", "authentication exchange line too long"},
    {V::auth_ok, 235, "2.7.0", "Authentication successful"},
    {V::auth_failed, 535, "5.7.8", "Authentication failed"},
    {V::auth_later, 454, "4.7.0", "authentication is not possible for now"},

    {V::timeout, 421, "4.4.2", "timeout; closing the connection"},
    {V::too_many_errors, 421, "4.7.0", "too many errors; closing the connection"},
    {V::session_over, 421, "4.4.2", "the session took too long; closing the connection"},
    {V::too_slow, 421, "4.4.2", "the data came too slowly; closing the connection"},
});

using W = mail::Why;
constexpr auto reasons = std::to_array<Row<mail::Why>>({
    {W::none, 451, "4.3.0", "local error: {}"},
    {W::helo_is_ours, 550, "5.7.1", "the name given with HELO is ours, not yours: {}"},
    {W::helo_bogus, 550, "5.7.1", "the name given with HELO is none a mail host has: {}"},
    {W::auth_required, 530, "5.7.0", "Authentication required"},
    {W::sender_denied, 554, "5.7.1", "we don't accept mail from this sender: {}"},
    {W::sender_no_domain, 550, "5.1.8", "the sender's domain must exist: {}"},
    {W::sender_null_mx, 550, "5.7.27", "the sender's domain takes no mail (null MX): {}"},
    {W::sender_dns, 451, "4.4.3", "the sender's domain could not be looked up; try again later: {}"},
    {W::sender_unsafe, 553, "5.1.7", "a sender that looks like an option is not accepted: {}"},
    {W::sender_rejected, 554, "5.7.1", "the sender was rejected: {}"},
    {W::sender_deferred, 450, "4.7.0", "the sender is not accepted for now; try again later: {}"},
    {W::relay_denied, 550, "5.7.1", "we don't relay; only mail to our own domains is accepted: {}"},
    {W::user_unknown, 550, "5.1.1", "user unknown: {}"},
    {W::user_lookup, 451, "4.3.0", "the user could not be looked up; try again later: {}"},
    {W::recipient_unsafe, 553, "5.1.3", "a recipient that looks like an option is not accepted: {}"},
    {W::recipient_closed, 550, "5.7.1", "this recipient does not accept mail from you: {}"},
    {W::greylisted, 451, "4.7.1", "greylisted; try again from the same address; seconds left: {}"},
    {W::dialup, 554, "5.7.1", "we don't accept mail from dial-up ports: {}"},
    {W::blocked, 554, "5.7.1", "we believe this is spam; we don't accept it: {}"},
    {W::delayed, 450, "4.7.1", "there will be a delay in the delivery of this message; try again later: {}"},
    {W::too_big, 552, "5.3.4", "message is larger than the limit: {}"},
    {W::no_space, 452, "4.3.1", "not enough space; try again later: {}"},
    {W::loop, 554, "5.4.6", "too many Received fields; the mail is in a loop: {}"},
    {W::mailer_no_user, 550, "5.1.1", "user unknown: {}"},
    {W::mailer_no_host, 550, "5.1.2", "host unknown: {}"},
    {W::mailer_denied, 550, "5.7.1", "delivery was not permitted: {}"},
    {W::mailer_refused, 554, "5.7.1", "mail refused: {}"},
    {W::mailer_failed, 554, "5.3.0", "delivery failed: {}"},
    {W::mailer_later, 451, "4.3.0", "delivery failed for now; try again later: {}"},
    {W::mailer_answer, 451, "4.3.0", "the mailer says: {}"},
});

template <class Name, std::size_t N>
consteval bool in_order(const std::array<Row<Name>, N>& rows, std::size_t count) {
    for (std::size_t i = 0; i < N; ++i) {
        if (static_cast<std::size_t>(rows[i].name) != i) return false;
    }
    return N == count;
}
static_assert(in_order(voices, static_cast<std::size_t>(Voice::count_)));
static_assert(in_order(reasons, static_cast<std::size_t>(mail::Why::mailer_answer) + 1));

// One peer's text must leave room for ours on the line.
constexpr std::size_t longest_argument = 300;

std::string fill(std::string_view text, std::initializer_list<std::string_view> arguments) {
    std::string out;
    for (const std::string_view argument : arguments) {
        const std::size_t gap = text.find("{}");
        if (gap == std::string_view::npos) break;
        std::string_view before = text.substr(0, gap);
        if (argument.empty() && before.ends_with(": ")) before.remove_suffix(2);
        out += before;
        out += base::printable(argument, longest_argument);
        text.remove_prefix(gap + 2);
    }
    return out.append(text);
}

template <class Name>
Reply reply(const Row<Name>& row, std::initializer_list<std::string_view> arguments) {
    return {row.code, std::string(row.enhanced), {fill(row.text, arguments)}};
}

}  // namespace

Reply say(Voice voice, std::initializer_list<std::string_view> arguments) {
    return reply(voices.at(static_cast<std::size_t>(voice)), arguments);
}

Reply say(const mail::Verdict& verdict) {
    Reply out = reply(reasons.at(static_cast<std::size_t>(verdict.why)), {verdict.detail});
    const char wanted = verdict.kind == mail::Verdict::Kind::never ? '5' : '4';
    if (out.enhanced.front() != wanted) {
        // The policy knows more than the table: "later" for a reason that is usually final, or the other way round.
        out.enhanced.front() = wanted;
        out.code = wanted == '5' ? 554 : 451;
    }
    if (verdict.code / 100 == wanted - '0') {
        out.code = verdict.code;
        if (verdict.enhanced.starts_with(wanted)) out.enhanced = verdict.enhanced;
    }
    return out;
}

}  // namespace greylag::smtp
