// The server's whole voice on one page: every text it can say, with its codes.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "mail/verdict.hh"
#include "smtp/reply.hh"

namespace greylag::smtp {

// Behind // stands what the gaps of the text take, in order.
enum class Voice : std::uint8_t {
    greeting,  // our domain
    early_talk,
    bye,
    service_closing,
    config_error,
    too_many_sessions,
    helo_ok,  // our domain, the client's name
    mail_ok,  // the path
    rcpt_ok,  // the path
    data_go,
    sent,  // the id
    reset_ok,
    noop_ok,
    help,
    vrfy,
    expn,
    line_too_long,
    bad_line,
    empty_line,
    unknown_command,
    not_offered,  // the verb
    wrong_protocol,
    no_argument_allowed,  // the verb
    helo_syntax,
    mail_syntax,
    rcpt_syntax,
    rcpt_null,
    vrfy_syntax,
    need_brackets,
    sender_syntax,  // what is wrong
    sender_unqualified,
    recipient_unqualified,
    recipient_syntax,   // what is wrong
    parameter_syntax,   // the parameter
    parameter_twice,    // the parameter
    parameter_unknown,  // the parameter
    parameter_needs_ehlo,
    utf8_needed,
    utf8_broken,
    need_helo,
    nested_mail,
    need_mail,
    need_rcpt,
    no_valid_recipient,
    not_now,  // the verb
    sync_error,
    helo_lies,
    message_too_big,  // the limit in octets
    too_many_recipients,
    bare_newline,
    line_in_body,
    header_too_big,
    message_failed,
    chunk_ok,  // octets
    bdat_syntax,
    chunk_countless,
    chunks_begun,  // the verb
    tls_go,
    tls_unavailable,
    auth_syntax,
    auth_unknown,  // the mechanism
    auth_needs_tls,
    auth_needed,
    auth_done,
    auth_challenge,  // base64
    auth_base64,
    auth_malformed,
    auth_aborted,
    auth_too_long,
    auth_ok,
    auth_failed,
    auth_later,
    timeout,
    too_many_errors,
    session_over,
    too_slow,
    count_
};

// The reply; each {} in the text takes the next argument, escaped. An empty one takes the ": " in front of it away, too.
Reply say(Voice voice, std::initializer_list<std::string_view> arguments = {});

// What a verdict that is not pass sounds like. Its kind and the code's first digit always agree.
Reply say(const mail::Verdict& verdict);

}  // namespace greylag::smtp
