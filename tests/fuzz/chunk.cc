// Any octets in any chunks, any split: the message is their concatenation with CRLF to LF, and each chunk takes what it was
// promised and not an octet more.
#include "smtp/chunk.hh"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

using namespace greylag::smtp;

namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

std::string decode(std::string_view octets, const std::vector<std::size_t>& sizes, std::size_t step) {
    ChunkDecoder decoder;
    std::string out;
    std::uint64_t total = 0;
    for (const std::size_t size : sizes) {
        decoder.begin(size);
        // Behind the chunk stands what belongs to somebody else.
        const std::string behind = "\nQUIT\r\n";
        std::string all = std::string(octets.substr(0, size)) + behind;
        octets.remove_prefix(size);
        total += size;
        std::size_t used = 0;
        std::string_view nothing;
        bool ended = decoder.feed(nothing, out);
        must(ended == (size == 0));
        while (!ended) {
            std::string_view piece = std::string_view(all).substr(used, step);
            const std::size_t given = piece.size();
            ended = decoder.feed(piece, out);
            used += given - piece.size();
            must(ended || piece.empty());
        }
        must(used == size && decoder.left() == 0 && decoder.octets() == total);
    }
    decoder.finish(out);
    return out;
}

}  // namespace

// The first octet is the size of the pieces, the second the number of chunks, then a size each; the rest is the message.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t step = 1 + data[0] % 31;
    const std::size_t count = data[1] % 16;
    if (size < 2 + count) return 0;
    const std::string octets(data + 2 + count, data + size);
    std::vector<std::size_t> sizes;
    std::size_t left = octets.size();
    for (std::size_t i = 0; i < count; ++i) {
        sizes.push_back(std::min<std::size_t>(data[2 + i], left));
        left -= sizes.back();
    }
    sizes.push_back(left);

    std::string wanted = octets;
    for (std::size_t at = 0; (at = wanted.find("\r\n", at)) != std::string::npos; ++at) wanted.erase(at, 1);
    must(decode(octets, {octets.size()}, octets.size() + 1) == wanted);
    must(decode(octets, sizes, octets.size() + 10) == wanted);
    must(decode(octets, sizes, step) == wanted);
    must(decode(octets, sizes, 1) == wanted);
    return 0;
}
