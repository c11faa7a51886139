#include "cmd/smtp/prepare.hh"

#include <algorithm>

#include "cmd/smtp/message.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace greylag::sender {

namespace {
constexpr base::Millis for_new_hosts{120'000};
}  // namespace

client::Conversion conversion(const Order& order) {
    client::Conversion how;
    how.host = order.host;
    how.suffix = order.suffix;
    how.unique = sys::random_hex(16);
    how.now = sys::wall_now();
    how.sender = order.sender;
    for (const auto& recipient : order.recipients)
        if (recipient.path) how.recipients.push_back(*recipient.path);
    if (order.account.empty()) return how;
    if (const auto passwd = sys::read_file("/etc/passwd", 4 << 20)) how.full_name = full_name(order.account, *passwd);
    return how;
}

client::Delivery delivery(const Order& order, const config::Settings& settings, const std::string& host_name) {
    client::Delivery d;
    d.destination = order.destination;
    d.gateway = order.gateway;
    d.busted = order.busted;
    d.facts.name = order.host;
    d.facts.lmtp = order.destination.lmtp;
    d.facts.noop_first = order.noop_first;
    d.facts.ping = order.ping;
    d.facts.sender = order.sender;
    d.facts.authenticate = order.authenticate;
    using StartTls = smtp::ClientFacts::StartTls;
    if (order.starttls) d.facts.starttls = StartTls::offered;
    if (settings.tls.require) d.facts.starttls = StartTls::required;
    if (order.tls_first) d.facts.starttls = StartTls::first;
    for (const auto& server : settings.dns.nameservers) d.dns.nameservers.push_back({server.address, server.port});
    d.dns.timeout = settings.dns.timeout;
    d.dns.trust_ad = settings.dns.trust_ad;
    d.own_names = {order.host, host_name, settings.smtpd.domain};
    d.seed = sys::random_number();
    if (order.ping) d.timing = client::Timing::hasty();
    // Whoever reads the report waits no longer than for any mailer: our own word must come before.
    if (order.report && !order.ping)
        d.timing.whole =
            sys::Deadline::in(std::max(settings.mailer.timeout * 9 / 10 - base::Millis(2000), settings.mailer.timeout / 2));
    d.new_hosts = sys::Deadline::in(for_new_hosts);
    return d;
}

bool wants_tls(const Order& order, const config::Settings& settings) {
    return !order.filter && (order.starttls || order.tls_first || settings.tls.require);
}

tls::ClientPolicy tls_policy(const Order& order, const config::Settings& settings) {
    tls::ClientPolicy policy;
    policy.authorities = settings.tls.ca_directory;
    policy.known = settings.tls.known;
    policy.minimum = settings.tls.minimum;
    policy.insist = !order.any_certificate;
    return policy;
}

}  // namespace greylag::sender
