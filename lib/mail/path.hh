// Envelope paths: the argument of MAIL and RCPT, in both of their notations.
//
//   at form    <user@host>, <@relay1,@relay2:user@host>, <>       RFC 5321 4.1.2, appendix C
//   bang form  host!user, relay1!relay2!host!user, /dev/null      upas, RFC 976
//
// A Path keeps the route apart, so that the relay rule can look at every hop.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "mail/mailbox.hh"

namespace greylag::mail {

class Path {
public:
    static Path null() { return {}; }
    static Path of(Mailbox mailbox) { return Path({}, std::move(mailbox)); }
    static Path of(std::vector<Domain> route, Mailbox mailbox) { return Path(std::move(route), std::move(mailbox)); }

    // The text between "<" and ">" of MAIL or RCPT, brackets not included: "", "a@b", "@x,@y:a@b", "postmaster".
    // `user@[]` (upas loop-back) parses with `loopback` set and is refused by everybody who does not know it. 256 octets at most.
    static Result<Path> parse(std::string_view text, Domain::Allow allow = Domain::Allow::ascii);

    // An argument of smtp or send: at form, bang form, "<>", "", "/dev/null" (the null path), or an unqualified name.
    // Leading dotted components of a bang path become the route: a.b!c.d!u is u@c.d by a.b; what follows the first
    // component without a dot stays in the local part.
    static Result<Path> parse_argument(std::string_view text);

    bool is_null() const { return !mailbox_; }
    const Mailbox& mailbox() const { return *mailbox_; }  // not for the null path
    const std::vector<Domain>& route() const { return route_; }
    bool is_loopback() const { return loopback_; }  // user@[]

    std::string text() const;       // at form without brackets and route; "" for null
    std::string bracketed() const;  // "<user@host>", "<>"
    std::string bang() const;       // upas order: "host!user", "/dev/null"; the route in front

private:
    Path() = default;
    Path(std::vector<Domain> route, std::optional<Mailbox> mailbox) : route_(std::move(route)), mailbox_(std::move(mailbox)) {}
    std::vector<Domain> route_;
    std::optional<Mailbox> mailbox_;
    bool loopback_ = false;
};

}  // namespace greylag::mail
