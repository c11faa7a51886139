// One-time passwords for a client (RFC 2289, RFC 2243, RFC 2444): md5 and sha1. The answer goes out in hexadecimal; words are
// sent on as they were typed. A server must take both forms (RFC 2243 5): the dictionary is its affair.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "sasl/mechanism.hh"

namespace greylag::sasl {

struct OtpChallenge {
    enum class Hash : std::uint8_t { md5, sha1 };
    Hash hash = Hash::md5;
    unsigned sequence = 0;
    std::string seed;  // lower case
};
// "otp-md5 499 ke1234 ext": the word "ext", with more behind it or without, must be there (RFC 2444 4).
std::optional<OtpChallenge> parse_otp_challenge(std::string_view text);

// The 8 octets of the one-time password.
std::string one_time_password(const OtpChallenge& challenge, std::string_view pass_phrase, const Digests& digests);

// What somebody typed as the answer to the challenge: 16 hexadecimal digits, blanks among them or not, or six words. As it is
// sent ("hex:..." or "word:..."); nothing when it is neither.
std::optional<std::string> typed_otp(std::string_view text);

}  // namespace greylag::sasl
