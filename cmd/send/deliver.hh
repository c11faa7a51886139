// One message to all its recipients: looked up, written, sent on, and committed in an order that makes a second try harmless.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "cmd/send/message.hh"
#include "cmd/send/outcome.hh"
#include "cmd/send/remote.hh"
#include "config/settings.hh"

namespace greylag::send {

struct Job {
    const mailbox::Rules& rules;
    const Courier& courier;
    bool refuse_remote = false;
    std::string spool;  // directory
    sys::Deadline deadline;
};

// Everything that may fail comes first: lookups, then every local copy written and made safe, then other hosts. As soon as
// one recipient has to wait, nothing local is committed: the whole message comes again. Local copies are committed last.
std::vector<Delivery> deliver(const Job& job, const Message& message, std::span<const std::string_view> recipients);

}  // namespace greylag::send
