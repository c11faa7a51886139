// A recipient followed to its folders and forwards: folder, alias, catchall, in this order (send(8)). Promises that "no such
// user" is said only when every place could be looked at; delivers nothing, opens nothing but the alias file.
#include "mailbox/resolve.hh"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "mail/tag.hh"
#include "mailbox/aliases.hh"
#include "sys/file.hh"

namespace greylag::mailbox {
namespace {

constexpr std::size_t alias_file_limit = 16u << 20;
constexpr unsigned deepest = 32;  // aliases of aliases; more is a mistake, and each costs a frame

std::unexpected<Error> misconfigured(std::string text) { return base::fail_later(Kind::config, std::move(text)); }

std::string expand(std::string_view form, const std::string& domain, const std::string& user) {
    std::string path;
    for (std::size_t i = 0; i < form.size(); ++i) {
        if (form[i] != '%' || i + 1 == form.size()) {
            path += form[i];
            continue;
        }
        const char what = form[++i];
        if (what == 'd') {
            path += domain;
        } else if (what == 'u') {
            path += user;
        } else {
            path += '%';
            if (what != '%') path += what;
        }
    }
    return path;
}

std::string_view without_slashes(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path;
}

std::string_view above(std::string_view path) { return path.substr(0, path.rfind('/')); }

// The part of the template that names nobody: when it is missing, a file system is not mounted, and nobody is unknown.
std::string root_of(std::string_view form) {
    const auto root = above(form.substr(0, std::min(form.find('%'), form.size())));
    return root.empty() ? "/" : std::string(root);
}

// Is there such a directory? Only an answer of the file system is a no: what it would not tell us is an error.
Result<bool> is_directory(const std::string& path) {
    auto status = sys::status(path);
    if (status) return status->directory;
    Error& error = status.error();
    if (error.kind == Kind::not_found || error.code == ENAMETOOLONG || error.code == ENOTDIR) return false;
    error.lasting = Lasting::temporary;
    return std::unexpected(std::move(error));
}

class Walk {
public:
    explicit Walk(const Rules& rules) : rules_(rules), form_(without_slashes(rules.maildir)) {
        if (auto domain = mail::Domain::parse(rules.domain, mail::Domain::Allow::utf8)) ours_ = *std::move(domain);
    }
    Result<std::vector<Target>> from(const mail::Mailbox& recipient);

private:
    // Whether the address leads anywhere; the places are added to targets_.
    Result<bool> visit(const mail::Mailbox& address, unsigned depth);
    Result<bool> look(const mail::Mailbox& address, unsigned depth);
    Result<bool> visit_setting(std::string_view key, const std::string& value, unsigned depth);
    Result<bool> visit_folder(const mail::Mailbox& address, std::string_view local);
    Result<bool> visit_alias(const mail::Mailbox& address, std::string_view local, unsigned depth);
    void add(Target target);
    mail::Mailbox qualified(const mail::Mailbox& address) const;

