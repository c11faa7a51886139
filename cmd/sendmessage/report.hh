// What became of the message, for people and for scripts, and as an exit status.
#pragma once
#include <expected>
#include <string>

#include "client/smtp_client.hh"

namespace greylag::submitter {

using Outcome = std::expected<smtp_client::Report, smtp_client::SendFailure>;

// Standard output: "address code text" for each recipient that was refused; under `json` an object a line, one for each
// recipient whose fate is known and a last one for the whole.
std::string result_lines(const Outcome& outcome, bool at_least_one, bool json);
// Standard error: one sentence, or what was asked for and could not be had. Complete lines, or nothing.
std::string complaint(const Outcome& outcome);
int status_of(const Outcome& outcome, bool at_least_one);

}  // namespace greylag::submitter
