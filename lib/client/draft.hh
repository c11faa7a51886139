// The options of send_message and the message, read: from whom it goes to whom, and which fields are to be supplied. Not
// installed. Refuses to know how a header is written down.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.hh"
#include "client/submission.hh"
#include "mail/header.hh"

namespace greylag::smtp_client {

inline bool is_resent(std::string_view name) { return base::istarts_with(name, "Resent-"); }

// Views what it was made of: options, identity and message outlive it.
struct Draft {
    const Options& options;
    const Identity& who;
    std::string_view from_line{}, body{};
    mail::Header header{};
    std::size_t top = 0;  // fields in front of the first Received
    bool resent = false, resent_given = false;
    mail::Path sender = mail::Path::null();
    std::string originator{};  // as it was written
    std::vector<mail::Path> open{}, blind{};
    std::string from{}, sender_field{};  // to be supplied; or empty

    // From, To ... or their Resent- kin.
    std::string named(std::string_view name) const { return (resent ? "Resent-" : "") + std::string(name); }
    // The values of that field, joined; nothing when there is none.
    std::optional<std::string> values(std::string_view plain) const;
};
Result<Draft> read_draft(const Options& options, std::string_view message, const Identity& who);

}  // namespace greylag::smtp_client
