// Which hosts may take a domain's mail, and in which order (RFC 5321 5.1, RFC 7505, RFC 8305 4). Pure: answers of DNS and a
// seed in, candidates out.
//
// What is refused: null MX, ourselves and whatever is no better than we are, addresses that would lead back to this machine.
#pragma once
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "dns/records.hh"
#include "mail/ip.hh"
#include "smtp/client.hh"

namespace greylag::client {

constexpr std::size_t most_exchangers = 16;

struct Exchanger {
    std::string host;
    std::uint16_t preference = 0;
    bool operator==(const Exchanger&) const = default;
};

struct Self {
    std::vector<std::string> names;  // case-blind
    std::vector<mail::IpAddress> addresses;
};

template <class T>
using Routed = std::expected<T, smtp::Outcome>;  // the outcome of every recipient

// By preference, equals in the order that `seed` gives, one entry a host, `most_exchangers` at most; without `busted`. No MX is
// the domain itself. Outcome::Cause::no_host: neither name nor mail server is there (a gateway may help).
Routed<std::vector<Exchanger>> order_exchangers(std::string_view domain, const Result<dns::Answer<dns::Mx>>& answer,
                                                std::span<const std::string> busted, const Self& self, std::uint64_t seed);

struct Stop {
    Exchanger exchanger;
    std::vector<mail::IpAddress> addresses;  // never empty; the families take turns, IPv6 first
    bool operator==(const Stop&) const = default;
};

using AddressAnswer = Result<dns::Answer<mail::IpAddress>>;

// `answers` has an answer for each of `exchangers`.
Routed<std::vector<Stop>> choose_stops(std::string_view domain, std::span<const Exchanger> exchangers,
                                       std::span<const AddressAnswer> answers, const Self& self);

// The families take turns; within a family the order stays.
std::vector<mail::IpAddress> interleave(std::span<const mail::IpAddress> addresses);

// Nobody else is there: loopback, unspecified, multicast, broadcast.
bool leads_nowhere(const mail::IpAddress& address);

}  // namespace greylag::client
