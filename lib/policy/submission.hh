// What a message of our own people must have and does not: Date, Message-ID and From (RFC 6409 8.1-8.3, RFC 5322 3.6). Mail of
// strangers is passed on as it is. Pure: time and name come in as values.
#pragma once
#include <string>
#include <string_view>

#include "base/time.hh"
#include "mail/path.hh"

namespace greylag::policy {

struct Submission {
    const mail::Path& sender;  // of the envelope; the null sender is our postmaster
    std::string_view domain;   // ours
    std::string_view id;       // of this message, and of no other
    base::WallTime now;
};

// Header lines with LF ends, or nothing. `header` is the message's beginning; `whole`: there is no more of the header than that.
// Of a header that is longer nobody knows what it lacks, and nothing is added.
std::string missing_fields(std::string_view header, bool whole, const Submission& submission);

}  // namespace greylag::policy
