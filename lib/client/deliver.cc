#include "client/deliver.hh"

#include <algorithm>

#include "client/credentials.hh"
#include "client/digests.hh"
#include "client/host.hh"
#include "secret/random.hh"
#include "sys/dial.hh"
#include "sys/race.hh"

namespace greylag::client {

namespace {

using smtp::Outcome;
using State = Outcome::State;
using Cause = Outcome::Cause;
using Stage = smtp::Stage;

Outcome cannot_dial(std::string text) { return {State::later, Cause::silence, Stage::connect, 451, "4.4.1", std::move(text)}; }

// Another host could answer differently.
bool tentative(const Outcome& outcome) {
    if (outcome.state == State::open || outcome.state == State::later) return true;
    return outcome.state == State::never && outcome.stage <= Stage::handshake;
}

// What one more host said, beside what is known. "Later" anywhere is later: that host may take it yet; a server's word says
// more than silence.
void merge(Outcome& known, const Outcome& heard) {
    if (!tentative(known)) return;
    const bool better = known.state == State::open || !tentative(heard) ||
                        (known.state == State::never && heard.state == State::later) ||
                        (known.state == heard.state && (known.cause == Cause::silence || heard.cause != Cause::silence));
    if (better) known = heard;
}

class Courier {
public:
    explicit Courier(const Delivery& delivery) : d_(delivery), resolver_(d_.dns), outcomes_(d_.facts.recipients.size()) {}

    std::vector<Outcome> run() {
        if (d_.destination.how == Destination::How::local) {
            local();
        } else {
            remote();
        }
        for (auto& outcome : outcomes_)
            if (outcome.state == State::open) outcome = cannot_dial("no time was left to try " + d_.destination.text());
        return std::move(outcomes_);
    }

private:
    void local() {
        auto fd = sys::dial_unix(d_.destination.path, sys::Deadline::earlier(sys::Deadline::in(d_.dial), d_.timing.whole));
        if (!fd) return merge_all(cannot_dial(fd.error().text));
        talk(*fd, d_.destination.path);
    }

    void remote() {
        auto stops = route(d_.destination);
        port_ = d_.destination.port;
        if (!stops && stops.error().cause == Cause::no_host && d_.gateway) {
            stops = route(*d_.gateway);
            port_ = d_.gateway->port;
        }
        if (!stops) return merge_all(stops.error());
        for (const auto& stop : *stops) {
            visit(stop);
            if (done_ || std::none_of(outcomes_.begin(), outcomes_.end(), tentative)) return;
        }
    }

    Routed<std::vector<Stop>> route(const Destination& to);
    Routed<std::vector<Stop>> route_by_mx(const std::string& domain);
    Routed<std::vector<Stop>> route_by_name(const std::string& host);
    void visit(const Stop& stop);
    smtp::ClientSession talk(const sys::Fd& fd, const std::string& host, bool avoid_chunking = false);
    Link link_to(int fd, const std::string& host) const;

    void merge_all(const Outcome& heard) {
        for (auto& outcome : outcomes_) merge(outcome, heard);
    }

