// Mail for other hosts: one run of smtp(8) a domain, and what it says about each recipient (its -R).
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/send/outcome.hh"
#include "mail/path.hh"
#include "sys/child.hh"
#include "sys/clock.hh"

namespace greylag::send {

struct Courier {
    std::string program;                   // smtp, absolute; empty: there is none
    std::vector<std::string> environment;  // NAME=value
    bool believed_only = false;            // TLS with a certificate that is believed; else with any
};

// smtp beside the running program (when `argv0` has a slash), under `libexec`, or along `path`; empty when it is nowhere.
std::string find_smtp(std::string_view argv0, const std::string& libexec, std::string_view path);

// Lines "d|l|n ADDRESS CODE TEXT" for `addresses`; an address without a line is judged by how the program ended, in doubt later.
std::vector<Outcome> read_report(std::string_view lines, std::span<const std::string> addresses, const sys::Ending& ending,
                                 std::string_view complaint);

// One outcome an address; all of them have the host `host`. The message is `fd` from `start` on.
std::vector<Outcome> send_remote(const Courier& courier, const mail::Host& host, const mail::Path& sender,
                                 std::span<const std::string> addresses, int fd, std::uint64_t start, sys::Deadline deadline);

}  // namespace greylag::send
