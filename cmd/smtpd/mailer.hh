// The mailer as values: its command line from a template, its environment, and what its end means. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "mail/ip.hh"
#include "mail/verdict.hh"
#include "smtp/server.hh"
#include "sys/child.hh"

namespace greylag::smtpd {

// Where an LMTP server listens: a socket of the file system, or a host and its port.
struct LmtpPlace {
    std::string path;  // not empty: this
    std::string host;
    std::uint16_t port = 0;
};

struct Mailer {
    std::string program;             // absolute
    std::vector<std::string> words;  // the template behind it
    bool upas = true;                // no %r: "mailer -r -- rcpt...", stdin begins with the From line
    bool bang = false;               // addresses in upas order
    std::optional<LmtpPlace> lmtp;   // no program: `program` is what the log calls it

    bool is_send() const;  // the default mailer, whose users smtpd can look up
};

// "send", "/usr/local/bin/deliver", "deliver -f %s -- %r": words by blanks, "..." and '...' group, a backslash takes the next
// character as it is; never a shell. A program without a slash lives in `libexec`. "lmtp:/path" and "lmtp:host:port" are no
// programs.
Result<Mailer> parse_mailer(std::string_view text, std::string_view libexec);

// The one search path that programs of the host are given.
inline constexpr const char* mailer_path = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

std::string written(const Mailer& mailer, const mail::Path& path);  // in its form of addresses; empty for the null path

// What the gaps of template and environment are filled with.
struct Handover {
    const smtp::Envelope& envelope;
    std::optional<mail::IpAddress> peer;
    std::string user;      // authenticated
    std::string protocol;  // ESMTP ...
    std::string id;
    std::uint64_t size = 0;
    std::string configuration;  // GREYLAG_CONF
    std::string domain{};       // DOMAIN: the receiving domain, where the command line and not the configuration says it
};
std::vector<std::string> arguments(const Mailer& mailer, const Handover& handover);
std::vector<std::string> environment(const Mailer& mailer, const Handover& handover);

// An address that a careless mailer would take for an option is refused unless the template protects it.
bool protects_recipients(const Mailer& mailer);  // "--" stands before them
bool protects_sender(const Mailer& mailer);      // the same, or %s follows -f

std::string describe(const sys::Ending& ending);  // "exit 75", "signal 9", "timed out": for the log

// By sysexits(3); the unknown is temporary. `said` is the mailer's standard error.
mail::Verdict verdict(const sys::Ending& ending, std::string_view said);

}  // namespace greylag::smtpd
