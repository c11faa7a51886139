// The server's whole voice on one page: every text it can say, with its codes.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "mail/verdict.hh"
#include "smtp/reply.hh"

namespace greylag::smtp {

enum class Voice : std::uint8_t {
    greeting, early_talk, bye, service_closing, config_error, too_many_sessions,
    helo_ok, mail_ok, rcpt_ok, data_go, sent, reset_ok, noop_ok, help, vrfy, expn,
    line_too_long, bad_line, unknown_command, not_offered, wrong_protocol,
    no_argument_allowed, helo_syntax, mail_syntax, rcpt_syntax, rcpt_null, path_syntax, domain_syntax, need_brackets,
    parameter_syntax, parameter_unknown, parameter_needs_ehlo, utf8_needed, vrfy_syntax,
    need_helo, nested_mail, need_mail, need_rcpt, not_now, sync_error,
    message_too_big, too_many_recipients, bare_newline, line_in_body, message_failed,
    timeout, too_many_errors, session_over, too_slow,
    count_
};

// The reply; each {} in the text takes the next argument, escaped.
Reply say(Voice voice, std::initializer_list<std::string_view> arguments = {});

// What a verdict that is not pass sounds like. Its kind and the code's first digit always agree.
Reply say(const mail::Verdict& verdict);

}  // namespace greylag::smtp
