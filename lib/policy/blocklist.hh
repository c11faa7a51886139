// The block list as a value: who is refused, put off or let in, and when the client hears of it (upas smtpd(6), `blocked`).
// Opens no file.
//
//   deny 192.0.2.7, 198.51.100.0/24 2001:db8::/32     peers: address, network, or one to three octets
//   *block spam.example!* *.bulk.example!offers*      senders: domain!user
//
// Case does not count, and the first rule that fits decides, whichever of the two kinds it is.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mail/domain.hh"
#include "mail/ip.hh"
#include "mail/path.hh"
#include "mail/verdict.hh"
#include "policy/lines.hh"

namespace greylag::policy {

enum class Action : std::uint8_t { allow, block, deny, dial, delay };  // `relay` is another word for block
// The moment an action is spoken: deny at MAIL, dial at DATA (and for every later command), block and delay behind the message,
// so that who guesses addresses learns nothing. allow never is.
enum class Moment : std::uint8_t { mail, data, message };
// What is said to a client on which `action` lies, at that moment: pass where another moment is the right one.
mail::Verdict spoken(std::optional<Action> action, Moment moment);

// `domain!user`, `*.domain!*` (the domain and every name below it), `*!user`, `domain!us*`; the domain may be a literal.
class SenderPattern {
public:
    static Result<SenderPattern> parse(std::string_view text);
    bool matches(const mail::Path& sender) const;  // never the null sender

private:
    std::variant<std::monostate, mail::DomainPattern, mail::IpAddress> host_;  // monostate: any
    std::string user_;                                                         // lower case
    bool prefix_ = false;
};

class BlockList {
public:
    // Total: a line that cannot be read is skipped as a whole and named; the others stand.
    static BlockList parse(std::string_view bytes);

    std::optional<Action> find(const std::optional<mail::IpAddress>& peer, const mail::Path& sender) const;
    const std::vector<LineFault>& faults() const { return faults_; }

private:
    struct Rule {
        Action action;
        std::variant<mail::Cidr, SenderPattern> who;
    };
    Result<void> add(const std::vector<std::string_view>& words);

    std::vector<Rule> rules_;
    std::vector<LineFault> faults_;
};

}  // namespace greylag::policy
