// The body of DATA (RFC 5321 4.5.2): dots unstuffed, CRLF to LF, the end found. Only CRLF.CRLF ends it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace greylag::smtp {

// What was wrong with a body; all of it is read to its real end first.
struct BodyFaults {
    bool bare_lf = false;
    bool bare_cr = false;
    bool nul = false;
    bool long_line = false;  // a text line over the limit
    bool any() const { return bare_lf || bare_cr || nul || long_line; }
};

class DotDecoder {
public:
    enum class BareLf : std::uint8_t { fault, normalize };  // normalize: counts as a line end inside the body, never as its end
    struct Limits {
        std::size_t line = 1 << 20;  // octets of one text line, its CRLF included and a stuffed dot not (RFC 5321 4.5.3.1.6)
        BareLf bare_lf = BareLf::fault;
    };
    explicit DotDecoder(Limits limits) : limits_(limits) {}

    // Takes octets from the front of `input` and appends the decoded ones to `out`. True: the end was reached, what is left
    // in `input` comes behind it. False: `input` is used up.
    bool feed(std::string_view& input, std::string& out);

    const BodyFaults& faults() const { return faults_; }
    std::uint64_t octets() const { return octets_; }  // as SIZE counts (RFC 1870): CRLF two, stuffed dots and the end not

private:
    enum class At : std::uint8_t { line_start, dot, dot_cr, text, cr };
    bool decode(const char*& from, const char* end, char*& to);
    void take_run(const char*& from, const char* end, char*& to);
    void count(std::size_t octets);
    void end_line(char*& to, At next);

    Limits limits_;
    BodyFaults faults_;
    std::uint64_t octets_ = 0;
    std::size_t line_ = 0;
    At at_ = At::line_start;
};

// The other direction, for senders: LF or CRLF lines to CRLF, dots stuffed. Stateful over pieces; finish() completes the last
// line and appends the final dot. A CR alone is written as a line end, too: it never reaches the wire bare.
class DotEncoder {
public:
    void feed(std::string_view text, std::string& out);
    void finish(std::string& out);

private:
    void put(std::string_view run, std::string& out);

    bool line_start_ = true;
    bool cr_ = false;  // a CR was written as a line end: an LF that follows belongs to it
};

}  // namespace greylag::smtp
