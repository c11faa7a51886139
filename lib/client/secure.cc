// TLS under a dialogue (RFC 3207, RFC 8314). What came before the handshake was said by anybody and counts for nothing.
#include "base/ascii.hh"
#include "base/escape.hh"
#include "client/connection_state.hh"

namespace greylag::smtp_client {

namespace {

std::string dialled_name(const Endpoint& to) {
    if (!to.path.empty()) return {};
    std::string_view name = to.host;
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    if (base::istarts_with(name, "ipv6:")) name.remove_prefix(5);
    return std::string(name);
}

Result<void> prepare_context(TlsMemory& memory, const TlsOptions& options) {
    if (memory.context || memory.shake) return {};
    tls::ClientPolicy policy;
    policy.authorities = options.authorities;
    for (const auto& one : options.known) policy.known.push_back(base::lower(one));
    policy.identity = options.identity;
    policy.minimum = options.minimum;
    policy.insist = options.insist;
    auto context = tls::ClientContext::make(policy);
    if (!context) return std::unexpected(failure_of(Failure::Kind::configuration, context.error().text));
    memory.context = std::make_unique<tls::ClientContext>(*std::move(context));
    return {};
}

TlsReport report_of(const tls::Stream& stream) {
    const tls::PeerCertificate& peer = stream.peer();
    TlsReport report;
    report.believed = peer.believed;
    report.resumed = stream.resumed();
    report.reason = base::printable(peer.reason);
    report.description = stream.description();
    report.bits = stream.bits();
    report.subject = base::printable(peer.subject);
    report.issuer = base::printable(peer.issuer);
    report.not_after = peer.not_after;
    report.sha256 = peer.sha256;
    report.spki_sha256 = peer.spki_sha256;
    return report;
}

greylag::Result<Handshake> shake_with(const tls::ClientContext& context, int fd, const std::string& name,
                                      sys::Deadline deadline) {
    tls::Stream stream = TRY(context.connect(fd, fd, name, deadline));
    TlsReport report = report_of(stream);
    return Handshake{std::make_unique<client::TlsWire>(std::move(stream)), std::move(report)};
}

}  // namespace

std::shared_ptr<TlsMemory> make_tls_memory() { return std::make_shared<TlsMemory>(); }

std::unexpected<Failure> Connection::State::tls_failed(const std::string& why) {
    broken = true;
    return std::unexpected(failure_of(Failure::Kind::tls, peer + (why.starts_with("TLS") ? ": " : ": TLS: ") + why));
}

Result<TlsReport> Connection::State::handshake(const TlsOptions& options) {
    memory = options.memory ? options.memory : make_tls_memory();
    const std::string name = options.name.empty() ? dialled_name(endpoint) : options.name;
    if (auto ready = prepare_context(*memory, options); !ready) return std::unexpected(std::move(ready).error());
    auto made = memory->shake ? memory->shake(fd.get(), name, options, deadline())
                              : shake_with(*memory->context, fd.get(), name, deadline());
    if (!made) return tls_failed(made.error().text);
    identified = !options.identity.empty();
    wire = std::move(made->wire);
    return std::move(made->report);
}

Result<TlsReport> Connection::start_tls(const TlsOptions& options) {
    State& s = *state_;
    if (!s.wire || s.broken) return std::unexpected(s.silence(nullptr));
    if (s.secure()) return s.tls_failed("it is there already");
    if (!s.input.empty() || s.parser.mid_reply()) return s.tls_failed("the server spoke before the handshake");
    auto report = s.handshake(options);
    if (!report) return report;
    s.parser = {};
    s.doing.clear();
    return report;
}

bool Connection::secure() const { return state_->secure(); }

}  // namespace greylag::smtp_client
