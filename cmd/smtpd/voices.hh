// The voices that speak from files and programs of the host: each honoured only where its file is. What is there and cannot be
// read could have refused: "later", with a note in the log, until somebody looks. Which of them is asked when is the policy's to
// say.
#pragma once
#include <optional>
#include <vector>

#include "cmd/smtpd/lookup.hh"
#include "cmd/smtpd/setup.hh"
#include "policy/blocklist.hh"
#include "smtp/server.hh"
#include "sys/log.hh"

namespace greylag::smtpd {

// What every voice may look at.
struct Scene {
    const Setup& setup;
    std::optional<mail::IpAddress> peer;
    Lookup& lookup;
    sys::Log& log;
};

constexpr std::size_t policy_file_limit = 16u << 20;

void note(const Scene& scene, const std::string& said);

// voice_blocked.cc: what lies on this peer and sender, by the ratify folders and then the block list.
// An error: it is there and cannot be read; noted.
Result<std::optional<policy::Action>> listed(const Scene& scene, const mail::Path& sender);
// What of the ratify folders is there and cannot be looked into; for --check.
std::vector<std::string> closed_folders(const std::string& ratify);
// Every recipient has nospamfiltering in the folder above each Maildir that it leads to.
bool all_opted_out(const Scene& scene, const std::vector<mail::Path>& recipients);

// voice_recipient.cc: names.blocked, senders, and the program validateaddress.
mail::Verdict recipient_by_files(const Scene& scene, const mail::Path& recipient);
mail::Verdict recipient_by_program(const Scene& scene, const mail::Path& recipient, const std::string& helo);

// voice_sender.cc: the program validatesender.
mail::Verdict sender_by_program(const Scene& scene, const smtp::Envelope& envelope);

// validate.cc: runs NAME under [paths] lib, without a shell.
struct Validation {
    enum class Kind { absent, passed, rejected, deferred };
    Kind kind = Kind::absent;
    std::string said;  // its first line
};
Validation validate(const Scene& scene, const char* name, std::vector<std::string> arguments);

}  // namespace greylag::smtpd
