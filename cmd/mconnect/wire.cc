#include "cmd/mconnect/wire.hh"

#include <utility>

namespace greylag::mconnect {

std::optional<ToWire::Piece> ToWire::next() {
    const std::size_t end = waiting_.find('\n');
    const bool whole = end != std::string::npos;
    if (waiting_.empty() || (!whole && !raw_ && !ended_)) return std::nullopt;
    std::string taken = waiting_.substr(0, whole ? end + 1 : waiting_.size());
    waiting_.erase(0, taken.size());

    Piece piece{taken, std::nullopt};
    if (!whole) {
        if (raw_) begun_ += taken;
        return piece;
    }
    taken.pop_back();
    if (taken.ends_with('\r')) taken.pop_back();
    if (!raw_) piece.octets = taken + "\r\n";
    std::string line = std::exchange(begun_, {}) + taken;
    if (line.ends_with('\r')) line.pop_back();
    piece.line = std::move(line);
    return piece;
}

std::string Transcript::add(Side side, std::string_view octets) {
    std::string out;
    for (const char c : octets) {
        if (open_ && last_ != side) out += finish();
        if (!open_) {
            out += side == Side::ours ? "C: " : "S: ";
            open_ = true;
            last_ = side;
        }
        if (c == '\r') continue;
        out += c;
        open_ = c != '\n';
    }
    return out;
}

std::string Transcript::finish() { return std::exchange(open_, false) ? "\n" : ""; }

}  // namespace greylag::mconnect
