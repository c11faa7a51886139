// Refuses to know what a line means: faults are found by octets alone.
#include "smtp/line_reader.hh"

#include <algorithm>

#include "base/wipe.hh"

namespace greylag::smtp {

bool LineReader::next(std::string_view& input, InputLine& line) {
    const std::size_t lf = input.find('\n');
    const std::string_view piece = input.substr(0, lf);
    if (lf == std::string_view::npos) {
        keep(piece);
        input = {};
        return false;
    }
    input.remove_prefix(lf + 1);
    const bool crlf = piece.empty() ? cr_ : piece.back() == '\r';
    line = {};
    if (!crlf || tainted_) {
        line.fault = LineFault::bare_lf;
        tainted_ = !crlf;
    } else if (dropping_ || octets_ + piece.size() + 1 > limit_) {
        line.fault = LineFault::too_long;
    } else {
        line.text = piece;
        if (octets_ != 0) {
            append(piece);
            held_.swap(partial_);
            line.text = held_;
        }
        line.text.remove_suffix(1);
        if (line.text.find('\0') != std::string_view::npos) line = {{}, LineFault::nul};
        if (line.text.find('\r') != std::string_view::npos) line = {{}, LineFault::bare_cr};
    }
    partial_.clear();
    octets_ = 0;
    dropping_ = cr_ = false;
    return true;
}

bool LineReader::begins_with(std::string_view head, std::string_view input) const {
    if (tainted_ || dropping_ || octets_ >= head.size() || !head.starts_with(partial_)) return false;
    return input.starts_with(head.substr(partial_.size()));
}

void LineReader::keep(std::string_view piece) {
    if (piece.empty()) return;
    octets_ += piece.size();
    cr_ = piece.back() == '\r';
    if (octets_ >= limit_) dropping_ = true;  // its LF is still to come
    if (dropping_ || tainted_) {
        base::wipe(partial_);
    } else {
        append(piece);
    }
}

// A string that grows by itself leaves what it held in the memory it gives back.
void LineReader::append(std::string_view piece) {
    if (partial_.size() + piece.size() > partial_.capacity()) {
        std::string larger;
        larger.reserve(std::max<std::size_t>(2 * partial_.capacity() + piece.size(), 512));
        larger += partial_;
        base::wipe(partial_);
        partial_ = std::move(larger);
    }
    partial_ += piece;
}

void LineReader::forget() {
    if (held_.empty()) return;
    base::wipe(held_);
}

}  // namespace greylag::smtp
