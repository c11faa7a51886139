// A mailbox: local part and host (RFC 5321 4.1.2, RFC 6531 3.3).
#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hh"
#include "mail/domain.hh"
#include "mail/ip.hh"

namespace greylag::mail {

// What stands behind the '@'. monostate: nothing, an unqualified name (only "postmaster" on the wire).
using Host = std::variant<std::monostate, Domain, IpAddress>;
std::string text(const Host& host);  // "example.org", "[192.0.2.1]", ""
bool same_host(const Host& a, const Host& b);

class Mailbox {
public:
    // "local@host". Local part: dot-string or quoted string, 1..64 octets; host: domain or address literal.
    // `unqualified` also allows a local part alone. No angle brackets, no route, no blanks around.
    enum class Unqualified { refused, allowed };
    static Result<Mailbox> parse(std::string_view text, Domain::Allow allow = Domain::Allow::ascii,
                                 Unqualified unqualified = Unqualified::refused);
    // From parts that are already known: `local` is the meaning (unquoted); it is quoted when the grammar needs it.
    static Result<Mailbox> make(std::string_view local, Host host);

    const std::string& local() const { return local_; }  // the meaning: quotes and backslashes undone
    std::string local_text() const;                      // the wire form: quoted exactly when it must be
    const Host& host() const { return host_; }
    bool is_qualified() const { return host_.index() != 0; }
    bool is_postmaster() const;  // local part "postmaster" in any case
    bool is_utf8() const;        // needs SMTPUTF8
    std::string text() const;    // "local@host" on the wire, "local" when unqualified
    std::string key() const;     // text() in ASCII lower case: for comparisons of ours, never sent

    friend bool operator==(const Mailbox& a, const Mailbox& b);  // host case-blind, local part exact

private:
    Mailbox(std::string local, Host host) : local_(std::move(local)), host_(std::move(host)) {}
    std::string local_;
    Host host_;
};

}  // namespace greylag::mail
