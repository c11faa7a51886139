#include "sasl/client.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/base64.hh"
#include "base/hex.hh"
#include "sasl/digest_md5.hh"
#include "sasl/otp.hh"
#include "sasl/scram.hh"

namespace greylag::sasl {

namespace {

std::unexpected<Error> bad(std::string_view what) {
    return base::fail(Kind::protocol, "authentication: the server " + std::string(what));
}

std::unexpected<Error> more_than(Mechanism m) { return bad("asks for more than " + std::string(name(m)) + " has"); }

constexpr bool proves_itself(Mechanism m) {
    return m == Mechanism::scram_sha_256_plus || m == Mechanism::scram_sha_256 || m == Mechanism::scram_sha_1 ||
           m == Mechanism::digest_md5;
}

constexpr std::size_t most_complaint = 2048;
constexpr char separator = '\x01';

}  // namespace

Bindings shown_bindings(Mechanism mechanism, std::span<const std::string> offered, const Bindings& bindings) {
    if (mechanism == Mechanism::scram_sha_256_plus) return bindings;
    for (const std::string& one : offered)
        if (base::iequals(one, name(Mechanism::scram_sha_256_plus))) return {};
    return bindings;
}

std::optional<std::string> Client::initial() {
    switch (mechanism_) {
        case Mechanism::login:
        case Mechanism::cram_md5:
        case Mechanism::digest_md5: return std::nullopt;
        case Mechanism::plain:
        case Mechanism::otp:
        case Mechanism::external:
        case Mechanism::anonymous:
        case Mechanism::oauthbearer:
        case Mechanism::xoauth2:
        case Mechanism::scram_sha_256_plus:
        case Mechanism::scram_sha_256:
        case Mechanism::scram_sha_1: break;
    }
    ++round_;
    if (mechanism_ == Mechanism::plain) return facts_.authorization + '\0' + user_ + '\0' + password_.get();
    if (mechanism_ == Mechanism::otp) return facts_.authorization + '\0' + user_;
    if (mechanism_ == Mechanism::external) return facts_.authorization;
    if (mechanism_ == Mechanism::anonymous) return user_;
    if (mechanism_ == Mechanism::oauthbearer || mechanism_ == Mechanism::xoauth2) return bearer();
    return begin_scram();
}

Result<std::string> Client::respond(std::string_view challenge) {
    if (!can(mechanism_, facts_.digests)) return bad("wants " + std::string(name(mechanism_)) + ", which is not built in");
    switch (mechanism_) {
        case Mechanism::login: return login();
        case Mechanism::cram_md5: return cram(challenge);
        case Mechanism::digest_md5: return digest(challenge);
        case Mechanism::plain:
        case Mechanism::otp:
        case Mechanism::external:
        case Mechanism::anonymous:
        case Mechanism::oauthbearer:
        case Mechanism::xoauth2:
        case Mechanism::scram_sha_256_plus:
        case Mechanism::scram_sha_256:
        case Mechanism::scram_sha_1: break;
    }
    if (round_ == 0) return initial().value_or("");
    switch (mechanism_) {
        case Mechanism::otp: return otp(challenge);
        case Mechanism::oauthbearer:
        case Mechanism::xoauth2: return token_refused(challenge);
        case Mechanism::scram_sha_256_plus:
        case Mechanism::scram_sha_256:
        case Mechanism::scram_sha_1: return scram(challenge);
        case Mechanism::login:
        case Mechanism::cram_md5:
        case Mechanism::digest_md5:
        case Mechanism::plain:
        case Mechanism::external:
        case Mechanism::anonymous: break;
    }
    return more_than(mechanism_);
}

Result<void> Client::succeeded() const {
    if (proves_itself(mechanism_) && !proven_) return bad("did not prove that it knows the password");
    return {};
}

// The texts of the challenges differ from server to server; their order does not.
Result<std::string> Client::login() {
    switch (++round_) {
        case 1: return user_;
        case 2: return password_.get();
        default: return more_than(mechanism_);
    }
}

Result<std::string> Client::cram(std::string_view challenge) const {
    std::string digest;
    for (const char c : facts_.digests.hmac_md5(password_.get(), challenge)) base::append_hex(digest, c, base::hex_lower);
    return user_ + " " + digest;
}

std::string Client::bearer() const {
    std::string text = "user=" + user_ + separator;
    if (mechanism_ == Mechanism::oauthbearer) {
        text = "n,a=" + escape_name(facts_.authorization.empty() ? user_ : facts_.authorization) + "," + separator;
        if (!facts_.host.empty()) text += "host=" + facts_.host + separator;
        if (!facts_.port.empty()) text += "port=" + facts_.port + separator;
    }
    return text + "auth=Bearer " + password_.get() + separator + separator;
}

// A token that was not taken comes back as a challenge with the reason; a dummy answer makes the server say 5yz (RFC 7628 3.2.3).
Result<std::string> Client::token_refused(std::string_view challenge) {
    if (++round_ > 2) return more_than(mechanism_);
    complaint_ = challenge.substr(0, most_complaint);
    return mechanism_ == Mechanism::oauthbearer ? std::string(1, separator) : std::string();
}

Result<std::string> Client::otp(std::string_view challenge) {
    if (++round_ > 2) return more_than(mechanism_);
    const auto parsed = parse_otp_challenge(challenge);
    if (!parsed) return bad("sent no OTP challenge that we understand");
    if (facts_.ask) {
        auto typed = typed_otp(facts_.ask(challenge));
        if (!typed)
            return base::fail(Kind::protocol, "authentication: a one-time password is six words or 16 hexadecimal digits");
        return *std::move(typed);
    }
    std::string out = "hex:";
    for (const char c : one_time_password(*parsed, password_.get(), facts_.digests)) base::append_hex(out, c, base::hex_lower);
    return out;
}

std::string Client::choose_realm(const std::vector<std::string>& realms) const {
    if (!facts_.realm.empty()) return facts_.realm;
    if (realms.size() > 1 && facts_.ask) {
        std::string prompt = "realm (one of";
        for (const auto& realm : realms) prompt += " " + realm;
        const std::string chosen = facts_.ask(prompt + ")");
        if (!chosen.empty()) return chosen;
    }
    return realms.empty() ? std::string() : realms.front();
}

Result<std::string> Client::digest(std::string_view challenge) {
    if (++round_ == 2) {
        const auto shown = parse_rspauth(challenge);
        if (!shown || signature_.empty() || !facts_.digests.equal(*shown, signature_))
            return bad("does not know the password itself");
        proven_ = true;
        return std::string();
    }
    if (round_ > 2) return more_than(mechanism_);
    const auto parsed = parse_digest_challenge(challenge);
    if (!parsed) return bad(parsed.error().what);
    const std::string realm = choose_realm(parsed->realms), uri = facts_.service + "/" + facts_.host;
    auto answer =
        answer_digest(*parsed, {user_, password_.get(), facts_.authorization, realm, facts_.nonce, uri}, facts_.digests.md5);
    if (!answer) return bad("knows no UTF-8, and the name or the password needs it");
    signature_ = std::move(answer->rspauth);
    return std::move(answer->text);
}

}  // namespace greylag::sasl
