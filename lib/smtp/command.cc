// Every scanner here is linear in its line; addresses and names are mail's to judge.
#include "smtp/command.hh"

#include <array>
#include <limits>

#include "base/ascii.hh"
#include "base/utf8.hh"
#include "base/xtext.hh"
#include "smtp/voice.hh"

namespace greylag::smtp {

namespace {

struct VerbRow {
    std::string_view word;
    Verb verb;
};
constexpr auto verbs = std::to_array<VerbRow>({
    {"HELO", Verb::helo},       {"EHLO", Verb::ehlo},       {"MAIL", Verb::mail},    {"RCPT", Verb::rcpt},
    {"DATA", Verb::data},       {"RSET", Verb::rset},       {"NOOP", Verb::noop},    {"QUIT", Verb::quit},
    {"VRFY", Verb::vrfy},       {"EXPN", Verb::expn},       {"HELP", Verb::help},    {"STARTTLS", Verb::starttls},
    {"AUTH", Verb::auth},       {"BDAT", Verb::bdat},       {"TURN", Verb::refused}, {"SEND", Verb::refused},
    {"SOML", Verb::refused},    {"SAML", Verb::refused},    {"GET", Verb::foreign},  {"POST", Verb::foreign},
    {"CONNECT", Verb::foreign}, {"OPTIONS", Verb::foreign}, {"HEAD", Verb::foreign}, {"PUT", Verb::foreign},
    {"PROXY", Verb::foreign},
});
// Nobody waits for the end of a chunk that no disk could hold.
constexpr std::uint64_t longest_chunk = std::uint64_t{1} << 62;

// "<path>" and what follows it.
struct Split {
    std::string_view path;
    std::string_view parameters;
};

// The ">" that ends the path: a quoted local part may hold one.
std::size_t closing_bracket(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') quoted = !quoted;
        if (text[i] == '\\')
            ++i;
        else if (text[i] == '>' && !quoted)
            return i;
    }
    return std::string_view::npos;
}

std::expected<Split, Reply> split_argument(std::string_view text, std::string_view keyword, Voice syntax, Voice bad_path) {
    if (!base::istarts_with(text, keyword)) return std::unexpected(say(syntax));
    text.remove_prefix(keyword.size());
    if (text.starts_with(' ')) text.remove_prefix(1);  // a common habit
    if (text.empty()) return std::unexpected(say(syntax));
    if (text.front() != '<') return std::unexpected(say(Voice::need_brackets));
    text.remove_prefix(1);
    const std::size_t end = closing_bracket(text);
    if (end == std::string_view::npos) return std::unexpected(say(bad_path, {"the closing bracket is missing"}));
    const Split split{text.substr(0, end), text.substr(end + 1)};
    if (!split.parameters.empty() && split.parameters.front() != ' ') {
        return std::unexpected(say(bad_path, {"there is text behind the closing bracket"}));
    }
    return split;
}

std::expected<mail::Path, Reply> parse_path(std::string_view text, bool utf8, Voice bad_path, Voice unqualified) {
    if (!base::is_ascii(text)) {
        if (!base::is_utf8(text)) return std::unexpected(say(Voice::utf8_broken));
        if (!utf8) return std::unexpected(say(Voice::utf8_needed));
    }
    const auto allow = utf8 ? mail::Domain::Allow::utf8 : mail::Domain::Allow::ascii;
    auto path = mail::Path::parse(text, allow);
    if (path) return *std::move(path);
    const auto local = mail::Mailbox::parse(text, allow, mail::Mailbox::Unqualified::allowed);
    if (local && !local->is_qualified()) return std::unexpected(say(unqualified));
    return std::unexpected(say(bad_path, {path.error().text}));
}

// RFC 5321 4.1.2, RFC 6531 3.3: esmtp-param.
struct Parameter {
    std::string_view keyword;
    std::optional<std::string_view> value;
};

bool is_keyword(std::string_view text) {
    if (text.empty() || text.front() == '-') return false;
    for (const char c : text) {
        if (!base::is_alnum(c) && c != '-') return false;
    }
    return true;
}

bool is_value(std::string_view text) {
    for (const char c : text) {
        if (base::is_ctl(c) || c == '=') return false;
    }
    return !text.empty() && base::is_utf8(text);
}

std::optional<Parameter> parse_parameter(std::string_view word) {
    Parameter parameter{word, std::nullopt};
    if (const auto parts = base::cut(word, '=')) parameter = {parts->first, parts->second};
    if (!is_keyword(parameter.keyword) || (parameter.value && !is_value(*parameter.value))) return std::nullopt;
    return parameter;
}

// RFC 1870: up to 20 digits, which is more than the type holds; more than that is more than any limit.
bool take_size(MailArgument& mail, const std::optional<std::string_view>& value) {
    if (!value || value->size() > 20) return false;
    for (const char c : *value) {
        if (!base::is_digit(c)) return false;
    }
    mail.size = base::parse_number<std::uint64_t>(*value).value_or(std::numeric_limits<std::uint64_t>::max());
    return true;
}

bool take_body(MailArgument& mail, const std::optional<std::string_view>& value) {
    if (!value) return false;
    mail.body = base::iequals(*value, "8BITMIME") ? Body::eight_bit : Body::seven_bit;
    return mail.body == Body::eight_bit || base::iequals(*value, "7BIT");
}

bool take_utf8(MailArgument& mail, const std::optional<std::string_view>& value) {
    mail.utf8 = true;
    return !value;
}

// RFC 4954 5. Nobody here vouches for another server's user: the value must be well-formed and is not kept.
bool take_auth(MailArgument&, const std::optional<std::string_view>& value) {
    if (!value) return false;
    const auto text = base::xtext_decode(*value);
    if (!text || text->empty()) return false;
    for (const char c : *text) {
        if (base::is_ctl(c)) return false;
    }
    return true;
}

struct MailParameter {
    std::string_view keyword;
    bool Offered::*offered;
    bool (*take)(MailArgument&, const std::optional<std::string_view>&);
};
constexpr auto mail_parameters = std::to_array<MailParameter>({
    {"SIZE", &Offered::extended, take_size},
    {"BODY", &Offered::extended, take_body},
    {"SMTPUTF8", &Offered::utf8, take_utf8},
    {"AUTH", &Offered::auth, take_auth},
});

// The reply to give, or nothing when all was taken. `mail` is null where no parameter is known.
std::optional<Reply> take_parameters(std::string_view text, const Offered& offered, MailArgument* mail) {
    std::array<bool, mail_parameters.size()> seen{};
    for (const std::string_view word : base::split(text, ' ')) {
        if (word.empty()) continue;
        if (!offered.extended) return say(Voice::parameter_needs_ehlo);
        const auto parameter = parse_parameter(word);
        if (!parameter) return say(Voice::parameter_syntax, {word});
        std::size_t i = mail != nullptr ? 0 : mail_parameters.size();
        while (i < mail_parameters.size() && !base::iequals(parameter->keyword, mail_parameters.at(i).keyword)) ++i;
        if (i == mail_parameters.size() || !(offered.*mail_parameters.at(i).offered)) {
            return say(Voice::parameter_unknown, {parameter->keyword});
        }
        if (seen.at(i)) return say(Voice::parameter_twice, {parameter->keyword});
        seen.at(i) = true;
        if (!mail_parameters.at(i).take(*mail, parameter->value)) return say(Voice::parameter_syntax, {word});
    }
    return std::nullopt;
}

}  // namespace

