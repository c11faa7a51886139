#include "smtp/chunk.hh"

#include <algorithm>
#include <utility>

namespace greylag::smtp {

bool ChunkDecoder::feed(std::string_view& input, std::string& out) {
    std::string_view piece = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
    input.remove_prefix(piece.size());
    left_ -= piece.size();
    octets_ += piece.size();
    if (cr_ && !piece.empty()) {
        if (piece.front() != '\n') out += '\r';
        cr_ = false;
    }
    while (!piece.empty()) {
        const std::size_t cr = piece.find('\r');
        out += piece.substr(0, cr);
        if (cr == std::string_view::npos) break;
        piece.remove_prefix(cr + 1);
        if (piece.empty())
            cr_ = true;
        else if (piece.front() != '\n')
            out += '\r';
    }
    return left_ == 0;
}

void ChunkDecoder::finish(std::string& out) {
    if (std::exchange(cr_, false)) out += '\r';
}

}  // namespace greylag::smtp
