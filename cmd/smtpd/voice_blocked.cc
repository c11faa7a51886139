// The lists: block list and ratify folders, and the recipients who want none of it.
#include <algorithm>

#include "base/escape.hh"
#include "cmd/smtpd/voices.hh"
#include "sys/file.hh"
#include "sys/folder.hh"

namespace greylag::smtpd {

namespace {

using policy::Action;

// allow first: it is the way to let one through whom something else would stop.
constexpr std::pair<const char*, Action> ratified[] = {
    {"allow", Action::allow}, {"block", Action::block}, {"deny", Action::deny}, {"dial", Action::dial}, {"delay", Action::delay}};

Result<std::optional<Action>> by_folders(const Scene& scene, const mail::Path& sender) {
    const auto& root = scene.setup.settings.paths.ratify;
    if (root.empty()) return std::nullopt;
    const auto folder = TRY(sys::Folder::open(root));
    for (const auto& [name, action] : ratified) {
        if (scene.peer && TRY(folder.holds({name, "ip"}, base::file_name(scene.peer->text())))) return action;
        if (!sender.is_null() && TRY(folder.holds({name, "account"}, base::file_name(sender.text())))) return action;
    }
    return std::nullopt;
}

Result<std::optional<Action>> by_list(const Scene& scene, const mail::Path& sender) {
    const auto& file = scene.setup.settings.smtpd.blocked;
    if (file.empty()) return std::nullopt;
    const auto list = policy::BlockList::parse(TRY(sys::read_file(file, policy_file_limit)));
    if (!list.faults().empty()) {
        const auto& first = list.faults().front();
        const std::size_t more = list.faults().size() - 1;
        note(scene, file + ":" + std::to_string(first.line) + ": " + first.what +
                        (more > 0 ? "; skipped, and " + std::to_string(more) + " more" : "; skipped"));
    }
    return list.find(scene.peer, sender);
}

bool opted_out(const mailbox::Target& target) {
    const auto* box = std::get_if<mailbox::LocalBox>(&target);
    if (box == nullptr) return false;
    const std::string above = box->maildir.substr(0, box->maildir.rfind('/'));
    const auto status = sys::status(sys::join(above, "nospamfiltering"));
    return status && status->regular;
}

}  // namespace

Result<std::optional<Action>> listed(const Scene& scene, const mail::Path& sender) {
    for (const auto voice : {by_folders, by_list}) {
        auto action = voice(scene, sender);
        if (!action) note(scene, action.error().text);
        if (action ? action->has_value() : action.error().kind != Kind::not_found) return action;
    }
    return std::nullopt;
}

std::vector<std::string> closed_folders(const std::string& ratify) {
    std::vector<std::string> said;
    const auto folder = sys::Folder::open(ratify);
    if (!folder) return {folder.error().text};
    const auto look = [&](std::initializer_list<const char*> folders) {
        if (const auto there = folder->holds(folders, "*"); !there) said.push_back(there.error().text);
    };
    for (const auto& [name, action] : ratified) {
        look({name, "ip"});
        look({name, "account"});
    }
    look({"trusted"});
    return said;
}

bool all_opted_out(const Scene& scene, const std::vector<mail::Path>& recipients) {
    return std::all_of(recipients.begin(), recipients.end(), [&](const mail::Path& recipient) {
        const auto targets = mailbox::resolve(scene.setup.users, recipient.mailbox());
        return targets && std::all_of(targets->begin(), targets->end(), opted_out);
    });
}

}  // namespace greylag::smtpd
