// Copies, not casts: a sockaddr_storage is bytes until its family says what they are.
#include "sys/address.hh"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace greylag::sys {

std::optional<End> end_of(const sockaddr_storage& address) {
    if (address.ss_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &address, sizeof in);
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
        return End{mail::IpAddress::v4(bytes), ntohs(in.sin_port)};
    }
    if (address.ss_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &address, sizeof in);
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
        return End{mail::IpAddress::v6(bytes), ntohs(in.sin6_port)};
    }
    return std::nullopt;
}

socklen_t socket_address(const End& end, sockaddr_storage& address) {
    address = sockaddr_storage{};
    const auto& bytes = end.address.bytes();
    if (end.address.is_v4()) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(end.port);
        std::memcpy(&in.sin_addr, bytes.data() + 12, 4);
        std::memcpy(&address, &in, sizeof in);
        return sizeof in;
    }
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(end.port);
    std::memcpy(&in.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&address, &in, sizeof in);
    return sizeof in;
}

}  // namespace greylag::sys
