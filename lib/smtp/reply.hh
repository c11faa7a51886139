// A reply as a value (RFC 5321 4.2, RFC 2034).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace greylag::smtp {

struct Reply {
    std::uint16_t code = 0;
    std::string enhanced;            // "5.5.1", or empty for greeting, HELO, EHLO and 3yz
    std::vector<std::string> lines;  // at least one; printable text (or UTF-8 that was checked)

    bool ok() const { return code >= 200 && code < 400; }
};

// "250-2.0.0 first\r\n250 2.0.0 last\r\n". A line is cut at 512 octets in all (RFC 5321 4.5.3.1.5); bytes that are not
// printable are escaped.
std::string wire(const Reply& reply);

}  // namespace greylag::smtp
