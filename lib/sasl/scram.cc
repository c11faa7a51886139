#include "sasl/scram.hh"

#include "base/wipe.hh"

namespace greylag::sasl {

ScramVerifier make_verifier(const Digests& digests, std::string_view password, std::string salt, unsigned iterations) {
    const std::string salted = digests.pbkdf2_sha256(password, salt, iterations);
    return {iterations, std::move(salt), digests.sha256(digests.hmac_sha256(salted, "Client Key")),
            digests.hmac_sha256(salted, "Server Key")};
}

ScramProof prove(const Digests& d, bool sha256, std::string_view password, std::string_view salt, unsigned iterations,
                 std::string_view text) {
    const auto stretch = sha256 ? d.pbkdf2_sha256 : d.pbkdf2_sha1;
    const auto mac = sha256 ? d.hmac_sha256 : d.hmac_sha1;
    const auto hash = sha256 ? d.sha256 : d.sha1;
    const base::Secret salted(stretch(password, salt, iterations));
    const base::Secret key(mac(salted.get(), "Client Key"));
    return {xor_of(key.get(), mac(hash(key.get()), text)), mac(mac(salted.get(), "Server Key"), text)};
}

std::string escape_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c == ',')
            out += "=2C";
        else if (c == '=')
            out += "=3D";
        else
            out += c;
    }
    return out;
}

std::optional<std::string> unescape_name(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i];
            continue;
        }
        const auto code = text.substr(i, 3);
        if (code != "=2C" && code != "=3D") return std::nullopt;
        out += code == "=2C" ? ',' : '=';
        i += 2;
    }
    return out;
}

std::optional<std::string_view> take_attribute(std::string_view& list, char attribute) {
    if (list.size() < 2 || list[0] != attribute || list[1] != '=') return std::nullopt;
    const std::size_t end = std::min(list.find(','), list.size());
    const auto value = list.substr(2, end - 2);
    list.remove_prefix(end == list.size() ? end : end + 1);
    return value;
}

std::string xor_of(std::string_view a, std::string_view b) {
    std::string out(a.substr(0, b.size()));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ b[i]);
    return out;
}

}  // namespace greylag::sasl
