#include "policy/helo.hh"

#include <algorithm>
#include <iterator>

#include "base/ascii.hh"

namespace greylag::policy {

namespace {

using mail::Verdict;
using mail::Why;

// Nobody's: RFC 2606 and 6761, and what a machine without a network calls itself.
constexpr std::string_view reserved[] = {"localdomain", "localhost",   "example",     "invalid",
                                         "test",        "example.com", "example.net", "example.org"};

bool is_under(std::string_view name, std::string_view parent) {
    if (!base::iends_with(name, parent)) return false;
    return name.size() == parent.size() || name[name.size() - parent.size() - 1] == '.';
}

bool is_bogus(const mail::Domain& name) {
    const std::string& text = name.text();
    if (!name.has_dot() || std::none_of(text.begin(), text.end(), base::is_alpha)) return true;
    return std::any_of(std::begin(reserved), std::end(reserved), [&](std::string_view parent) { return is_under(text, parent); });
}

}  // namespace

Verdict helo_claim(const mail::Host& name, const std::optional<mail::IpAddress>& peer, const Ours& ours, bool norelay) {
    const auto* literal = std::get_if<mail::IpAddress>(&name);
    if (literal != nullptr && peer == *literal) return Verdict::pass();
    const bool ourselves = peer && peer == ours.address;
    if (norelay && !ourselves && ours.holds(name)) return Verdict::never(Why::helo_is_ours);
    const auto* domain = std::get_if<mail::Domain>(&name);
    if (literal != nullptr || (domain != nullptr && is_bogus(*domain))) return Verdict::never(Why::helo_bogus);
    return Verdict::pass();
}

}  // namespace greylag::policy
