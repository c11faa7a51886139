#include "mail/domain.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/utf8.hh"

namespace greylag::mail {
namespace {

using base::fail;
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_label = 63;

bool is_label(std::string_view label, Domain::Allow allow) {
    const auto good = [&](char c) {
        return base::is_alnum(c) || c == '-' || c == '_' || (base::is_8bit(c) && allow == Domain::Allow::utf8);
    };
    return !label.empty() && label.size() <= longest_label && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), good);
}

}  // namespace

Result<Domain> Domain::parse(std::string_view text, Allow allow) {
    const auto bad = [&](std::string_view why) {
        return fail(Kind::syntax, "bad domain " + base::quoted(text, 80) + ": " + std::string{why});
    };
    const std::string_view name = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
    if (name.empty()) return bad("no name");
    if (name.size() > longest_name) return bad("longer than 255 octets");
    for (const std::string_view label : base::split(name, '.'))
        if (!is_label(label, allow)) return bad("a label that is none");
    if (!base::is_utf8(name)) return bad("not UTF-8");
    return Domain(std::string{name});
}

std::string Domain::key() const { return base::lower(text_); }

bool Domain::has_dot() const { return text_.find('.') != std::string::npos; }

bool Domain::is_within(const Domain& parent) const {
    const std::size_t own = text_.size(), above = parent.text_.size();
    if (!base::iends_with(text_, parent.text_)) return false;
    return own == above || text_[own - above - 1] == '.';
}

bool operator==(const Domain& a, const Domain& b) { return base::iequals(a.text_, b.text_); }

Result<DomainPattern> DomainPattern::parse(std::string_view text) {
    const bool below = text.starts_with("*.");
    return DomainPattern(TRY(Domain::parse(below ? text.substr(2) : text, Domain::Allow::utf8)), below);
}

bool DomainPattern::matches(const Domain& domain) const { return below_ ? domain.is_within(domain_) : domain == domain_; }

std::string DomainPattern::text() const { return (below_ ? "*." : "") + domain_.text(); }

}  // namespace greylag::mail
