// SCRAM as a client speaks it.
#include "base/ascii.hh"
#include "base/base64.hh"
#include "sasl/client.hh"
#include "sasl/scram.hh"

namespace greylag::sasl {

namespace {
std::unexpected<Error> bad(std::string_view what) {
    return base::fail(Kind::protocol, "authentication: the server " + std::string(what));
}
}  // namespace

std::string Client::begin_scram() {
    if (mechanism_ == Mechanism::scram_sha_256_plus)
        gs2_ = facts_.bindings.exporter.empty() ? "p=tls-server-end-point," : "p=tls-exporter,";
    else  // "y" says that we could bind: there is no -PLUS of SHA-1 here
        gs2_ = facts_.bindings.any() && mechanism_ == Mechanism::scram_sha_256 ? "y," : "n,";
    if (!facts_.authorization.empty()) gs2_ += "a=" + escape_name(facts_.authorization);
    gs2_ += ',';
    client_first_ = "n=" + escape_name(user_) + ",r=" + facts_.nonce;
    return gs2_ + client_first_;
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
            if (!decoded || signature_.empty() || !facts_.digests.equal(*decoded, signature_))
                return bad("does not know the password itself");
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

    const std::string final = "c=" + base::base64_encode(gs2_ + binding()) + ",r=" + std::string(*nonce);
    const std::string text = client_first_ + "," + std::string(server_first) + "," + final;
    auto proof = prove(facts_.digests, mechanism_ != Mechanism::scram_sha_1, password_.get(), *salt, *iterations, text);
    signature_ = std::move(proof.signature);
    return final + ",p=" + base::base64_encode(proof.proof);
}

}  // namespace greylag::sasl
