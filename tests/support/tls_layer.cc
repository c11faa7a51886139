#include "tests/support/tls_layer.hh"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "sys/io.hh"

namespace greylag::test {

struct TlsLayer::State {
    SSL_CTX* context = nullptr;
    SSL* ssl = nullptr;
    BIO *from = nullptr, *to = nullptr;
    int in = -1, out = -1;
    SSL_SESSION* session = nullptr;

    ~State() {
        SSL_free(ssl);
        SSL_CTX_free(context);
        SSL_SESSION_free(session);
    }
    Result<void> flush(sys::Deadline deadline) {
        char room[20000];
        for (;;) {
            const int n = BIO_read(to, room, sizeof room);
            if (n <= 0) return {};
            TRY(sys::write_all(out, {room, static_cast<std::size_t>(n)}, deadline));
        }
    }
    // 1 done, 0 the end.
    template <class Call>
    Result<int> run(Call call, sys::Deadline deadline) {
        for (;;) {
            ERR_clear_error();
            const int result = call();
            const int fault = SSL_get_error(ssl, result);
            const char* why = ERR_reason_error_string(ERR_peek_error());
            const std::string said = why != nullptr ? why : "no reason";
            TRY(flush(deadline));
            if (result > 0) return 1;
            if (fault == SSL_ERROR_ZERO_RETURN) return 0;
            if (fault != SSL_ERROR_WANT_READ) return base::fail(Kind::protocol, "TLS: " + said);
            char room[20000];
            const std::size_t got = TRY(sys::read_some(in, room, deadline));
            if (got == 0) return 0;
            BIO_write(from, room, static_cast<int>(got));
        }
    }
};

namespace {

int keep_session(SSL* ssl, SSL_SESSION* session) {
    *static_cast<SSL_SESSION**>(SSL_get_ex_data(ssl, 0)) = session;
    return 1;
}

}  // namespace

TlsLayer::TlsLayer(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsLayer::~TlsLayer() = default;

Result<std::unique_ptr<TlsLayer>> TlsLayer::start(int in, int out, const TlsWish& wish, sys::Deadline deadline) {
    auto s = std::make_unique<State>();
    s->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(s->context, 0);
    SSL_CTX_set_min_proto_version(s->context, TLS1_VERSION);
    SSL_CTX_set_cipher_list(s->context, "ALL:@SECLEVEL=0");
    if (wish.newest != 0) SSL_CTX_set_max_proto_version(s->context, wish.newest);
    SSL_CTX_set_session_cache_mode(s->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(s->context, keep_session);
    s->ssl = SSL_new(s->context);
    SSL_set_ex_data(s->ssl, 0, &s->session);
    s->from = BIO_new(BIO_s_mem());
    s->to = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(s->from, -1);
    SSL_set_bio(s->ssl, s->from, s->to);
    SSL_set_connect_state(s->ssl);
    s->in = in;
    s->out = out;
    std::string name = wish.server_name;
    if (!name.empty()) SSL_ctrl(s->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    if (wish.rsa_only) SSL_set1_sigalgs_list(s->ssl, "rsa_pss_rsae_sha256:RSA+SHA256");
    if (!wish.alpn.empty()) {
        const std::string list = static_cast<char>(wish.alpn.size()) + wish.alpn;
        const void* at = list.data();
        SSL_set_alpn_protos(s->ssl, static_cast<const unsigned char*>(at), static_cast<unsigned>(list.size()));
    }
    if (!wish.ticket.empty()) {
        const void* at = wish.ticket.data();
        const auto* bytes = static_cast<const unsigned char*>(at);
        SSL_SESSION* saved = d2i_SSL_SESSION(nullptr, &bytes, static_cast<long>(wish.ticket.size()));
        SSL_set_session(s->ssl, saved);
        SSL_SESSION_free(saved);
    }
    State& state = *s;
    const auto done = state.run([&] { return SSL_do_handshake(state.ssl); }, deadline);
    if (!done) return std::unexpected(done.error());
    if (*done == 0) return base::fail(Kind::closed, "TLS client: the server left during the handshake");
    return std::unique_ptr<TlsLayer>(new TlsLayer(std::move(s)));
}

Result<std::unique_ptr<TlsLayer>> TlsLayer::serve(int in, int out, const std::string& identity, sys::Deadline deadline) {
    auto s = std::make_unique<State>();
    s->context = SSL_CTX_new(TLS_server_method());
    BIO* pem = BIO_new_mem_buf(identity.data(), static_cast<int>(identity.size()));
    X509* certificate = PEM_read_bio_X509(pem, nullptr, nullptr, nullptr);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(pem, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(s->context, certificate);
    SSL_CTX_use_PrivateKey(s->context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(pem);
    s->ssl = SSL_new(s->context);
    s->from = BIO_new(BIO_s_mem());
    s->to = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(s->from, -1);
    SSL_set_bio(s->ssl, s->from, s->to);
    SSL_set_accept_state(s->ssl);
    s->in = in;
    s->out = out;
    State& state = *s;
    const auto done = state.run([&] { return SSL_do_handshake(state.ssl); }, deadline);
    if (!done) return std::unexpected(done.error());
    if (*done == 0) return base::fail(Kind::closed, "TLS server: the client left during the handshake");
    return std::unique_ptr<TlsLayer>(new TlsLayer(std::move(s)));
}

Result<void> TlsLayer::send(std::string_view bytes, sys::Deadline deadline) {
    if (bytes.empty()) return {};
    const auto done = state_->run([&] { return SSL_write(state_->ssl, bytes.data(), static_cast<int>(bytes.size())); }, deadline);
    return done ? Result<void>() : std::unexpected(done.error());
}

Result<std::string> TlsLayer::receive(sys::Deadline deadline) {
    std::string room(16384, '\0');
    int got = 0;
    const int more =
        TRY(state_->run([&] { return got = SSL_read(state_->ssl, room.data(), static_cast<int>(room.size())); }, deadline));
    room.resize(more > 0 ? static_cast<std::size_t>(got) : 0);
    return room;
}

void TlsLayer::close_notify() {
    SSL_shutdown(state_->ssl);
    (void)state_->flush(soon());
}

std::string TlsLayer::renegotiate(sys::Deadline deadline) {
    if (SSL_renegotiate(state_->ssl) != 1) return "cannot ask";
    const auto done = state_->run([&] { return SSL_do_handshake(state_->ssl); }, deadline);
    if (!done) return done.error().text;
    return *done == 0 ? "closed" : "done";
}

std::string TlsLayer::version() const { return SSL_get_version(state_->ssl); }
bool TlsLayer::compressed() const { return SSL_get_current_compression(state_->ssl) != nullptr; }
bool TlsLayer::resumed() const { return SSL_session_reused(state_->ssl) == 1; }

std::string TlsLayer::peer_subject() const {
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(state_->ssl)), NID_commonName, name, sizeof name);
    return name;
}

bool TlsLayer::peer_key_is_rsa() const {
    return EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(state_->ssl))) == EVP_PKEY_RSA;
}

std::string TlsLayer::exporter() const {
    unsigned char key[32];
    SSL_export_keying_material(state_->ssl, key, sizeof key, "EXPORTER-Channel-Binding", 24, nullptr, 0, 1);
    return {key, key + sizeof key};
}

std::string TlsLayer::end_point() const {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    X509_digest(SSL_get0_peer_certificate(state_->ssl), EVP_sha256(), hash, &size);
    return {hash, hash + size};
}

std::string TlsLayer::ticket() const {
    if (state_->session == nullptr) return {};
    unsigned char* bytes = nullptr;
    const int size = i2d_SSL_SESSION(state_->session, &bytes);
    std::string out(bytes, bytes + size);
    OPENSSL_free(bytes);
    return out;
}

std::string make_identity(KeyKind kind, const std::string& name) {
    EVP_PKEY* key = kind == KeyKind::rsa ? EVP_RSA_gen(2048u) : EVP_EC_gen("P-256");
    X509* x = X509_new();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -86400);
    X509_gmtime_adj(X509_getm_notAfter(x), 864000);
    X509_set_pubkey(x, key);
    const void* text = name.data();
    X509_NAME* subject = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, static_cast<const unsigned char*>(text), -1, -1, 0);
    X509_set_issuer_name(x, subject);
    X509_sign(x, key, EVP_sha256());
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string pem(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    X509_free(x);
    EVP_PKEY_free(key);
    return pem;
}

}  // namespace greylag::test
