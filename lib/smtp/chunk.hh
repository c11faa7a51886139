// The octets of one BDAT chunk (RFC 3030): counted exactly, CRLF to LF, everything else kept as it is.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace greylag::smtp {

// One decoder serves all chunks of a message: a CRLF may stand across the border of two.
class ChunkDecoder {
public:
    void begin(std::uint64_t octets) { left_ = octets; }
    // Takes at most the chunk's octets from the front of `input` and appends the decoded ones to `out`. True: the chunk is
    // complete.
    bool feed(std::string_view& input, std::string& out);
    // Behind the last chunk: a CR that waited for its LF.
    void finish(std::string& out);

    std::uint64_t left() const { return left_; }      // of the chunk in hand
    std::uint64_t octets() const { return octets_; }  // of all chunks

private:
    std::uint64_t left_ = 0;
    std::uint64_t octets_ = 0;
    bool cr_ = false;
};

}  // namespace greylag::smtp
