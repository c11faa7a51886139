#include "cmd/smtpd/hold.hh"

#include "sys/file.hh"
#include "sys/slots.hh"

namespace greylag::smtpd {

Hold hold_off(const Setup& setup, const std::optional<mail::IpAddress>& peer, sys::Log& log) {
    const auto wait = setup.greeting_wait(peer);
    if (wait.count() == 0) return {};
    const std::string places = sys::join(setup.settings.paths.state, "tarpit");
    auto place = sys::take_slot(places, setup.waiting_places(), sys::Deadline::in(base::Millis{0}));
    if (place) return {wait, *std::move(place)};
    if (place.error().kind != Kind::timeout)
        log.write(base::Event{}.with("reason", "tarpit").with("said", place.error().text + "; greeted at once"));
    return {};
}

}  // namespace greylag::smtpd
