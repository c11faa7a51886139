#include "cmd/send/outcome.hh"

#include <sysexits.h>

#include <algorithm>

#include "base/escape.hh"

namespace greylag::send {

Outcome later(std::string text, std::string code) {
    return {Outcome::State::later, EX_TEMPFAIL, std::move(code), std::move(text)};
}

Outcome never(int status, std::string code, std::string text) {
    return {Outcome::State::never, status, std::move(code), std::move(text)};
}

bool any(const std::vector<Delivery>& deliveries, Outcome::State state) {
    return std::any_of(deliveries.begin(), deliveries.end(), [&](const Delivery& d) { return d.outcome.state == state; });
}

int verdict(const std::vector<Delivery>& deliveries) {
    if (deliveries.empty() || any(deliveries, Outcome::State::later) || any(deliveries, Outcome::State::open)) return EX_TEMPFAIL;
    if (any(deliveries, Outcome::State::delivered)) return EX_OK;
    const int first = deliveries.front().outcome.status;
    const bool alike =
        std::all_of(deliveries.begin(), deliveries.end(), [&](const Delivery& d) { return d.outcome.status == first; });
    return alike ? first : EX_UNAVAILABLE;
}

std::string failure_line(const Delivery& delivery) {
    const Outcome& o = delivery.outcome;
    if (o.state != Outcome::State::later && o.state != Outcome::State::never) return {};
    return base::printable(delivery.address, 400) + ": " + base::printable(o.code + " " + o.text, 900) + "\n";
}

}  // namespace greylag::send
