#include "sasl/server.hh"

#include "base/ascii.hh"
#include "base/base64.hh"
#include "base/hex.hh"

namespace greylag::sasl {

Step Server::challenge(std::string text, Expect next) {
    expect_ = next;
    return step::Challenge{std::move(text)};
}

std::string_view word(Why why) {
    switch (why) {
        case Why::password: return "password";
        case Why::malformed: return "malformed";
        case Why::binding: return "binding";
        case Why::nonce: return "nonce";
        case Why::authzid: return "authzid";
    }
    return "malformed";
}

Step Server::fail(Why why, bool unreadable) {
    expect_ = Expect::over;
    return step::Failure{user_, why, unreadable};
}

Step Server::succeed() {
    expect_ = Expect::over;
    return step::Success{user_};
}

Step Server::begin(std::optional<std::string_view> initial) {
    if (expect_ != Expect::begin) return fail(Why::malformed, true);
    switch (mechanism_) {
        case Mechanism::plain: return initial ? plain(*initial) : challenge("", Expect::plain);
        case Mechanism::login: return initial ? login_user(*initial) : challenge("Username:", Expect::user);
        case Mechanism::cram_md5:
            // The server speaks first: what stands there already was not made from our challenge.
            if (initial || facts_.digests.hmac_md5 == nullptr) return fail(Why::malformed, true);
            return challenge(facts_.challenge, Expect::cram);
        case Mechanism::scram_sha_256_plus:
        case Mechanism::scram_sha_256: return initial ? scram_first(*initial) : challenge("", Expect::first);
        case Mechanism::scram_sha_1:
        case Mechanism::digest_md5:
        case Mechanism::otp:
        case Mechanism::external:
        case Mechanism::oauthbearer:
        case Mechanism::xoauth2:
        case Mechanism::anonymous: break;  // not served
    }
    return fail(Why::malformed, true);
}

Step Server::respond(std::string_view response) {
    switch (expect_) {
        case Expect::plain: return plain(response);
        case Expect::user: return login_user(response);
        case Expect::password: return login_password(response);
        case Expect::cram: return cram(response);
        case Expect::first: return scram_first(response);
        case Expect::final: return scram_final(response);
        case Expect::nothing: return response.empty() ? succeed() : fail(Why::malformed);
        case Expect::begin:
        case Expect::checked:
        case Expect::found:
        case Expect::over: return fail(Why::malformed, true);
    }
    return fail(Why::malformed, true);
}

Step Server::checked(bool is_the_password) {
    if (expect_ != Expect::checked || !is_the_password) return fail(Why::password);
    return succeed();
}

Step Server::found(const User& user, bool known) {
    if (expect_ != Expect::found) return fail(Why::malformed, true);
    known_ = known;
    return mechanism_ == Mechanism::cram_md5 ? cram_found(user) : scram_found(user);
}

Step Server::plain(std::string_view message) {
    const auto parts = base::split(message, '\0');
    if (parts.size() != 3) return fail(Why::malformed, true);
    if (!is_plausible(parts[1]) || !is_plausible(parts[2])) return fail(Why::malformed);
    user_ = parts[1];
    if (!parts[0].empty() && parts[0] != user_) return fail(Why::authzid);
    expect_ = Expect::checked;
    return step::Check{user_, base::Secret(std::string(parts[2]))};
}

Step Server::login_user(std::string_view user) {
    // Some clients end the name with a NUL.
    if (user.ends_with('\0')) user.remove_suffix(1);
    if (!is_plausible(user)) return fail(Why::malformed);
    user_ = user;
    return challenge("Password:", Expect::password);
}

Step Server::login_password(std::string_view password) {
    if (password.ends_with('\0')) password.remove_suffix(1);
    if (!is_plausible(password)) return fail(Why::malformed);
    expect_ = Expect::checked;
    return step::Check{user_, base::Secret(std::string(password))};
}

Step Server::cram(std::string_view message) {
    const std::size_t blank = message.rfind(' ');
    if (blank == std::string_view::npos) return fail(Why::malformed, true);
    const auto digest = message.substr(blank + 1);
    if (digest.size() != 32 || !is_plausible(message.substr(0, blank))) return fail(Why::malformed);
    user_ = message.substr(0, blank);
    secret_ = digest;
    expect_ = Expect::found;
    return step::Find{user_};
}

Step Server::cram_found(const User& user) {
    std::string digest;
    for (const char c : facts_.digests.hmac_md5(user.cram_md5, facts_.challenge)) base::append_hex(digest, c, base::hex_lower);
    const bool right = facts_.digests.equal(digest, secret_);
    return right && known_ && !user.cram_md5.empty() ? succeed() : fail(Why::password);
}

// gs2-cbind-flag: "n" and "y" without a binding, "p=NAME" with one. "y" from somebody who was offered -PLUS means that
// somebody in between took the offer away.
bool Server::scram_binding_fits(std::string_view flag) {
    if (mechanism_ != Mechanism::scram_sha_256_plus) return flag == "n" || (flag == "y" && !facts_.plus_offered);
    if (flag == "p=tls-exporter") binding_ = facts_.bindings.exporter;
    if (flag == "p=tls-server-end-point") binding_ = facts_.bindings.end_point;
    return !binding_.empty();
}

Step Server::scram_first(std::string_view message) {
    const std::size_t flag_end = message.find(',');
    const std::size_t header_end = flag_end == std::string_view::npos ? flag_end : message.find(',', flag_end + 1);
    if (header_end == std::string_view::npos) return fail(Why::malformed);
    const auto authzid = message.substr(flag_end + 1, header_end - flag_end - 1);
    gs2_ = message.substr(0, header_end + 1);
    auto bare = message.substr(header_end + 1);
    client_first_ = bare;

    // An extension that must be understood ("m=") is not.
    const auto name = take_attribute(bare, 'n');
    const auto nonce = name ? take_attribute(bare, 'r') : std::nullopt;
    const auto user = name ? unescape_name(*name) : std::nullopt;
    if (!nonce || nonce->empty() || !user || !is_plausible(*user)) return fail(Why::malformed);
    user_ = *user;
    for (const char c : *nonce)
        if (!base::is_printable(c) || c == ' ') return fail(Why::nonce);
    if (!scram_binding_fits(message.substr(0, flag_end))) return fail(Why::binding);
    if (!authzid.empty() && authzid != "a=" + std::string(*name)) return fail(Why::authzid);
    nonce_ = std::string(*nonce) + facts_.nonce;
    expect_ = Expect::found;
    return step::Find{user_};
}

Step Server::scram_found(const User& user) {
    if (!user.scram) return fail(Why::password);
    verifier_ = *user.scram;
    server_first_ = "r=" + nonce_ + ",s=" + base::base64_encode(verifier_.salt) + ",i=" + std::to_string(verifier_.iterations);
    return challenge(server_first_, Expect::final);
}

Step Server::scram_final(std::string_view message) {
    const std::size_t proof_at = message.rfind(",p=");
    if (proof_at == std::string_view::npos) return fail(Why::malformed);
    const auto without_proof = message.substr(0, proof_at);
    auto list = without_proof;
    const auto bound = take_attribute(list, 'c');
    const auto nonce = bound ? take_attribute(list, 'r') : std::nullopt;
    const auto proof = base::base64_decode(message.substr(proof_at + 3));
    if (!nonce || !proof || proof->size() != verifier_.stored_key.size()) return fail(Why::malformed);
    if (*nonce != nonce_) return fail(Why::nonce);
    const auto header = base::base64_decode(*bound);
    if (!header || !facts_.digests.equal(*header, gs2_ + binding_)) return fail(Why::binding);

    const std::string text = client_first_ + "," + server_first_ + "," + std::string(without_proof);
    const auto& d = facts_.digests;
    const std::string client_key = xor_of(*proof, d.hmac_sha256(verifier_.stored_key, text));
    const bool right = d.equal(d.sha256(client_key), verifier_.stored_key);
    if (!right || !known_) return fail(Why::password);
    return challenge("v=" + base::base64_encode(d.hmac_sha256(verifier_.server_key, text)), Expect::nothing);
}

}  // namespace greylag::sasl
