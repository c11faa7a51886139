// Any octets, any split: the body ends where a plain search finds CRLF.CRLF, and everything else is the same, too. What is
// clean decodes as a plain replacement says, and what the encoder makes of the result decodes to it again.
#include "smtp/dot.hh"

#include <cstdlib>
#include <string>

using namespace greylag::smtp;

namespace {

struct Seen {
    std::string text;
    std::size_t used = 0;
    bool ended = false;
    bool lf = false, cr = false, nul = false, line = false;
    std::uint64_t octets = 0;
    bool operator==(const Seen&) const = default;
};

void must(bool holds) {
    if (!holds) std::abort();
}

Seen decode(const std::string& octets, std::size_t step, DotDecoder::Limits limits) {
    DotDecoder decoder(limits);
    Seen out;
    while (!out.ended && out.used < octets.size()) {
        std::string_view piece = std::string_view(octets).substr(out.used, step);
        const std::size_t given = piece.size();
        out.ended = decoder.feed(piece, out.text);
        out.used += given - piece.size();
        must(out.ended || piece.empty());
    }
    const BodyFaults& faults = decoder.faults();
    out.lf = faults.bare_lf;
    out.cr = faults.bare_cr;
    out.nul = faults.nul;
    out.line = faults.long_line;
    out.octets = decoder.octets();
    return out;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
}

bool has_bare(const std::string& body, char bare) {
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] != bare) continue;
        const bool paired = bare == '\n' ? i > 0 && body[i - 1] == '\r' : i + 1 < body.size() && body[i + 1] == '\n';
        if (!paired) return true;
    }
    return false;
}

void check_ended(const std::string& octets, const Seen& seen, bool normalize) {
    std::string body = octets.substr(0, seen.used - 3);
    must(seen.lf == (!normalize && has_bare(body, '\n')));
    must(seen.cr == has_bare(body, '\r'));
    must(seen.nul == (body.find('\0') != std::string::npos));
    if (seen.lf || seen.cr || (normalize && has_bare(body, '\n'))) return;

    body.insert(0, "\r\n");
    replace_all(body, "\r\n.", "\r\n");
    replace_all(body, "\r\n", "\n");
    must(body.substr(1) == seen.text);

    DotEncoder encoder;
    std::string wire;
    encoder.feed(seen.text, wire);
    encoder.finish(wire);
    const Seen again = decode(wire, wire.size(), {});
    must(again.ended && again.used == wire.size() && again.text == seen.text && again.octets == seen.octets);
}

}  // namespace

// The first octet chooses the size of the pieces and what a bare LF is.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string octets(data + 1, data + size);
    const bool normalize = data[0] >= 128;
    const DotDecoder::Limits limits{32, normalize ? DotDecoder::BareLf::normalize : DotDecoder::BareLf::fault};
    const Seen whole = decode(octets, octets.size() + 1, limits);
    must(decode(octets, 1, limits) == whole);
    must(decode(octets, 1 + data[0] % 31, limits) == whole);

    const std::size_t end = ("\r\n" + octets).find("\r\n.\r\n");
    must(whole.ended == (end != std::string::npos));
    must(whole.used == (whole.ended ? end + 3 : octets.size()));
    if (whole.ended) check_ended(octets, whole, normalize);
    return 0;
}