    const Rules& rules_;
    std::string_view form_;
    mail::Host ours_;
    std::optional<Aliases> aliases_;
    std::map<std::string, bool> seen_;  // true until known better: an address on the way to itself leads on
    std::vector<Target> targets_;
};

bool keeps_the_house(const mail::Mailbox& address) { return address.is_postmaster() || base::iequals(address.local(), "abuse"); }

// The local part and, when it has a tag, what stands before it.
std::vector<std::string_view> names_of(const mail::Mailbox& address) {
    const std::string_view local = address.local();
    const std::string_view plain = mail::untagged(local);
    if (plain == local) return {local};
    return {local, plain};
}

mail::Mailbox Walk::qualified(const mail::Mailbox& address) const {
    if (address.is_qualified()) return address;
    auto full = mail::Mailbox::make(address.local(), ours_);
    return full ? *std::move(full) : address;
}

void Walk::add(Target target) {
    const auto same = [&](const Target& other) {
        if (target.index() != other.index()) return false;
        if (const auto* remote = std::get_if<mail::Mailbox>(&target)) return *remote == std::get<mail::Mailbox>(other);
        const auto &a = std::get<LocalBox>(target), &b = std::get<LocalBox>(other);
        return a.maildir == b.maildir && a.delivered_to == b.delivered_to;
    };
    if (std::none_of(targets_.begin(), targets_.end(), same)) targets_.push_back(std::move(target));
}

Result<bool> Walk::visit_folder(const mail::Mailbox& address, std::string_view local) {
    const std::string domain = base::file_name(mail::text(address.host())), user = base::file_name(local);
    const std::string maildir = expand(form_, domain, user);
    // A template that names the user only in its last component would make everybody exist.
    const bool told_by_folder = above(form_).find("%u") != std::string_view::npos || form_.find("%u") == std::string_view::npos;
    if (!TRY(is_directory(told_by_folder ? std::string(above(maildir)) : maildir))) return false;
    add(LocalBox{maildir, address.key()});
    return true;
}

Result<bool> Walk::visit_alias(const mail::Mailbox& address, std::string_view local, unsigned depth) {
    if (!aliases_) {
        auto bytes = sys::read_file(rules_.alias_file, alias_file_limit);
        if (!bytes && bytes.error().kind != Kind::not_found) {
            bytes.error().lasting = Lasting::temporary;
            return std::unexpected(std::move(bytes).error());
        }
        aliases_ = Aliases::parse(bytes ? std::string_view(*bytes) : std::string_view());
    }
    const Alias* alias = aliases_->find(local, mail::text(address.host()));
    if (alias == nullptr) return false;
    if (!alias->fault.empty()) return misconfigured(rules_.alias_file + ":" + std::to_string(alias->line) + ": " + alias->fault);
    bool anywhere = false;
    for (const mail::Mailbox& target : alias->targets) anywhere = TRY(visit(target, depth + 1)) || anywhere;
    return anywhere;
}

Result<bool> Walk::visit_setting(std::string_view key, const std::string& value, unsigned depth) {
    if (value.empty()) return false;
    const auto address = mail::Mailbox::parse(value, mail::Domain::Allow::utf8, mail::Mailbox::Unqualified::allowed);
    if (!address) return misconfigured(std::string(key) + " '" + base::printable(value, 80) + "': " + address.error().text);
    return visit(*address, depth + 1);
}

Result<bool> Walk::visit(const mail::Mailbox& address, unsigned depth) {
    if (!is_local(rules_, address.host())) {
        add(address);
        return true;
    }
    const mail::Mailbox full = qualified(address);
    const auto [place, first] = seen_.try_emplace(full.key(), true);
    if (!first) return place->second;
    if (depth > deepest) {
        return misconfigured(rules_.alias_file + ": aliases nest deeper than " + std::to_string(deepest) + " at '" +
                             base::printable(full.key(), 80) + "'");
    }
    return place->second = TRY(look(full, depth));
}

Result<bool> Walk::look(const mail::Mailbox& full, unsigned depth) {
    const std::size_t before = targets_.size();
    if (keeps_the_house(full)) {
        // "postmaster = postmaster" names the folder or alias of that name: the walk comes back here with nothing added.
        if (TRY(visit_setting("[mailer] postmaster", rules_.postmaster, depth)) && targets_.size() > before) return true;
    }
    for (const auto local : names_of(full)) {
        if (TRY(visit_folder(full, local))) return true;
    }
    if (rules_.alias_file.empty()) return false;
    for (const auto local : names_of(full)) {
        if (TRY(visit_alias(full, local, depth))) return true;
    }
    return false;
}

Result<std::vector<Target>> Walk::from(const mail::Mailbox& recipient) {
    if (form_.empty() || !form_.starts_with('/')) return misconfigured("[paths] mail is no absolute path");
    const std::string who = base::printable(recipient.text(), 200);
    bool found = TRY(visit(recipient, 0));
    if (!found && !rules_.catchall.empty()) {
        found = TRY(visit_setting("[mailer] catchall", rules_.catchall, 0));
        if (!found) return misconfigured("[mailer] catchall '" + base::printable(rules_.catchall, 80) + "': no such user");
    }
    if (!targets_.empty()) return std::move(targets_);
    if (keeps_the_house(recipient)) return misconfigured(who + ": [mailer] postmaster names nobody who could read it");
    if (found) return misconfigured(rules_.alias_file + ": the aliases of '" + who + "' lead in a circle");
    const std::string root = root_of(form_);
    if (!TRY(is_directory(root))) return base::fail_later(Kind::unavailable, root + ": the mail directory is not there");
    return base::fail(Kind::not_found, who + ": no such user");
}

}  // namespace

bool is_local(const Rules& rules, const mail::Host& host) {
    if (std::holds_alternative<std::monostate>(host)) return true;
    const auto* domain = std::get_if<mail::Domain>(&host);
    if (domain == nullptr) return false;
    if (const auto ours = mail::Domain::parse(rules.domain, mail::Domain::Allow::utf8); ours && *ours == *domain) return true;
    return std::any_of(rules.ours.begin(), rules.ours.end(), [&](const auto& pattern) { return pattern.matches(*domain); });
}

Result<std::vector<Target>> resolve(const Rules& rules, const mail::Mailbox& recipient) { return Walk(rules).from(recipient); }

}  // namespace greylag::mailbox
