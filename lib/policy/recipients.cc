#include "policy/recipients.hh"

#include <algorithm>
#include <optional>
#include <variant>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "mail/tag.hh"

namespace greylag::policy {

namespace {

using Words = std::vector<std::string_view>;

bool means(std::string_view word, const mail::Path& recipient) {
    return base::iequals(word, recipient.text()) || base::iequals(word, recipient.bang());
}

using Host = std::variant<mail::Cidr, mail::Domain>;

Result<Host> host_of(std::string_view word) {
    if (auto network = mail::Cidr::parse(word)) return *network;
    auto name = mail::Domain::parse(word);
    // An address with a slip in it is a name by grammar, and nobody's.
    if (name && std::any_of(word.begin(), word.end(), base::is_alpha)) return *std::move(name);
    return base::fail(Kind::syntax, "'" + base::printable(word, 80) + "' is neither address nor name of a host");
}

Result<Host> rule_of(const Words& words) {
    if (words.size() != 2) return base::fail(Kind::syntax, "expected a recipient and a host");
    return host_of(words[1]);
}

// Mail for user+tag falls to user.
std::optional<mail::Path> untagged(const mail::Path& recipient) {
    if (recipient.is_null() || recipient.is_loopback()) return std::nullopt;
    const std::string& local = recipient.mailbox().local();
    const std::string_view plain = mail::untagged(local);
    if (plain == local) return std::nullopt;
    auto box = mail::Mailbox::make(std::string(plain), recipient.mailbox().host());
    return box ? std::optional(mail::Path::of(*std::move(box))) : std::nullopt;
}

}  // namespace

bool is_name_blocked(std::string_view bytes, const mail::Path& recipient) {
    bool found = false;
    for_each_line(bytes, [&](const Words& words, unsigned) { found = found || means(words.front(), recipient); });
    return found;
}

bool Closed::holds(const mail::IpAddress& peer) const {
    return std::any_of(networks.begin(), networks.end(), [&](const mail::Cidr& network) { return network.contains(peer); });
}

Closed closed_to(std::string_view bytes, const mail::Path& recipient) {
    Closed closed;
    for_each_line(bytes, [&](const Words& words, unsigned) {
        if (!means(words.front(), recipient)) return;
        // A line that cannot be read closes as well: who wrote it did not mean "open to all".
        closed.listed = true;
        auto host = rule_of(words);
        if (!host) return;
        if (auto* network = std::get_if<mail::Cidr>(&*host))
            closed.networks.push_back(*network);
        else
            closed.names.push_back(std::get<mail::Domain>(*std::move(host)));
    });
    if (closed.listed) return closed;
    const auto plain = untagged(recipient);
    return plain ? closed_to(bytes, *plain) : closed;
}

std::vector<LineFault> faults_of_senders(std::string_view bytes) {
    std::vector<LineFault> faults;
    for_each_line(bytes, [&](const Words& words, unsigned line) {
        if (auto rule = rule_of(words); !rule) faults.push_back({line, rule.error().text});
    });
    return faults;
}

}  // namespace greylag::policy
