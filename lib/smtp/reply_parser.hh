// A server's octets into replies (RFC 5321 4.2, 4.2.1), for every client of the house.
//
// Strict where a wrong reading could lose or invent an answer: three digits of a class that ends a command, the same code on
// every line, and a bounded length. Tolerant where servers are: a bare code, and LF as a line's end.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "smtp/reply.hh"

namespace greylag::smtp {

class ReplyParser {
public:
    static constexpr std::size_t most_lines = 64;
    static constexpr std::size_t most_octets = 8192;  // of one reply, with its line ends

    enum class Got : std::uint8_t { more, reply, fault };

    // Takes octets from the front of `input` up to and with the end of one reply. `more`: `input` is used up. A fault is for
    // ever: where the next reply would begin is not known any more.
    //
    // An enhanced code (RFC 2034) of the reply's class that every line begins with goes to Reply::enhanced; what is left of
    // the lines is the server's own text, not yet escaped, and may hold any octet but LF. What `reply` held is used again: who
    // passes the same one each time pays for no memory.
    Got next(std::string_view& input, Reply& reply);

    // Octets of a reply have come, its end has not.
    bool mid_reply() const { return octets_ != 0; }
    // What was wrong, a sentence with the offending line escaped.
    const std::string& fault() const { return fault_; }

private:
    bool take(std::string_view line, bool& last);
    bool wrong(std::string_view what, std::string_view line);

    std::string partial_;  // an incomplete line
    Reply reply_;
    std::size_t lines_ = 0;  // of reply_.lines, as far as they are this reply's
    std::size_t octets_ = 0;
    std::string fault_;
};

}  // namespace greylag::smtp
