#include "policy/tarpit.hh"

#include <algorithm>

namespace greylag::policy {

namespace {
constexpr base::Millis usual_delay{15'000};
}

base::Millis greeting_wait(const Tarpit& tarpit, const std::optional<mail::IpAddress>& peer) {
    if (!tarpit.on) return tarpit.greeting_delay;
    const auto holds_peer = [&](const mail::Cidr& net) { return peer && net.contains(*peer); };
    if (std::any_of(tarpit.long_nets.begin(), tarpit.long_nets.end(), holds_peer)) return tarpit.long_delay;
    return tarpit.greeting_delay.count() > 0 ? tarpit.greeting_delay : usual_delay;
}

}  // namespace greylag::policy
