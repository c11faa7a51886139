#include "client/route.hh"

#include <algorithm>
#include <utility>

#include "base/ascii.hh"
#include "base/punycode.hh"
#include "mail/domain.hh"

namespace greylag::client {

namespace {

using smtp::Outcome;
using State = Outcome::State;
using Cause = Outcome::Cause;

std::unexpected<Outcome> failed(State state, Cause cause, std::uint16_t code, std::string enhanced, std::string text) {
    return std::unexpected(Outcome{state, cause, smtp::Stage::connect, code, std::move(enhanced), std::move(text)});
}
std::unexpected<Outcome> no_host(std::string text) { return failed(State::never, Cause::no_host, 550, "5.1.2", std::move(text)); }
std::unexpected<Outcome> later(std::string text) { return failed(State::later, Cause::silence, 451, "4.4.3", std::move(text)); }
std::unexpected<Outcome> loop(std::string_view domain) {
    return failed(State::never, Cause::reply, 554, "5.4.6", "mail for " + std::string(domain) + " would come back to this host");
}

bool named(std::span<const std::string> names, std::string_view host) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        if (name.ends_with('.')) name.remove_suffix(1);
        return base::iequals(base::ascii_name(name).value_or(std::string(name)), host);
    });
}

// splitmix64: well mixed from any seed, also 0.
std::uint64_t next_random(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void sort_exchangers(std::vector<Exchanger>& list, std::uint64_t seed) {
    struct Keyed {
        Exchanger exchanger;
        std::uint64_t key;
    };
    std::vector<Keyed> drawn;
    for (auto& entry : list) drawn.push_back({std::move(entry), next_random(seed)});
    std::sort(drawn.begin(), drawn.end(), [](const Keyed& a, const Keyed& b) {
        return std::pair(a.exchanger.preference, a.key) < std::pair(b.exchanger.preference, b.key);
    });
    std::vector<Exchanger> once;
    for (auto& entry : drawn) {
        const auto same = [&](const Exchanger& e) { return base::iequals(e.host, entry.exchanger.host); };
        if (std::none_of(once.begin(), once.end(), same)) once.push_back(std::move(entry.exchanger));
    }
    list = std::move(once);
}

// Only what is better than we are is nearer to the mailbox (RFC 5321 5.1).
void cut_from(std::vector<Exchanger>& list, std::uint16_t preference) {
    std::erase_if(list, [&](const Exchanger& e) { return e.preference >= preference; });
}

}  // namespace

Routed<std::vector<Exchanger>> order_exchangers(std::string_view domain, const Result<dns::Answer<dns::Mx>>& answer,
                                                std::span<const std::string> busted, const Self& self, std::uint64_t seed) {
    const std::string name(domain);
    if (!answer) return later("MX of " + name + ": " + answer.error().text);
    std::vector<Exchanger> list;
    switch (answer->found) {
        case dns::Found::no_name: return no_host("there is no host or domain " + name);
        case dns::Found::no_data: list.push_back({name, 0}); break;
        case dns::Found::records:
            if (dns::is_null_mx(*answer))
                return failed(State::never, Cause::reply, 556, "5.1.10", "the domain " + name + " takes no mail (null MX)");
            for (const auto& mx : answer->records)
                if (const auto host = mail::Domain::parse(mx.host)) list.push_back({host->text(), mx.preference});
            if (list.empty()) return no_host("no MX of " + name + " names a host");
            break;
    }
    sort_exchangers(list, seed);
    const auto us = std::find_if(list.begin(), list.end(), [&](const Exchanger& e) { return named(self.names, e.host); });
    if (us != list.end()) {
        cut_from(list, us->preference);
        if (list.empty()) return loop(domain);
    }
    std::erase_if(list, [&](const Exchanger& e) { return named(busted, e.host); });
    if (list.empty()) return later("every mail server of " + name + " is left out by -b");
    if (list.size() > most_exchangers) list.resize(most_exchangers);
    return list;
}

bool leads_nowhere(const mail::IpAddress& address) {
    const auto& b = address.bytes();
    if (address.is_loopback()) return true;
    if (address.is_v4()) return b[12] == 0 || b[12] >= 224;
    return b[0] == 0xff || std::all_of(b.begin(), b.end(), [](std::uint8_t octet) { return octet == 0; });
}

std::vector<mail::IpAddress> interleave(std::span<const mail::IpAddress> addresses) {
    std::vector<mail::IpAddress> six, four, out;
    for (const auto& address : addresses) (address.is_v4() ? four : six).push_back(address);
    for (std::size_t i = 0; i < std::max(six.size(), four.size()); ++i) {
        if (i < six.size()) out.push_back(six[i]);
        if (i < four.size()) out.push_back(four[i]);
    }
    return out;
}

Routed<std::vector<Stop>> choose_stops(std::string_view domain, std::span<const Exchanger> exchangers,
                                       std::span<const AddressAnswer> answers, const Self& self) {
    std::vector<Stop> stops;
    std::string silent;  // the first DNS failure
    bool nowhere = false, ourselves = false;
    for (std::size_t i = 0; i < exchangers.size(); ++i) {
        const auto& answer = answers[i];
        if (!answer) {
            if (silent.empty()) silent = "address of " + exchangers[i].host + ": " + answer.error().text;
            continue;
        }
        std::vector<mail::IpAddress> usable;
        for (const auto& address : answer->records) {
            if (leads_nowhere(address)) {
                nowhere = true;
            } else if (std::find(self.addresses.begin(), self.addresses.end(), address) != self.addresses.end()) {
                ourselves = true;
            } else if (std::find(usable.begin(), usable.end(), address) == usable.end()) {
                usable.push_back(address);
            }
        }
        if (ourselves) {
            const auto preference = exchangers[i].preference;
            std::erase_if(stops, [&](const Stop& stop) { return stop.exchanger.preference >= preference; });
            break;
        }
        if (!usable.empty()) stops.push_back({exchangers[i], interleave(usable)});
    }
    if (!stops.empty()) return stops;
    if (!silent.empty()) return later(std::move(silent));
    if (ourselves) return loop(domain);
    if (nowhere)
        return failed(State::never, Cause::reply, 550, "5.4.4",
                      "the mail servers of " + std::string(domain) + " have only addresses of whoever asks");
    return no_host("no mail server of " + std::string(domain) + " has an address");
}

}  // namespace greylag::client
