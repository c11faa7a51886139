#include "mailbox/aliases.hh"

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::mailbox {
namespace {

// The first of `wanted` outside quoted strings and address literals; npos when there is none.
std::size_t find_bare(std::string_view text, char wanted, std::size_t from = 0) {
    bool quoted = false, literal = false;
    for (std::size_t i = from; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '\\') {
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && c == '[') {
            literal = true;
        } else if (!quoted && c == ']') {
            literal = false;
        } else if (!quoted && !literal && c == wanted) {
            return i;
        }
    }
    return std::string_view::npos;
}

std::string shown(std::string_view text) { return "'" + base::printable(text, 80) + "'"; }

// Why a target is refused whatever else it is; empty when it may be an address. A quoted one is the same in sendmail's eyes.
std::string_view refusal(std::string_view target) {
    if (target.starts_with('"')) target.remove_prefix(1);
    if (target.starts_with('|')) return "starts a program";
    if (target.starts_with('/') || target.starts_with("./") || target.starts_with("~")) return "is a file";
    if (target.starts_with(':')) return "is an include";
    return {};
}

}  // namespace

Aliases Aliases::parse(std::string_view bytes) {
    Aliases aliases;
    std::string entry;
    unsigned begun = 0, line = 0;
    const auto end_entry = [&] {
        if (!base::trim(entry).empty()) aliases.add(entry, begun);
        entry.clear();
    };
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        std::string_view text = bytes.substr(0, end);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        ++line;
        const bool continued = !text.empty() && base::is_blank(text.front());
        text = text.substr(0, find_bare(text, '#'));
        if (base::trim(text).empty()) continue;  // a comment or blank line between continuations ends nothing
        if (!continued) {
            end_entry();
            begun = line;
        } else if (entry.empty()) {
            aliases.faults_.push_back({line, "continues no entry"});
            continue;
        }
        entry += ' ';
        entry += base::trim(text);
    }
    end_entry();
    return aliases;
}

void Aliases::add(std::string_view text, unsigned line) {
    const std::size_t colon = find_bare(text, ':');
    if (colon == std::string_view::npos) {
        faults_.push_back({line, shown(base::trim(text)) + " has no colon"});
        return;
    }
    const std::string_view name = base::trim(text.substr(0, colon));
    const auto who = mail::Mailbox::parse(name, mail::Domain::Allow::utf8, mail::Mailbox::Unqualified::allowed);
    if (!who) {
        faults_.push_back({line, shown(name) + " is neither a local name nor an address"});
        return;
    }
    const auto [place, added] = entries_.try_emplace(base::lower(who->text()), Alias{line, {}, {}});
    if (!added) {
        faults_.push_back(
            {line, shown(name) + " stands in line " + std::to_string(place->second.line) + " already; that one counts"});
        return;
    }
    Alias& alias = place->second;
    const auto fault = [&](std::string what) {
        faults_.push_back({line, what});
        if (alias.fault.empty()) alias.fault = std::move(what);
    };
    std::string_view rest = text.substr(colon + 1);
    for (;;) {
        const std::size_t comma = find_bare(rest, ',');
        const std::string_view target = base::trim(rest.substr(0, comma));
        if (const auto why = refusal(target); !why.empty()) {
            fault("target " + shown(target) + " of " + shown(name) + " " + std::string(why) + ": refused");
        } else if (!target.empty()) {
            auto mailbox = mail::Mailbox::parse(target, mail::Domain::Allow::utf8, mail::Mailbox::Unqualified::allowed);
            if (mailbox)
                alias.targets.push_back(*std::move(mailbox));
            else
                fault("target " + shown(target) + " of " + shown(name) + " is neither a local name nor an address");
        }
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    if (alias.targets.empty() && alias.fault.empty()) fault(shown(name) + " has no target");
}

const Alias* Aliases::find(std::string_view local, std::string_view domain) const {
    // Entries are kept under their wire form, so a quoted local part is found by its meaning only after quoting.
    const auto named = mail::Mailbox::make(local, {});
    if (!named) return nullptr;
    const std::string name = base::lower(named->text());
    auto found = entries_.find(name + "@" + base::lower(domain));
    if (found == entries_.end()) found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace greylag::mailbox
