// Command lines into values (RFC 5321 4.1): verbs by table, arguments by grammar. A line that is no command is never half one.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "mail/domain.hh"
#include "mail/mailbox.hh"
#include "mail/path.hh"
#include "smtp/reply.hh"

namespace greylag::smtp {

enum class Verb : std::uint8_t {
    helo,
    ehlo,
    mail,
    rcpt,
    data,
    rset,
    noop,
    quit,
    vrfy,
    expn,
    help,
    starttls,
    auth,
    bdat,
    refused,  // TURN SEND SOML SAML: known, never offered
    foreign,  // another protocol: GET, POST, a TLS hello, PROXY from somebody we did not ask to ...
    unknown,
};

struct Command {
    Verb verb = Verb::unknown;
    std::string_view argument;  // behind the verb and one run of spaces, trailing spaces dropped; points into the line
};
// The verb is found case-blind; one that is followed by anything but a space is unknown.
Command parse_command(std::string_view line);
std::string_view name(Verb verb);  // "MAIL"

// What EHLO or HELO said. A name or an address literal.
struct HeloName {
    std::string text;  // as given
    mail::Host host;
};

enum class Body : std::uint8_t { seven_bit, eight_bit };

struct MailArgument {
    mail::Path sender = mail::Path::null();
    std::optional<std::uint64_t> size;
    Body body = Body::seven_bit;
    bool utf8 = false;
};
struct RcptArgument {
    mail::Path recipient = mail::Path::null();
};

// How a TLS handshake record begins, whatever its version. No line: it need not have an end.
inline constexpr std::string_view tls_hello = "\x16\x03";

// BDAT (RFC 3030 2). A count that nobody could wait for is `countless`: where its octets end nobody can say.
struct BdatArgument {
    std::uint64_t octets = 0;
    bool last = false;
    bool countless = false;
};
std::expected<BdatArgument, Reply> parse_bdat(std::string_view argument);

// AUTH (RFC 4954 4): the mechanism in upper case, and the initial response as it was sent ("=" is the empty one). It lives in
// the line: no further copy of a password.
struct AuthArgument {
    std::string mechanism;
    std::optional<std::string_view> initial;  // base64, not yet decoded
};
std::expected<AuthArgument, Reply> parse_auth(std::string_view argument);

// What the session has offered and therefore takes.
struct Offered {
    bool extended = false;  // EHLO was said
    bool utf8 = false;
    bool auth = false;  // AUTH= is understood (RFC 4954 5)
};

// The error is the reply to give.
std::expected<HeloName, Reply> parse_helo(std::string_view argument);
std::expected<MailArgument, Reply> parse_mail(std::string_view argument, const Offered& offered);
std::expected<RcptArgument, Reply> parse_rcpt(std::string_view argument, const Offered& offered, bool utf8);

}  // namespace greylag::smtp
