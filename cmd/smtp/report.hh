// What became of each recipient, for people, for programs (-R) and as an exit status.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "smtp/client.hh"

namespace greylag::sender {

// sysexits(3) of one recipient.
int status_of(const smtp::Outcome& outcome);
// Of all: 0, 75 when anybody has to wait, else the worst.
int verdict(const std::vector<smtp::Outcome>& outcomes);

// "d|l|n ADDRESS CODE TEXT" and a line end; the address as it was given, so that whoever reads it finds it again. It holds no
// control character.
std::string report_line(std::string_view address, const smtp::Outcome& outcome);
// "ADDRESS: CODE TEXT" and a line end; empty for who has the message.
std::string failure_line(std::string_view address, const smtp::Outcome& outcome);
// The last line of standard error: "Retry, Temporary Failure", "Permanent Failure", or nothing.
std::string_view last_word(int status);

}  // namespace greylag::sender
