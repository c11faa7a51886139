// Blocked messages kept for the administrator (smtpd -s).
#pragma once
#include <string>

#include "base/result.hh"

namespace greylag::smtpd {

// Copies the message to a new file STATE/queue.dump/<Mon><day>/<number>, mode 0600, and returns its name.
Result<std::string> save_blocked(const std::string& state, int message);

}  // namespace greylag::smtpd
