#include "sasl/mechanism.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/utf8.hh"

namespace greylag::sasl {

namespace {
constexpr std::size_t longest = 255;

constexpr bool in_order() {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (table[i].mechanism != static_cast<Mechanism>(i)) return false;
    return true;
}
static_assert(in_order(), "row() finds a mechanism by its number");

bool is_offered(std::span<const std::string> offered, Mechanism m) {
    return std::any_of(offered.begin(), offered.end(), [&](const auto& one) { return base::iequals(one, name(m)); });
}

bool eligible(Mechanism m, const Means& means) {
    if (!can(m, means.digests) || (sends_password(m) && !means.clear_allowed)) return false;
    if (m == Mechanism::scram_sha_256_plus) return means.can_bind;
    if (m == Mechanism::external) return means.certificate;
    if (m == Mechanism::otp) return means.answers;
    return row(m).unasked;
}
}  // namespace

std::optional<Mechanism> find(std::string_view name_given) {
    for (const Row& one : table)
        if (base::iequals(one.name, name_given)) return one.mechanism;
    return std::nullopt;
}

bool can(Mechanism mechanism, const Digests& d) {
    const bool compares = d.equal != nullptr;
    switch (mechanism) {
        case Mechanism::scram_sha_256_plus:
        case Mechanism::scram_sha_256:
            return compares && d.sha256 != nullptr && d.hmac_sha256 != nullptr && d.pbkdf2_sha256 != nullptr;
        case Mechanism::scram_sha_1: return compares && d.sha1 != nullptr && d.hmac_sha1 != nullptr && d.pbkdf2_sha1 != nullptr;
        case Mechanism::digest_md5: return compares && d.md5 != nullptr;
        case Mechanism::cram_md5: return d.hmac_md5 != nullptr;
        case Mechanism::otp: return d.md5 != nullptr && d.sha1 != nullptr;
        case Mechanism::external:
        case Mechanism::oauthbearer:
        case Mechanism::xoauth2:
        case Mechanism::plain:
        case Mechanism::login:
        case Mechanism::anonymous: return true;
    }
    return false;
}

std::vector<Mechanism> ranked(std::span<const std::string> offered, const Means& means) {
    std::vector<Mechanism> out;
    if (means.bits < means.least_bits) return out;
    for (const Mechanism m : spoken)
        if (eligible(m, means) && is_offered(offered, m)) out.push_back(m);
    return out;
}

std::optional<Mechanism> strongest(std::span<const std::string> offered, const Means& means) {
    const auto all = ranked(offered, means);
    return all.empty() ? std::nullopt : std::optional(all.front());
}

bool is_plausible(std::string_view text) {
    return !text.empty() && text.size() <= longest && std::none_of(text.begin(), text.end(), base::is_ctl) && base::is_utf8(text);
}

}  // namespace greylag::sasl
