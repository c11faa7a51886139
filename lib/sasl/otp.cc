#include "sasl/otp.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/hex.hh"
#include "sasl/scram.hh"

namespace greylag::sasl {

namespace {

constexpr std::size_t longest_seed = 16;        // RFC 2289 6.0
constexpr unsigned longest_sequence = 999'999;  // of ours: a server must not keep us busy
constexpr std::size_t longest_word = 4;

// 160 bits to 64, least octet of each word first: RFC 2289 appendix A does so on every machine.
std::string fold_sha1(std::string_view hash) {
    const std::string first = xor_of(xor_of(hash.substr(0, 4), hash.substr(8, 4)), hash.substr(16, 4));
    const std::string second = xor_of(hash.substr(4, 4), hash.substr(12, 4));
    return {first[3], first[2], first[1], first[0], second[3], second[2], second[1], second[0]};
}

std::string fold(OtpChallenge::Hash kind, const std::string& text, const Digests& digests) {
    if (kind == OtpChallenge::Hash::sha1) return fold_sha1(digests.sha1(text));
    const std::string hash = digests.md5(text);
    return xor_of(std::string_view(hash).substr(0, 8), std::string_view(hash).substr(8));
}

}  // namespace

std::optional<OtpChallenge> parse_otp_challenge(std::string_view text) {
    const auto words = base::words(text);
    if (words.size() < 4 || base::split(words[3], ',').front() != "ext") return std::nullopt;
    OtpChallenge challenge;
    if (words[0] == "otp-sha1")
        challenge.hash = OtpChallenge::Hash::sha1;
    else if (words[0] != "otp-md5")
        return std::nullopt;
    const auto sequence = base::parse_number<unsigned>(words[1]);
    if (!sequence || *sequence > longest_sequence) return std::nullopt;
    challenge.sequence = *sequence;
    challenge.seed = base::lower(words[2]);
    const bool plain = std::all_of(challenge.seed.begin(), challenge.seed.end(), base::is_alnum);
    if (!plain || challenge.seed.size() > longest_seed) return std::nullopt;
    return challenge;
}

std::string one_time_password(const OtpChallenge& challenge, std::string_view pass_phrase, const Digests& digests) {
    std::string value = fold(challenge.hash, challenge.seed + std::string(pass_phrase), digests);
    for (unsigned i = 0; i < challenge.sequence; ++i) value = fold(challenge.hash, value, digests);
    return value;
}

std::optional<std::string> typed_otp(std::string_view text) {
    std::string digits;
    const auto words = base::words(text);
    for (const auto word : words) digits += word;
    if (digits.size() == 16 && std::all_of(digits.begin(), digits.end(), base::is_xdigit)) return "hex:" + base::lower(digits);
    const bool all_words = std::all_of(words.begin(), words.end(), [](std::string_view word) {
        return word.size() <= longest_word && std::all_of(word.begin(), word.end(), base::is_alpha);
    });
    if (words.size() != 6 || !all_words) return std::nullopt;
    std::string out = "word:";
    for (const auto word : words) out += (out.back() == ':' ? "" : " ") + base::upper(word);
    return out;
}

}  // namespace greylag::sasl
