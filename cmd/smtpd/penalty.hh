// Who guesses passwords, over all sessions of this host: a file for each network under STATE/auth-failed, an octet for each
// login that failed. `ls -l` tells everything: the name is the network, the size the count, the time the last failure. To
// delete a file is to forgive. Knows no password: an octet of a keyed hash tells a repeated guess from a new one.
#pragma once
#include <optional>
#include <string>

#include "base/result.hh"
#include "base/time.hh"
#include "mail/ip.hh"

namespace greylag::smtpd {

class Penalty {
public:
    // More networks than this are not kept apart: who comes from so many is not held up by counting them.
    static constexpr std::size_t most_networks = 4096;

    // One IPv4 address or one IPv6 /64 is locked after `failures` (0: never), until `time` after the last of them.
    struct Limits {
        unsigned failures = 0;
        base::Millis time{0};
    };
    // Without a peer nothing is counted.
    Penalty(const std::string& state, Limits limits, const std::optional<mail::IpAddress>& peer);

    // An error is a no.
    Result<bool> locked() const;
    // `guess` is what is always the same for the same name and password, and then counts once; nothing: counts.
    Result<void> failed(std::optional<char> guess) const;

private:
    std::string directory_, name_;  // no name: nothing is counted
    Limits limits_;
};

}  // namespace greylag::smtpd
