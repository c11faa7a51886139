#include "tls/engine.hh"

#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "tls/state.hh"

namespace greylag::tls {

Result<std::unique_ptr<Engine::State>> Engine::State::make(SSL_CTX* context, bool server) {
    auto state = std::make_unique<State>();
    state->ssl.reset(::SSL_new(context));
    Bio from(::BIO_new(::BIO_s_mem())), to(::BIO_new(::BIO_s_mem()));
    if (!state->ssl || !from || !to) return base::fail_later(Kind::limit, "TLS: " + reason());
    // Empty memory is not the end: more may come.
    BIO_set_mem_eof_return(from.get(), -1);
    BIO_set_mem_eof_return(to.get(), -1);
    state->from_wire = from.get();
    state->to_wire = to.get();
    ::SSL_set_bio(state->ssl.get(), from.release(), to.release());
    state->server = server;
    if (server)
        ::SSL_set_accept_state(state->ssl.get());
    else
        ::SSL_set_connect_state(state->ssl.get());
    return state;
}

Result<Step> Engine::State::handshake() {
    auto seen = step([this] { return ::SSL_do_handshake(ssl.get()); });
    if (seen || !watch.refused) return seen;
    const std::string whose = watch.name.empty() ? "the server" : watch.name;
    return base::fail(Kind::denied, "TLS: the certificate of " + whose + " is not to be believed: " + watch.peer.reason);
}

Result<Step> Engine::State::read(std::span<char> room, std::size_t& got) {
    got = 0;
    if (room.empty()) return Step::done;
    if (in_ended && ::SSL_pending(ssl.get()) == 0) return Step::end;
    auto seen = step([&] { return ::SSL_read_ex(ssl.get(), room.data(), room.size(), &got); });
    if (!seen || *seen == Step::end) in_ended = true;
    return seen;
}

Result<Step> Engine::State::write(std::string_view plain) {
    if (plain.empty()) return Step::done;
    if (out_ended) return base::fail(Kind::closed, "TLS: the session is over");
    std::size_t wrote = 0;
    auto seen = step([&] { return ::SSL_write_ex(ssl.get(), plain.data(), plain.size(), &wrote); });
    if (!seen || *seen == Step::end) out_ended = true;
    return seen;
}

Result<Step> Engine::State::peek() {
    if (in_ended) return Step::end;
    char octet = 0;
    std::size_t got = 0;
    return step([&] { return ::SSL_peek_ex(ssl.get(), &octet, 1, &got); });
}

void Engine::State::close() {
    if (std::exchange(out_ended, true)) return;
    ::SSL_shutdown(ssl.get());
    ::ERR_clear_error();
}

void Engine::State::heard(std::string_view octets) {
    if (!octets.empty()) ::BIO_write(from_wire, octets.data(), static_cast<int>(octets.size()));
}

std::string_view Engine::State::to_send() const {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(to_wire, &bytes);
    return size <= 0 ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(size));
}

void Engine::State::sent(std::size_t octets) {
    if (octets >= to_send().size()) {
        (void)BIO_reset(to_wire);
        return;
    }
    std::array<char, 4096> gone;
    while (octets > 0) {
        const int took = ::BIO_read(to_wire, gone.data(), static_cast<int>(std::min(octets, gone.size())));
        if (took <= 0) return;
        octets -= static_cast<std::size_t>(took);
    }
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

Result<void> Engine::begin() {
    if (state_->server) return {};
    const auto seen = state_->handshake();
    if (!seen) return std::unexpected(seen.error());
    return {};
}

Result<void> Engine::take(std::string_view from_wire) {
    state_->heard(from_wire);
    if (ready()) return {};
    const auto seen = state_->handshake();
    if (seen && *seen != Step::end) return {};
    state_->in_ended = state_->out_ended = true;
    if (!seen) return std::unexpected(seen.error());
    return base::fail(Kind::closed, "TLS: the other end left during the handshake");
}

bool Engine::ready() const { return ::SSL_is_init_finished(state_->ssl.get()) == 1; }

Result<std::size_t> Engine::read(std::span<char> room) {
    std::size_t got = 0;
    const auto seen = state_->read(room, got);
    if (!seen) return std::unexpected(seen.error());
    return got;
}

bool Engine::ended() const { return state_->in_ended; }

Result<void> Engine::write(std::string_view plain) {
    if (!ready()) return base::fail(Kind::internal, "TLS: the handshake is not done");
    if (TRY(state_->write(plain)) == Step::done) return {};
    return base::fail(Kind::closed, "TLS: the other end has closed");
}

void Engine::close() { state_->close(); }
std::string_view Engine::to_wire() const { return state_->to_send(); }
void Engine::sent(std::size_t octets) { state_->sent(octets); }

std::string Engine::description() const {
    const SSL* ssl = state_->ssl.get();
    return std::string(::SSL_get_version(ssl)) + " with cipher " + ::SSL_get_cipher_name(ssl);
}

int Engine::bits() const { return SSL_get_cipher_bits(state_->ssl.get(), nullptr); }
bool Engine::resumed() const { return ::SSL_session_reused(state_->ssl.get()) == 1; }
const PeerCertificate& Engine::peer() const { return state_->watch.peer; }

// Before TLS 1.3 a session is only one of a kind with the extended master secret (RFC 9266 4.2).
std::string Engine::exporter() const {
    SSL* ssl = state_->ssl.get();
    if (::SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1) return {};
    constexpr std::string_view label = "EXPORTER-Channel-Binding";
    std::array<unsigned char, 32> key;
    if (::SSL_export_keying_material(ssl, key.data(), key.size(), label.data(), label.size(), nullptr, 0, 1) != 1) return {};
    return {key.begin(), key.end()};
}

std::string Engine::server_end_point() const {
    SSL* ssl = state_->ssl.get();
    const X509* certificate = state_->server ? ::SSL_get_certificate(ssl) : ::SSL_get0_peer_certificate(ssl);
    if (certificate == nullptr) return {};
    int digest = NID_undef;
    ::X509_get_signature_info(const_cast<X509*>(certificate), &digest, nullptr, nullptr, nullptr);
    // RFC 5929 4.1: the signature's own hash, SHA-256 for the broken ones; where it has none, nothing is said.
    if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
    const EVP_MD* md = ::EVP_get_digestbynid(digest);
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
    unsigned size = 0;
    if (md == nullptr || ::X509_digest(certificate, md, hash.data(), &size) != 1) return {};
    return {hash.begin(), hash.begin() + size};
}

}  // namespace greylag::tls