    const Delivery& d_;
    dns::Resolver resolver_;
    std::vector<Outcome> outcomes_;
    std::uint16_t port_ = 25;
    bool done_ = false;  // a host has, or may have, the message
};

Routed<std::vector<Stop>> Courier::route(const Destination& to) {
    if (to.how == Destination::How::address) return std::vector<Stop>{{{to.address.text(), 0}, {to.address}}};
    // A gateway is a host that was chosen, not a domain that has some.
    const bool by_mx = to.how == Destination::How::exchange && &to == &d_.destination;
    return by_mx ? route_by_mx(to.host) : route_by_name(to.host);
}

Routed<std::vector<Stop>> Courier::route_by_name(const std::string& host) {
    auto addresses = find_host(host, {}, resolver_);
    if (!addresses)
        return std::unexpected(Outcome{State::later, Cause::silence, Stage::connect, 451, "4.4.3",
                                       "address of " + host + ": " + addresses.error().text});
    if (addresses->empty())
        return std::unexpected(
            Outcome{State::never, Cause::no_host, Stage::connect, 550, "5.1.2", "the host " + host + " has no address"});
    return std::vector<Stop>{{{host, 0}, *std::move(addresses)}};
}

Routed<std::vector<Stop>> Courier::route_by_mx(const std::string& domain) {
    Self self{d_.own_names, {}};
    auto exchangers = order_exchangers(domain, resolver_.take(resolver_.ask_mx(domain)), d_.busted, self, d_.seed);
    if (!exchangers) return std::unexpected(std::move(exchangers).error());
    std::vector<std::pair<dns::Query<mail::IpAddress>, dns::Query<mail::IpAddress>>> asked;
    for (const auto& exchanger : *exchangers)
        asked.emplace_back(resolver_.ask_a(exchanger.host), resolver_.ask_aaaa(exchanger.host));
    if (auto own = sys::own_addresses()) self.addresses = *std::move(own);
    std::vector<AddressAnswer> answers;
    for (const auto& [a, aaaa] : asked) answers.push_back(dns::join(resolver_.take(a), resolver_.take(aaaa)));
    return choose_stops(domain, *exchangers, answers, self);
}

void Courier::visit(const Stop& stop) {
    std::vector<sys::End> ends;
    for (const auto& address : stop.addresses) ends.push_back({address, port_});
    while (!ends.empty() && !d_.new_hosts.passed() && !d_.timing.whole.passed()) {
        std::vector<bool> failed;
        const auto limit =
            sys::Deadline::earlier(sys::Deadline::in(d_.dial), sys::Deadline::earlier(d_.new_hosts, d_.timing.whole));
        auto dialled = sys::dial_first(ends, d_.patience, limit, failed);
        if (!dialled) return merge_all(cannot_dial("connect to " + stop.exchanger.host + ": " + dialled.error().text));
        const sys::End end = ends[dialled->which];
        failed[dialled->which] = true;
        std::vector<sys::End> untried;
        for (std::size_t i = 0; i < ends.size(); ++i)
            if (!failed[i]) untried.push_back(ends[i]);
        ends = std::move(untried);

        auto session = talk(dialled->fd, stop.exchanger.host);
        if (session.chunking_failed()) {
            auto same = sys::dial(end, limit);
            if (!same) return merge_all(cannot_dial("connect to " + stop.exchanger.host + ": " + same.error().text));
            session = talk(*same, stop.exchanger.host, true);
        }
        if (session.greeted()) return;  // the host has spoken; its other addresses are the same host
    }
}

Link Courier::link_to(int fd, const std::string& host) const {
    Link link;
    link.fd = fd;
    link.host = host;
    link.security = d_.security;
    if (d_.login == nullptr) return link;
    auto& a = link.authentication;
    a.digests = digests(d_.security != nullptr ? d_.security->hmac_md5() : nullptr);
    a.nonce = [] { return secret::random_text(24); };
    a.user = d_.login->user;
    a.without_tls = d_.login->without_tls;
    a.password = [this, host] {
        const std::string servers[] = {host, d_.destination.domain()};
        return find_password(d_.login->secrets.get(), servers, d_.login->user);
    };
    return link;
}

// One session for whoever is not decided yet.
smtp::ClientSession Courier::talk(const sys::Fd& fd, const std::string& host, bool avoid_chunking) {
    smtp::ClientFacts facts = d_.facts;
    facts.avoid_chunking = avoid_chunking;
    // Nobody listens between us and a socket of this machine.
    const bool local = d_.destination.how == Destination::How::local;
    if (local && facts.starttls == smtp::ClientFacts::StartTls::offered) facts.starttls = smtp::ClientFacts::StartTls::never;
    facts.recipients.clear();
    // A name without a dot tells a stranger nothing; our address at least is true (RFC 5321 4.1.3).
    if (facts.name.find('.') == std::string::npos) {
        const auto ends = sys::connection_ends(fd.get(), {});
        if (ends && ends->local && !local) facts.name = ends->local->address.literal();
    }
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
        if (!tentative(outcomes_[i])) continue;
        places.push_back(i);
        facts.recipients.push_back(d_.facts.recipients[i]);
    }
    smtp::ClientSession session(std::move(facts));
    exchange(session, link_to(fd.get(), host), d_.message, d_.timing, d_.trace);
    if (session.chunking_failed() && !avoid_chunking) return session;
    for (std::size_t k = 0; k < places.size(); ++k) merge(outcomes_[places[k]], session.outcomes()[k]);
    done_ = done_ || session.committed();
    return session;
}

}  // namespace

std::vector<smtp::Outcome> deliver(const Delivery& delivery) { return Courier(delivery).run(); }

}  // namespace greylag::client