Command parse_command(std::string_view line) {
    if (line.starts_with(tls_hello)) return {Verb::foreign, {}};
    const std::string_view word = line.substr(0, line.find(' '));
    for (const VerbRow& row : verbs) {
        if (!base::iequals(word, row.word)) continue;
        std::string_view argument = line.substr(word.size());
        while (argument.starts_with(' ')) argument.remove_prefix(1);
        while (argument.ends_with(' ')) argument.remove_suffix(1);
        return {row.verb, argument};
    }
    return {};
}

std::string_view name(Verb verb) {
    if (verb == Verb::refused || verb == Verb::foreign || verb == Verb::unknown) return "command";
    for (const VerbRow& row : verbs) {
        if (row.verb == verb) return row.word;
    }
    return {};
}

std::expected<HeloName, Reply> parse_helo(std::string_view argument) {
    if (argument.starts_with('[')) {
        const auto address = mail::IpAddress::parse_literal(argument);
        if (!address) return std::unexpected(say(Voice::helo_syntax));
        return HeloName{std::string(argument), *address};
    }
    auto domain = mail::Domain::parse(argument);
    if (!domain) return std::unexpected(say(Voice::helo_syntax));
    return HeloName{std::string(argument), *std::move(domain)};
}

std::expected<MailArgument, Reply> parse_mail(std::string_view argument, const Offered& offered) {
    const auto split = split_argument(argument, "FROM:", Voice::mail_syntax, Voice::sender_syntax);
    if (!split) return std::unexpected(split.error());
    MailArgument mail;
    if (auto refusal = take_parameters(split->parameters, offered, &mail)) return std::unexpected(*std::move(refusal));
    auto path = parse_path(split->path, mail.utf8, Voice::sender_syntax, Voice::sender_unqualified);
    if (!path) return std::unexpected(std::move(path).error());
    if (!path->is_null() && !path->mailbox().is_qualified()) return std::unexpected(say(Voice::sender_unqualified));
    mail.sender = *std::move(path);
    return mail;
}

