#include "cmd/smtpd/lookup.hh"

#include <algorithm>
#include <iterator>
#include <utility>

#include "mail/domain.hh"
#include "policy/sender.hh"

namespace greylag::smtpd {

namespace {

// A name that comes late is not worth a client's time.
constexpr base::Millis name_wait{1'000};
// Hosts that serve thousands of names have as many PTR records; one that mails is called by one of the first.
constexpr std::size_t most_names = 5;

constexpr std::string_view special[] = {
    "0.0.0.0/8",    "10.0.0.0/8",     "100.64.0.0/10",   "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
    "192.0.2.0/24", "192.168.0.0/16", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",    "::/127",
    "fc00::/7",     "fe80::/10",      "ff00::/8",        "2001:db8::/32",
};

template <class Record>
policy::Records seen(const Result<dns::Answer<Record>>& answer) {
    if (!answer) return policy::Records::unknown;
    switch (answer->found) {
        case dns::Found::records: return policy::Records::some;
        case dns::Found::no_data: return policy::Records::none;
        case dns::Found::no_name: break;
    }
    return policy::Records::no_name;
}

// What could be a host's name in the Received field; whatever else a PTR record holds is passed over.
bool is_host_name(const std::string& text) {
    const auto domain = mail::Domain::parse(text);
    return domain && domain->has_dot();
}

}  // namespace

dns::Settings dns_settings(const config::Settings& settings) {
    dns::Settings out;
    for (const auto& server : settings.dns.nameservers) out.nameservers.push_back({server.address, server.port});
    out.timeout = settings.dns.timeout;
    out.trust_ad = settings.dns.trust_ad;
    return out;
}

bool has_public_name(const mail::IpAddress& address) {
    return std::none_of(std::begin(special), std::end(special), [&](std::string_view text) {
        const auto net = mail::Cidr::parse(text);
        return net && net->contains(address);
    });
}

Lookup::Lookup(const Setup& setup, const sys::Ends& ends) : resolver_(dns_settings(setup.settings)) {
    if (ends.remote && has_public_name(ends.remote->address)) peer_ = ends.remote->address;
}

void Lookup::ask_peer_name() {
    if (!peer_ || asked_) return;
    asked_ = resolver_.ask_ptr(*peer_);
    until_ = sys::Deadline::in(name_wait);
}

const std::string& Lookup::peer_name() {
    if (!peer_ || !asked_) return name_;
    const mail::IpAddress peer = *std::exchange(peer_, std::nullopt);
    auto names = resolver_.take(*asked_, until_);
    if (!names) return name_;
    std::erase_if(names->records, [](const dns::Name& name) { return !is_host_name(name.text); });
    names->records.resize(std::min(names->records.size(), most_names));

    std::vector<dns::Query<mail::IpAddress>> forward;
    for (const auto& name : names->records)
        forward.push_back(peer.is_v4() ? resolver_.ask_a(name.text) : resolver_.ask_aaaa(name.text));
    for (std::size_t i = 0; i < forward.size(); ++i) {
        const auto answer = resolver_.take(forward[i], until_);
        if (!answer || std::find(answer->records.begin(), answer->records.end(), peer) == answer->records.end()) continue;
        return name_ = names->records[i].text;
    }
    return name_;
}

mail::Verdict Lookup::sender(const mail::Host& host) {
    const auto* domain = std::get_if<mail::Domain>(&host);
    if (domain == nullptr) return mail::Verdict::pass();
    const auto exchangers = resolver_.take(resolver_.ask_mx(domain->text()));
    const auto mx = exchangers && dns::is_null_mx(*exchangers) ? policy::Records::null_mx : seen(exchangers);
    const auto address = policy::needs_address(mx) ? seen(resolver_.addresses(domain->text())) : policy::Records::unknown;
    return policy::sender_domain(mx, address);
}

Result<bool> Lookup::is_address_of(const mail::IpAddress& peer, const mail::Domain& name) {
    const auto answer = TRY(resolver_.take(peer.is_v4() ? resolver_.ask_a(name.text()) : resolver_.ask_aaaa(name.text())));
    return std::find(answer.records.begin(), answer.records.end(), peer) != answer.records.end();
}

}  // namespace greylag::smtpd
