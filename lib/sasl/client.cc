#include "sasl/client.hh"

#include "base/ascii.hh"
#include "base/base64.hh"
#include "base/hex.hh"
#include "sasl/scram.hh"

namespace greylag::sasl {

namespace {
std::unexpected<Error> bad(std::string_view what) {
    return base::fail(Kind::protocol, "authentication: the server " + std::string(what));
}
}  // namespace

std::optional<std::string> Client::initial() {
    ++round_;
    switch (mechanism_) {
        case Mechanism::plain: return std::string(1, '\0') + user_ + '\0' + password_.get();
        case Mechanism::login:
        case Mechanism::cram_md5: round_ = 0; return std::nullopt;
        case Mechanism::scram_sha_256_plus:
        case Mechanism::scram_sha_256: break;
    }
    if (mechanism_ == Mechanism::scram_sha_256_plus)
        gs2_ = facts_.bindings.exporter.empty() ? "p=tls-server-end-point,," : "p=tls-exporter,,";
    else
        gs2_ = facts_.bindings.any() ? "y,," : "n,,";
    client_first_ = "n=" + escape_name(user_) + ",r=" + facts_.nonce;
    return gs2_ + client_first_;
}

Result<std::string> Client::respond(std::string_view challenge) {
    const bool nothing_sent_yet = round_ == 0;
    switch (mechanism_) {
        case Mechanism::plain:
            if (nothing_sent_yet) return initial().value_or("");
            return bad("asks for more than PLAIN has");
        case Mechanism::login: return login();
        case Mechanism::cram_md5: return cram(challenge);
        case Mechanism::scram_sha_256_plus:
        case Mechanism::scram_sha_256:
            if (nothing_sent_yet) return initial().value_or("");
            return scram(challenge);
    }
    return bad("asks too much");
}

Result<void> Client::succeeded() const {
    const bool scram = mechanism_ == Mechanism::scram_sha_256 || mechanism_ == Mechanism::scram_sha_256_plus;
    if (scram && !proven_) return bad("did not prove that it knows the password");
    return {};
}

// The texts of the challenges differ from server to server; their order does not.
Result<std::string> Client::login() {
    switch (++round_) {
        case 1: return user_;
        case 2: return password_.get();
        default: return bad("asks for more than LOGIN has");
    }
}

Result<std::string> Client::cram(std::string_view challenge) const {
    if (facts_.digests.hmac_md5 == nullptr) return bad("wants CRAM-MD5, which is not built in");
    std::string digest;
    for (const char c : facts_.digests.hmac_md5(password_.get(), challenge)) base::append_hex(digest, c, base::hex_lower);
    return user_ + " " + digest;
}

std::string Client::binding() const {
    if (mechanism_ != Mechanism::scram_sha_256_plus) return {};
    return facts_.bindings.exporter.empty() ? facts_.bindings.end_point : facts_.bindings.exporter;
}

Result<std::string> Client::scram(std::string_view challenge) {
    switch (++round_) {
        case 2: return scram_final(challenge);
        case 3: {
            auto list = challenge;
            const auto signature = take_attribute(list, 'v');
            const auto decoded = signature ? base::base64_decode(*signature) : std::nullopt;
            if (!decoded || !facts_.digests.equal(*decoded, signature_)) return bad("does not know the password itself");
            proven_ = true;
            return std::string();
        }
        default: return bad("asks for more than SCRAM has");
    }
}

Result<std::string> Client::scram_final(std::string_view server_first) {
    auto list = server_first;
    const auto nonce = take_attribute(list, 'r');
    const auto salt_text = nonce ? take_attribute(list, 's') : std::nullopt;
    const auto iterations_text = salt_text ? take_attribute(list, 'i') : std::nullopt;
    if (!iterations_text) return bad("sent no SCRAM challenge");
    if (!nonce->starts_with(facts_.nonce) || nonce->size() == facts_.nonce.size()) return bad("answered another nonce than ours");
    const auto salt = base::base64_decode(*salt_text);
    const auto iterations = base::parse_number<unsigned>(*iterations_text);
    if (!salt || salt->empty() || !iterations) return bad("sent no SCRAM challenge");
    if (*iterations < least_iterations) return bad("keeps passwords too weakly (fewer than 4096 iterations)");
    if (*iterations > most_iterations) return bad("asks for too much work");

    const auto& d = facts_.digests;
    const std::string final = "c=" + base::base64_encode(gs2_ + binding()) + ",r=" + std::string(*nonce);
    const std::string text = client_first_ + "," + std::string(server_first) + "," + final;
    const base::Secret salted(d.pbkdf2_sha256(password_.get(), *salt, *iterations));
    const std::string key = d.hmac_sha256(salted.get(), "Client Key");
    signature_ = d.hmac_sha256(d.hmac_sha256(salted.get(), "Server Key"), text);
    return final + ",p=" + base::base64_encode(xor_of(key, d.hmac_sha256(d.sha256(key), text)));
}

}  // namespace greylag::sasl
