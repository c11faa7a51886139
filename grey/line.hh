// A line of the whitelist (grey/README.md): "address[/bits] free text # comment". Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hh"
#include "mail/ip.hh"

namespace greylag::grey {

struct Line {
    enum class What : std::uint8_t { nothing, network, unreadable };
    What what = What::nothing;
    std::optional<mail::Cidr> network;  // What::network
};
// `text` without its line end. An address without bits is that one address; a network must say its bits, and octets alone
// ("10 things") are no network.
Line read_line(std::string_view text);
// Why it is unreadable, for people.
std::string complaint(std::string_view text);

// "192.0.2.0/24 # 2026-11-22T02:51:37Z greylist passed\n": what smtpd appends and only expire takes out again.
std::string own_line(const mail::Cidr& network, std::int64_t seconds);
// "192.0.2.1 # 2026-11-22T02:51:37Z allowed\n": an administrator's; it stays until somebody removes it.
std::string allowed_line(const mail::Cidr& network, std::int64_t seconds);
// The moment of a line that ends in our own mark, in seconds since 1970.
std::optional<std::int64_t> own_mark(std::string_view text);

std::string timestamp(std::int64_t seconds);  // "2026-11-22T02:51:37Z"

}  // namespace greylag::grey
