// Bytes into lines, the one place where a command line ends (RFC 5321 2.3.8): CRLF and nothing else.
//
// A bare LF is answered, so that a careless client is not left waiting, but nothing behind it is believed before the next
// CRLF: every LF up to and with that CRLF ends a bare_lf fault, none of them a line. The lines are the same whatever pieces
// the octets come in. DotDecoder has the same rule for the body of DATA.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace greylag::smtp {

enum class LineFault : std::uint8_t { none, too_long, bare_lf, bare_cr, nul };

struct InputLine {
    std::string_view text;  // without CRLF; valid until the next call of next() and while its input is. Empty with a fault.
    LineFault fault = LineFault::none;
};

class LineReader {
public:
    // A line of more than `limit` octets, CRLF included, is thrown away as it arrives and reported once, at its end.
    explicit LineReader(std::size_t limit) : limit_(limit) {}
    void set_limit(std::size_t limit) { limit_ = limit; }

    // Takes octets from the front of `input`. True: `line` is the next line. False: `input` is used up and its last line is
    // not complete yet.
    bool next(std::string_view& input, InputLine& line);

    // Overwrites what next() kept of the last line: it may have been a password.
    void forget();

    // With `input` behind what was taken, the next line begins with `head`: at once, without waiting for its end.
    bool begins_with(std::string_view head, std::string_view input) const;

    // Octets behind the last line's end have come.
    bool mid_line() const { return octets_ != 0; }

private:
    void keep(std::string_view piece);
    void append(std::string_view piece);

    std::size_t limit_;
    std::string partial_;       // an incomplete line, never more than limit_ octets
    std::string held_;          // what InputLine::text points to when the line came in pieces
    std::uint64_t octets_ = 0;  // of the incomplete line, kept or thrown away
    bool dropping_ = false;     // inside a line that is too long
    bool tainted_ = false;      // behind a bare LF
    bool cr_ = false;           // the last octet was CR
};

}  // namespace greylag::smtp
