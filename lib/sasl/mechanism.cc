#include "sasl/mechanism.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/utf8.hh"

namespace greylag::sasl {

namespace {
constexpr std::array<std::string_view, mechanisms.size()> names{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "CRAM-MD5", "PLAIN",
                                                                "LOGIN"};
constexpr std::size_t longest = 255;
}  // namespace

std::string_view name(Mechanism mechanism) { return names.at(static_cast<std::size_t>(mechanism)); }

std::optional<Mechanism> find(std::string_view name_given) {
    for (const Mechanism m : mechanisms)
        if (base::iequals(name(m), name_given)) return m;
    return std::nullopt;
}

std::optional<Mechanism> strongest(std::span<const std::string> offered, bool can_bind, bool has_md5, bool clear_allowed) {
    for (const Mechanism m : mechanisms) {
        if (m == Mechanism::scram_sha_256_plus && !can_bind) continue;
        if (m == Mechanism::cram_md5 && !has_md5) continue;
        if (sends_password(m) && !clear_allowed) continue;
        if (std::any_of(offered.begin(), offered.end(), [&](const auto& one) { return base::iequals(one, name(m)); })) return m;
    }
    return std::nullopt;
}

bool is_plausible(std::string_view text) {
    return !text.empty() && text.size() <= longest && std::none_of(text.begin(), text.end(), base::is_ctl) && base::is_utf8(text);
}

}  // namespace greylag::sasl
