// What somebody types, on its way to the server. Pure: octets in, whole lines out.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace greylag::mconnect {

// Cooked: a line goes out when its end was typed, and ends in CRLF, whether LF or CRLF was typed; a last line without its end
// goes out as it is. Raw: octets go out as they come; lines are only told apart.
class ToWire {
public:
    explicit ToWire(bool raw) : raw_(raw) {}

    void typed(std::string_view octets) { waiting_ += octets; }
    void end() { ended_ = true; }  // nothing more will be typed

    struct Piece {
        std::string octets;               // for the wire
        std::optional<std::string> line;  // the whole line that these octets end, without its end
    };
    // The next piece that can go out, or nothing.
    std::optional<Piece> next();
    std::size_t waiting() const { return waiting_.size(); }
    // Everything that was typed has gone out.
    bool done() const { return ended_ && waiting_.empty(); }

private:
    bool raw_, ended_ = false;
    std::string waiting_;
    std::string begun_;  // raw: what has gone out of the line that is not over
};

// Both sides of a dialogue as lines of a transcript: "C: " before ours, "S: " before theirs. Line ends become LF; other controls
// are kept as they are.
class Transcript {
public:
    enum class Side : unsigned char { ours, theirs };
    std::string add(Side side, std::string_view octets);
    std::string finish();  // ends a line that was not ended

private:
    bool open_ = false;
    Side last_ = Side::ours;
};

}  // namespace greylag::mconnect
