#include "policy/blocklist.hh"

#include <array>

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::policy {

namespace {

struct Verb {
    std::string_view word;
    Action action;
};
constexpr auto verbs = std::to_array<Verb>({
    {"block", Action::block},
    {"relay", Action::block},
    {"deny", Action::deny},
    {"dial", Action::dial},
    {"delay", Action::delay},
    {"allow", Action::allow},
    {"accept", Action::allow},
});

std::string shown(std::string_view text) { return "'" + base::printable(text, 80) + "'"; }

}  // namespace

mail::Verdict spoken(std::optional<Action> action, Moment moment) {
    using mail::Verdict;
    using mail::Why;
    if (!action) return Verdict::pass();
    switch (*action) {
        case Action::allow: break;
        case Action::deny: return moment == Moment::mail ? Verdict::never(Why::sender_denied) : Verdict::pass();
        case Action::dial: return moment == Moment::data ? Verdict::never(Why::dialup) : Verdict::pass();
        case Action::block: return moment == Moment::message ? Verdict::never(Why::blocked) : Verdict::pass();
        case Action::delay: return moment == Moment::message ? Verdict::later(Why::delayed) : Verdict::pass();
    }
    return Verdict::pass();
}

Result<SenderPattern> SenderPattern::parse(std::string_view text) {
    const auto parts = base::cut(text, '!');
    if (!parts || parts->first.empty() || parts->second.empty())
        return base::fail(Kind::syntax, shown(text) + ": expected domain!user");
    SenderPattern pattern;
    pattern.user_ = base::lower(parts->second);
    pattern.prefix_ = pattern.user_.ends_with('*');
    if (pattern.prefix_) pattern.user_.pop_back();
    if (pattern.user_.find('*') != std::string::npos)
        return base::fail(Kind::syntax, shown(text) + ": in the user '*' may only be the last character");
    if (parts->first == "*") {
        if (pattern.user_.empty()) return base::fail(Kind::syntax, shown(text) + ": would be every sender there is");
    } else if (parts->first.starts_with('[')) {
        pattern.host_ = TRY(mail::IpAddress::parse_literal(parts->first));
    } else {
        pattern.host_ = TRY(mail::DomainPattern::parse(parts->first));
    }
    return pattern;
}

bool SenderPattern::matches(const mail::Path& sender) const {
    if (sender.is_null()) return false;
    const mail::Mailbox& mailbox = sender.mailbox();
    const mail::Host& host = mailbox.host();
    if (const auto* pattern = std::get_if<mail::DomainPattern>(&host_)) {
        const auto* domain = std::get_if<mail::Domain>(&host);
        if (domain == nullptr || !pattern->matches(*domain)) return false;
    } else if (const auto* address = std::get_if<mail::IpAddress>(&host_)) {
        const auto* literal = std::get_if<mail::IpAddress>(&host);
        if (literal == nullptr || *literal != *address) return false;
    }
    return prefix_ ? base::istarts_with(mailbox.local(), user_) : base::iequals(mailbox.local(), user_);
}

Result<void> BlockList::add(const std::vector<std::string_view>& words) {
    // "*block" and "* block" are the same.
    std::string_view word = words.front();
    const bool senders = word.starts_with('*');
    if (senders) word.remove_prefix(1);
    std::size_t next = 1;
    if (word.empty() && words.size() > 1) word = words[next++];

    const Verb* verb = nullptr;
    for (const Verb& row : verbs)
        if (base::iequals(row.word, word)) verb = &row;
    if (verb == nullptr)
        return base::fail(Kind::syntax, shown(word) + " is no verb; expected block, relay, deny, dial, delay, allow or accept");
    if (next == words.size())
        return base::fail(Kind::syntax, "expected " + std::string(senders ? "senders" : "addresses") + " behind " + shown(word));

    const std::size_t before = rules_.size();
    for (; next < words.size(); ++next) {
        if (senders) {
            auto pattern = SenderPattern::parse(words[next]);
            if (pattern) {
                rules_.push_back({verb->action, *std::move(pattern)});
                continue;
            }
            rules_.erase(rules_.begin() + static_cast<std::ptrdiff_t>(before), rules_.end());
            return std::unexpected(std::move(pattern).error());
        }
        auto network = mail::Cidr::parse(words[next]);
        if (network) {
            rules_.push_back({verb->action, *network});
            continue;
        }
        rules_.erase(rules_.begin() + static_cast<std::ptrdiff_t>(before), rules_.end());
        return std::unexpected(std::move(network).error());
    }
    return {};
}

BlockList BlockList::parse(std::string_view bytes) {
    BlockList list;
    for_each_line(bytes, [&](const std::vector<std::string_view>& words, unsigned line) {
        if (auto added = list.add(words); !added) list.faults_.push_back({line, added.error().text});
    });
    return list;
}

std::optional<Action> BlockList::find(const std::optional<mail::IpAddress>& peer, const mail::Path& sender) const {
    for (const Rule& rule : rules_) {
        const auto* network = std::get_if<mail::Cidr>(&rule.who);
        if (network != nullptr ? peer && network->contains(*peer) : std::get<SenderPattern>(rule.who).matches(sender))
            return rule.action;
    }
    return std::nullopt;
}

}  // namespace greylag::policy
