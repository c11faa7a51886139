// The hot path of a message: whole runs are found with memchr and copied with memcpy; single octets are looked at only
// around dots and where a piece ends inside a line end.
#include "smtp/dot.hh"

#include <cstring>

namespace greylag::smtp {

namespace {
// What can still be owed from the piece before: the CR of At::cr or At::dot_cr.
constexpr std::size_t carry = 1;

bool holds(const char* from, const char* end, char c) {
    return from != end && std::memchr(from, c, static_cast<std::size_t>(end - from)) != nullptr;
}
}  // namespace

bool DotDecoder::feed(std::string_view& input, std::string& out) {
    const char* from = input.data();
    const char* const end = from + input.size();
    const std::size_t before = out.size();
    bool ended = false;
    out.resize_and_overwrite(before + input.size() + carry, [&](char* data, std::size_t) {
        char* to = data + before;
        ended = decode(from, end, to);
        return static_cast<std::size_t>(to - data);
    });
    if (holds(input.data(), from, '\0')) faults_.nul = true;
    input.remove_prefix(static_cast<std::size_t>(from - input.data()));
    return ended;
}

bool DotDecoder::decode(const char*& from, const char* end, char*& to) {
    while (from != end) {
        switch (at_) {
            case At::line_start:
                at_ = *from == '.' ? At::dot : At::text;
                if (at_ == At::dot) ++from;
                break;
            case At::dot:
                at_ = *from == '\r' ? At::dot_cr : At::text;
                if (at_ == At::dot_cr) ++from;
                break;
            case At::text: take_run(from, end, to); break;
            case At::dot_cr:
            case At::cr:
                if (*from == '\n') {
                    ++from;
                    if (at_ == At::dot_cr) {
                        at_ = At::line_start;
                        return true;
                    }
                    end_line(to, At::line_start);
                } else {
                    faults_.bare_cr = true;
                    *to++ = '\r';
                    count(1);
                    at_ = At::text;
                }
                break;
        }
    }
    return false;
}

// Up to the next LF or the end of the piece. One pass for LF and one for CR, whatever stands in between: a run of bare CR
// must not cost more than text.
void DotDecoder::take_run(const char*& from, const char* end, char*& to) {
    const auto* lf = static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end - from)));
    const char* stop = lf != nullptr ? lf : end;
    const bool cr = stop != from && stop[-1] == '\r';
    const char* text_end = cr ? stop - 1 : stop;
    const auto octets = static_cast<std::size_t>(text_end - from);
    if (holds(from, text_end, '\r')) faults_.bare_cr = true;
    std::memcpy(to, from, octets);
    to += octets;
    count(octets);
    from = stop;
    if (lf == nullptr) {
        if (cr) at_ = At::cr;
        return;
    }
    ++from;
    if (!cr && limits_.bare_lf == BareLf::fault) faults_.bare_lf = true;
    // Behind a bare LF no line starts: a dot there is text (SMTP smuggling).
    end_line(to, cr ? At::line_start : At::text);
}

void DotDecoder::count(std::size_t octets) {
    octets_ += octets;
    line_ += octets;
    if (line_ + 2 > limits_.line) faults_.long_line = true;
}

void DotDecoder::end_line(char*& to, At next) {
    *to++ = '\n';
    octets_ += 2;
    line_ = 0;
    at_ = next;
}

void DotEncoder::feed(std::string_view text, std::string& out) {
    while (!text.empty()) {
        const std::size_t lf = text.find('\n');
        put(text.substr(0, lf), out);
        if (lf == std::string_view::npos) return;
        if (!cr_) out += "\r\n";
        line_start_ = true;
        cr_ = false;
        text.remove_prefix(lf + 1);
    }
}

void DotEncoder::put(std::string_view run, std::string& out) {
    while (!run.empty()) {
        const std::size_t cr = run.find('\r');
        const std::string_view text = run.substr(0, cr);
        if (!text.empty()) {
            if (line_start_ && text.front() == '.') out += '.';
            out += text;
            line_start_ = false;
        }
        cr_ = cr != std::string_view::npos;
        if (!cr_) return;
        out += "\r\n";
        line_start_ = true;
        run.remove_prefix(cr + 1);
    }
}

void DotEncoder::finish(std::string& out) {
    if (!line_start_) out += "\r\n";
    out += ".\r\n";
    *this = {};
}

}  // namespace greylag::smtp
