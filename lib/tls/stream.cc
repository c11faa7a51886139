#include "tls/stream.hh"

#include <openssl/x509.h>

#include <array>

#include "sys/io.hh"
#include "tls/state.hh"

namespace greylag::tls {

namespace {
constexpr std::size_t record = 17 * 1024;  // the largest record and its head
}

// Nothing is tidied up at the end of a process, and ciphers are never asked for by their old names.
void initialize() {
    ::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ATEXIT, nullptr);
    ::OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}

std::string reason() {
    const unsigned long code = ::ERR_peek_error();
    const char* text = ::ERR_reason_error_string(code);
    ::ERR_clear_error();
    return text != nullptr ? text : "the session is broken";
}

Result<std::unique_ptr<Stream::State>> Stream::State::make(SSL_CTX* context, int in, int out, bool server) {
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
    state->in = in;
    state->out = out;
    state->server = server;
    if (server)
        ::SSL_set_accept_state(state->ssl.get());
    else
        ::SSL_set_connect_state(state->ssl.get());
    return state;
}

Result<void> Stream::State::flush(sys::Deadline deadline) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(to_wire, &bytes);
    if (size <= 0) return {};
    auto sent = sys::write_all(out, {bytes, static_cast<std::size_t>(size)}, deadline);
    (void)BIO_reset(to_wire);
    if (!sent) out_ended = true;
    return sent;
}

Result<void> Stream::State::fill(sys::Deadline deadline) {
    std::array<char, record> room;
    const std::size_t got = TRY(sys::read_some(in, room, deadline));
    if (got == 0)
        in_ended = true;
    else
        ::BIO_write(from_wire, room.data(), static_cast<int>(got));
    return {};
}

Result<void> Stream::State::handshake(sys::Deadline deadline) {
    if (TRY(run([this] { return ::SSL_do_handshake(ssl.get()); }, deadline)) == 0)
        return base::fail(Kind::closed, "TLS: the other end left during the handshake");
    return {};
}

Stream::Stream(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

Result<std::size_t> Stream::read_some(std::span<char> room, sys::Deadline deadline) {
    State& s = *state_;
    if (s.in_ended && ::SSL_pending(s.ssl.get()) == 0) return std::size_t{0};
    if (room.empty()) return std::size_t{0};
    std::size_t got = 0;
    const auto seen = s.run([&] { return ::SSL_read_ex(s.ssl.get(), room.data(), room.size(), &got); }, deadline);
    if (seen && *seen > 0) return got;
    if (!seen && seen.error().kind == Kind::timeout) return std::unexpected(seen.error());
    s.in_ended = true;
    if (!seen) return std::unexpected(seen.error());
    return std::size_t{0};
}

Result<void> Stream::write_all(std::string_view bytes, sys::Deadline deadline) {
    State& s = *state_;
    if (bytes.empty()) return {};
    if (s.out_ended) return base::fail(Kind::closed, "TLS: the session is over");
    std::size_t wrote = 0;
    const auto done = s.run([&] { return ::SSL_write_ex(s.ssl.get(), bytes.data(), bytes.size(), &wrote); }, deadline);
    if (done && *done > 0) return {};
    s.out_ended = true;
    if (!done) return std::unexpected(done.error());
    return base::fail(Kind::closed, "TLS: the other end has closed");
}

bool Stream::readable(sys::Deadline deadline) {
    State& s = *state_;
    if (s.in_ended) return true;
    char octet = 0;
    std::size_t got = 0;
    const auto seen = s.run([&] { return ::SSL_peek_ex(s.ssl.get(), &octet, 1, &got); }, deadline);
    return seen.has_value() || seen.error().kind != Kind::timeout;
}

void Stream::close(sys::Deadline deadline) {
    State& s = *state_;
    if (std::exchange(s.out_ended, true)) return;
    ::SSL_shutdown(s.ssl.get());
    (void)s.flush(deadline);
    ::ERR_clear_error();
}

std::string Stream::description() const {
    const SSL* ssl = state_->ssl.get();
    return std::string(::SSL_get_version(ssl)) + " with cipher " + ::SSL_get_cipher_name(ssl);
}

std::string Stream::name_asked() const {
    const char* name = ::SSL_get_servername(state_->ssl.get(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
}

bool Stream::resumed() const { return ::SSL_session_reused(state_->ssl.get()) == 1; }

// Before TLS 1.3 a session is only one of a kind with the extended master secret (RFC 9266 4.2).
std::string Stream::exporter() const {
    SSL* ssl = state_->ssl.get();
    if (::SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1) return {};
    constexpr std::string_view label = "EXPORTER-Channel-Binding";
    std::array<unsigned char, 32> key;
    if (::SSL_export_keying_material(ssl, key.data(), key.size(), label.data(), label.size(), nullptr, 0, 1) != 1) return {};
    return {key.begin(), key.end()};
}

std::string Stream::server_end_point() const {
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
