// Several addresses of one host dialled so that a dead one costs little (RFC 8305).
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "mail/ip.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"
#include "sys/peer.hh"

namespace greylag::sys {

struct Dialled {
    Fd fd;  // as of sys/dial
    std::size_t which = 0;
};

struct DialWish {
    std::optional<mail::IpAddress> source;  // ends of its family only can be reached from it
    // Told of each end when it is begun, with an empty reason, and with the reason when it failed.
    std::function<void(const End& end, std::string_view reason)> watch;
};

// The first of `ends` that answers. They are begun in order; the next one as soon as one failed, or when `patience` went by
// without an answer, while the earlier ones may still win (RFC 8305): a family that is dead costs `patience` and no more.
// `failed` becomes one flag an end: it was tried and said no. The error is always temporary and names each end that failed.
Result<Dialled> dial_first(std::span<const End> ends, base::Millis patience, Deadline deadline, std::vector<bool>& failed,
                           const DialWish& wish = {});

// The addresses of this machine's interfaces.
Result<std::vector<mail::IpAddress>> own_addresses();

// Text of an end: "192.0.2.1:25", "[2001:db8::1]:25".
std::string text(const End& end);

}  // namespace greylag::sys
