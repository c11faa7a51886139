#include "smtp/typed.hh"

#include <algorithm>
#include <utility>

#include "base/ascii.hh"

namespace greylag::smtp {

namespace {

constexpr std::size_t enough = 5;  // code, what stands behind it, and that the line is not over

// "250 ok", "250" or nothing of the kind.
int last_line_code(std::string_view line) {
    if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, base::is_digit)) return 0;
    if (line.size() > 3 && line[3] != ' ' && line[3] != '\r') return 0;
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

}  // namespace

void Typed::ours(std::string_view line) {
    if (in_body_) {
        if (line != ".") return;
        in_body_ = false;
        asked_.push_back(Asked::plain);
        return;
    }
    const auto word = base::trim(line);
    if (base::iequals(word, "STARTTLS"))
        asked_.push_back(Asked::tls);
    else if (base::iequals(word, "DATA"))
        asked_.push_back(Asked::data);
    else
        asked_.push_back(Asked::plain);
}

std::size_t Typed::theirs(std::string_view octets) {
    for (std::size_t i = 0; i < octets.size(); ++i) {
        if (octets[i] != '\n') {
            if (line_.size() < enough) line_ += octets[i];
            continue;
        }
        const int code = last_line_code(line_);
        line_.clear();
        if (code != 0) reply(code);
        if (tls_) return i + 1;
    }
    return octets.size();
}

void Typed::reply(int code) {
    last_code_ = code;
    // The first word of a server answers nothing.
    if (!std::exchange(greeted_, true) || asked_.empty()) return;
    const Asked asked = asked_.front();
    asked_.pop_front();
    in_body_ = asked == Asked::data && code == 354;
    tls_ = asked == Asked::tls && code == 220;
}

bool Typed::tls_now() { return std::exchange(tls_, false); }

}  // namespace greylag::smtp
