// Any octets, any split: the lines are the same, and each is what a plain search for CRLF finds.
#include "smtp/line_reader.hh"

#include <cstdlib>
#include <string>
#include <vector>

using namespace greylag::smtp;

namespace {

struct Seen {
    std::string text;
    LineFault fault;
    bool operator==(const Seen&) const = default;
};
constexpr std::size_t limit = 64;

void must(bool holds) {
    if (!holds) std::abort();
}

std::vector<Seen> read(std::string_view octets, std::size_t step) {
    LineReader reader(limit);
    std::vector<Seen> out;
    while (!octets.empty()) {
        std::string_view piece = octets.substr(0, step);
        octets.remove_prefix(piece.size());
        InputLine line;
        while (reader.next(piece, line)) out.push_back({std::string(line.text), line.fault});
        must(piece.empty());
    }
    return out;
}

// The same rule told backwards: the text between two CRLF is one line, unless there is an LF in it; then every LF is a fault.
std::vector<Seen> naive(std::string_view octets) {
    std::vector<Seen> out;
    for (;;) {
        const std::size_t end = octets.find("\r\n");
        const std::string_view text = octets.substr(0, end);
        std::size_t bare = 0;
        for (const char c : text) bare += c == '\n';
        if (bare != 0) {
            for (std::size_t i = end == std::string_view::npos; i <= bare; ++i) out.push_back({"", LineFault::bare_lf});
        } else if (end != std::string_view::npos) {
            LineFault fault = LineFault::none;
            if (text.find('\r') != std::string_view::npos) fault = LineFault::bare_cr;
            if (text.find('\0') != std::string_view::npos) fault = LineFault::nul;
            if (text.size() + 2 > limit) fault = LineFault::too_long;
            out.push_back({fault == LineFault::none ? std::string(text) : "", fault});
        }
        if (end == std::string_view::npos) return out;
        octets.remove_prefix(end + 2);
    }
}

}  // namespace

// The first octet chooses the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string octets(data + 1, data + size);
    const std::vector<Seen> wanted = naive(octets);
    must(read(octets, octets.size() + 1) == wanted);
    must(read(octets, 1) == wanted);
    must(read(octets, 1 + data[0] % 31) == wanted);
    return 0;
}