std::expected<RcptArgument, Reply> parse_rcpt(std::string_view argument, const Offered& offered, bool utf8) {
    const auto split = split_argument(argument, "TO:", Voice::rcpt_syntax, Voice::recipient_syntax);
    if (!split) return std::unexpected(split.error());
    if (auto refusal = take_parameters(split->parameters, offered, nullptr)) return std::unexpected(*std::move(refusal));
    auto path = parse_path(split->path, utf8, Voice::recipient_syntax, Voice::recipient_unqualified);
    if (!path) return std::unexpected(std::move(path).error());
    if (path->is_null()) return std::unexpected(say(Voice::rcpt_null));
    const mail::Mailbox& mailbox = path->mailbox();
    if (!path->is_loopback() && !mailbox.is_qualified() && !mailbox.is_postmaster()) {
        return std::unexpected(say(Voice::recipient_unqualified));
    }
    return RcptArgument{*std::move(path)};
}

std::expected<BdatArgument, Reply> parse_bdat(std::string_view argument) {
    const auto words = base::words(argument);
    if (words.empty() || words.size() > 2) return std::unexpected(say(Voice::bdat_syntax));
    BdatArgument bdat;
    bdat.last = words.size() == 2;
    if (bdat.last && !base::iequals(words[1], "LAST")) return std::unexpected(say(Voice::bdat_syntax));
    for (const char c : words[0])
        if (!base::is_digit(c)) return std::unexpected(say(Voice::bdat_syntax));
    const auto octets = base::parse_number<std::uint64_t>(words[0]);
    bdat.countless = !octets || *octets > longest_chunk;
    bdat.octets = octets.value_or(0);
    return bdat;
}

std::expected<AuthArgument, Reply> parse_auth(std::string_view argument) {
    const auto words = base::words(argument);
    if (words.empty() || words.size() > 2) return std::unexpected(say(Voice::auth_syntax));
    AuthArgument auth{base::upper(words[0]), std::nullopt};
    for (const char c : auth.mechanism)
        if (!base::is_alnum(c) && c != '-' && c != '_') return std::unexpected(say(Voice::auth_syntax));
    if (words.size() == 2) auth.initial = words[1] == "=" ? std::string_view() : words[1];
    return auth;
}

}  // namespace greylag::smtp
