// IP addresses and networks as values (RFC 4291, RFC 5952 text form). A v4-mapped IPv6 address is its IPv4 address.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace greylag::mail {

class IpAddress {
public:
    enum class Family : std::uint8_t { v4, v6 };

    IpAddress() = default;  // 0.0.0.0
    static IpAddress v4(std::array<std::uint8_t, 4> bytes);
    static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);  // unmaps ::ffff:0:0/96

    // "192.0.2.1" (four decimal octets, no leading zero) or an IPv6 address; no zone, no brackets, no port.
    static Result<IpAddress> parse(std::string_view text);
    // The inside of an SMTP address literal (RFC 5321 4.1.3) with its brackets: "[192.0.2.1]", "[IPv6:2001:db8::1]".
    static Result<IpAddress> parse_literal(std::string_view text);

    Family family() const { return family_; }
    bool is_v4() const { return family_ == Family::v4; }
    int bits() const { return is_v4() ? 32 : 128; }
    // Network order; an IPv4 address is in its v4-mapped place (bytes 12-15).
    const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
    bool is_loopback() const;  // 127.0.0.0/8, ::1

    std::string text() const;     // RFC 5952: "192.0.2.1", "2001:db8::1"
    std::string literal() const;  // "[192.0.2.1]", "[IPv6:2001:db8::1]"

    auto operator<=>(const IpAddress&) const = default;

private:
    friend class Cidr;  // the last address of a network may lie in ::ffff:0:0/96 and is of the network's family still
    static Result<IpAddress> parse_v6(std::string_view text);
    Family family_ = Family::v4;
    std::array<std::uint8_t, 16> bytes_{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
};

// A network. Host bits are cleared at construction, so 192.0.2.77/24 is 192.0.2.0/24.
class Cidr {
public:
    Cidr(IpAddress address, int bits);  // bits: 0..address.bits(); out of range is clamped

    // "address", "address/bits", or one to three IPv4 octets ("192.0.2" = /24, "10" = /8; a trailing dot is allowed).
    static Result<Cidr> parse(std::string_view text);

    const IpAddress& address() const { return address_; }
    int bits() const { return bits_; }
    bool contains(const IpAddress& address) const;  // false across families
    IpAddress last() const;                         // the highest address inside
    std::string text() const;                       // "192.0.2.0/24"; a single host without "/32", "/128"

    auto operator<=>(const Cidr&) const = default;

private:
    IpAddress address_;
    int bits_;
};

}  // namespace greylag::mail
