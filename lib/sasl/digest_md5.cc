#include "sasl/digest_md5.hh"

#include <algorithm>
#include <utility>

#include "base/ascii.hh"
#include "base/hex.hh"

namespace greylag::sasl {

namespace {

constexpr std::size_t longest_challenge = 2048;  // RFC 2831 2.1.1

using Pair = std::pair<std::string, std::string>;

bool is_token(char c) {
    return base::is_printable(c) && std::string_view(" ()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
}

// A quoted string from the front, its backslashes taken off.
bool take_quoted(std::string_view& text, std::string& value) {
    text.remove_prefix(1);
    while (!text.empty() && text.front() != '"') {
        if (text.front() == '\\') text.remove_prefix(1);
        if (text.empty()) return false;
        value += text.front();
        text.remove_prefix(1);
    }
    if (text.empty()) return false;
    text.remove_prefix(1);
    return true;
}

std::string take_token(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_token);
    std::string token(text.begin(), end);
    text.remove_prefix(token.size());
    return token;
}

// #( name "=" ( token | quoted-string ) ): empty elements and blanks around commas are allowed.
std::optional<std::vector<Pair>> directives(std::string_view text) {
    std::vector<Pair> out;
    const auto skip = [&](std::string_view what) {
        while (!text.empty() && what.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
    };
    for (skip(" \t\r\n,"); !text.empty(); skip(" \t\r\n,")) {
        Pair one;
        one.first = base::lower(take_token(text));
        skip(" \t");
        if (one.first.empty() || !text.starts_with('=')) return std::nullopt;
        text.remove_prefix(1);
        skip(" \t");
        if (text.starts_with('"')) {
            if (!take_quoted(text, one.second)) return std::nullopt;
        } else {
            one.second = take_token(text);
        }
        skip(" \t");
        if (!text.empty() && text.front() != ',') return std::nullopt;
        out.push_back(std::move(one));
    }
    return out;
}

// UTF-8 as ISO 8859-1, or nothing where a character is none of it.
std::optional<std::string> latin1(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) {
            out += text[i];
            continue;
        }
        if ((c != 0xc2 && c != 0xc3) || i + 1 == text.size()) return std::nullopt;
        out += static_cast<char>((c & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    }
    return out;
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) base::append_hex(out, c, base::hex_lower);
    return out;
}

std::string quote(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::unexpected<DigestFault> fault(std::string what) { return std::unexpected(DigestFault{std::move(what)}); }

}  // namespace

std::expected<DigestChallenge, DigestFault> parse_digest_challenge(std::string_view text) {
    const auto all = text.size() <= longest_challenge ? directives(text) : std::nullopt;
    if (!all) return fault("sent no DIGEST-MD5 challenge");
    DigestChallenge challenge;
    unsigned nonces = 0, algorithms = 0, qops = 0;
    bool auth = false;
    for (const auto& [name, value] : *all) {
        if (name == "realm") {
            challenge.realms.push_back(value);
        } else if (name == "nonce") {
            ++nonces;
            challenge.nonce = value;
        } else if (name == "charset") {
            challenge.utf8 = base::iequals(value, "utf-8");
        } else if (name == "algorithm") {
            algorithms += base::iequals(value, "md5-sess") ? 1U : 2U;
        } else if (name == "qop") {
            ++qops;
            for (const auto one : base::words(value, ",")) auth = auth || base::iequals(one, "auth");
        }
    }
    if (nonces != 1 || challenge.nonce.empty() || algorithms != 1 || qops > 1) return fault("sent no DIGEST-MD5 challenge");
    if (qops == 1 && !auth) return fault("asks for a security layer of its own, and TLS is the only one here");
    return challenge;
}

std::optional<DigestAnswer> answer_digest(const DigestChallenge& challenge, const DigestWords& words, Digests::Hash md5) {
    // Names that ISO 8859-1 has are hashed in it, whatever they travel in (RFC 2831 2.1.2.1).
    const auto narrow = [](std::string_view text) { return latin1(text).value_or(std::string(text)); };
    if (!challenge.utf8 && (!latin1(words.user) || !latin1(words.password))) return std::nullopt;
    const auto sent = [&](std::string_view text) { return challenge.utf8 ? std::string(text) : narrow(text); };

    const std::string uri(words.uri), cnonce(words.cnonce);
    std::string a1 = md5(narrow(words.user) + ":" + narrow(words.realm) + ":" + narrow(words.password));
    a1 += ":" + challenge.nonce + ":" + cnonce;
    if (!words.authorization.empty()) a1 += ":" + std::string(words.authorization);
    const std::string middle = ":" + challenge.nonce + ":00000001:" + cnonce + ":auth:";
    const std::string key = hex(md5(a1));

    DigestAnswer answer;
    answer.rspauth = hex(md5(key + middle + hex(md5(":" + uri))));
    answer.text = challenge.utf8 ? "charset=utf-8," : "";
    answer.text += "username=" + quote(sent(words.user));
    if (!words.realm.empty() || !challenge.realms.empty()) answer.text += ",realm=" + quote(sent(words.realm));
    answer.text += ",nonce=" + quote(challenge.nonce) + ",nc=00000001,cnonce=" + quote(cnonce) + ",digest-uri=" + quote(uri) +
                   ",response=" + hex(md5(key + middle + hex(md5("AUTHENTICATE:" + uri)))) + ",qop=auth";
    if (!words.authorization.empty()) answer.text += ",authzid=" + quote(words.authorization);
    return answer;
}

std::optional<std::string> parse_rspauth(std::string_view text) {
    const auto all = directives(text);
    if (!all) return std::nullopt;
    for (const auto& [name, value] : *all)
        if (name == "rspauth") return base::lower(value);
    return std::nullopt;
}

}  // namespace greylag::sasl
