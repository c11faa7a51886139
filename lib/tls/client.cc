#include "tls/client.hh"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "sys/file.hh"
#include "tls/certificate.hh"
#include "tls/pem.hh"
#include "tls/state.hh"

namespace greylag::tls {

// The last session, whose it was, and what was thought of it: a server that resumes shows no certificate.
struct ClientMemory {
    ClientPolicy policy;
    std::string name;
    std::unique_ptr<SSL_SESSION, Freed<::SSL_SESSION_free>> session;
    PeerCertificate peer;
};

struct ClientContext::State {
    Context context;
    ClientMemory memory;
};

namespace {

// What a server may choose from: nothing without a name, nothing that is known to be weak.
constexpr const char* ciphers = "HIGH:!aNULL:!eNULL:!PSK:!SRP:!CAMELLIA:!ARIA:!AESCCM:!3DES";
constexpr std::size_t longest_name = 255;

Watch* watch_of(SSL* ssl) { return static_cast<Watch*>(SSL_get_app_data(ssl)); }

// Why a chain or a name is not believed; empty where both are.
std::string doubt(X509_STORE_CTX* chain, const Watch& watch) {
    if (::X509_verify_cert(chain) != 1) return ::X509_verify_cert_error_string(::X509_STORE_CTX_get_error(chain));
    std::string fault = name_fault(::X509_STORE_CTX_get0_cert(chain), watch.peer, watch.name);
    if (!fault.empty()) ::X509_STORE_CTX_set_error(chain, X509_V_ERR_HOSTNAME_MISMATCH);
    return fault;
}

// OpenSSL's contract: 1 goes on, 0 ends the handshake with an alert that the error chooses.
int judge(X509_STORE_CTX* chain, void*) {
    auto* ssl = static_cast<SSL*>(::X509_STORE_CTX_get_ex_data(chain, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
    Watch& watch = *watch_of(ssl);
    const ClientPolicy& policy = watch.memory->policy;
    watch.peer = describe(::X509_STORE_CTX_get0_cert(chain));
    const bool pinned = std::any_of(policy.known.begin(), policy.known.end(), [&](const std::string& one) {
        return one == watch.peer.sha256 || one == watch.peer.spki_sha256;
    });
    if (!pinned) watch.peer.reason = doubt(chain, watch);
    ::ERR_clear_error();
    watch.peer.believed = watch.peer.reason.empty();
    if (watch.peer.believed) ::X509_STORE_CTX_set_error(chain, X509_V_OK);
    watch.refused = !watch.peer.believed && policy.insist;
    return watch.refused ? 0 : 1;
}

// 1: the session is ours from now on.
int remember(SSL* ssl, SSL_SESSION* session) {
    const Watch* watch = watch_of(ssl);
    ClientMemory& memory = *watch->memory;
    memory.session.reset(session);
    memory.name = watch->name;
    memory.peer = watch->peer;
    return 1;
}

Result<void> add_directory(X509_STORE* store, const std::string& directory) {
    X509_LOOKUP* lookup = ::X509_STORE_add_lookup(store, ::X509_LOOKUP_hash_dir());
    if (lookup == nullptr || X509_LOOKUP_add_dir(lookup, directory.c_str(), X509_FILETYPE_PEM) != 1)
        return base::fail(Kind::config, directory + ": " + reason());
    return {};
}

Result<void> add_file(X509_STORE* store, const std::string& file) {
    X509_LOOKUP* lookup = ::X509_STORE_add_lookup(store, ::X509_LOOKUP_file());
    if (lookup == nullptr || X509_LOOKUP_load_file(lookup, file.c_str(), X509_FILETYPE_PEM) != 1)
        return base::fail(Kind::config, file + ": no certificate can be read from it");
    return {};
}

Result<void> add_authorities(X509_STORE* store, const std::string& where) {
    if (where.empty()) {
        const std::string directory = ::X509_get_default_cert_dir(), file = ::X509_get_default_cert_file();
        // Where a system has no hashed directory its bundle is all there is.
        if (const auto names = sys::list_directory(directory); names && !names->empty()) return add_directory(store, directory);
        return sys::status(file) ? add_file(store, file) : Result<void>();
    }
    const auto seen = sys::status(where);
    if (!seen) return base::fail(Kind::config, "certificates of authorities: " + seen.error().text);
    return seen->directory ? add_directory(store, where) : add_file(store, where);
}

Result<void> use_identity(SSL_CTX* context, const std::string& file) {
    const auto identities = TRY(read_identities(file, {}));
    const Identity& one = identities.front();
    if (::SSL_CTX_use_certificate(context, one.certificate.get()) != 1 || ::SSL_CTX_use_PrivateKey(context, one.key.get()) != 1)
        return base::fail(Kind::config, file + ": " + reason());
    for (const Certificate& link : one.chain) SSL_CTX_add1_chain_cert(context, link.get());
    return {};
}

}  // namespace

ClientContext::ClientContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientContext::~ClientContext() = default;
ClientContext::ClientContext(ClientContext&&) noexcept = default;
ClientContext& ClientContext::operator=(ClientContext&&) noexcept = default;

Result<ClientContext> ClientContext::make(const ClientPolicy& policy) {
    auto state = std::make_unique<State>();
    state->memory.policy = policy;
    state->context.reset(::SSL_CTX_new(::TLS_client_method()));
    SSL_CTX* c = state->context.get();
    if (c == nullptr) return base::fail_later(Kind::limit, "TLS: " + reason());
    SSL_CTX_set_min_proto_version(c, policy.minimum == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION);
    ::SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    ::SSL_CTX_set_cipher_list(c, ciphers);
    // Who takes any certificate takes a weak one, too: it is better than none.
    if (!policy.insist) ::SSL_CTX_set_security_level(c, 1);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    ::SSL_CTX_sess_set_new_cb(c, remember);
    ::SSL_CTX_set_verify(c, policy.insist ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    ::SSL_CTX_set_cert_verify_callback(c, judge, nullptr);
    TRY(add_authorities(::SSL_CTX_get_cert_store(c), policy.authorities));
    if (!policy.identity.empty()) TRY(use_identity(c, policy.identity));
    ::ERR_clear_error();
    return ClientContext(std::move(state));
}

Result<Engine> ClientContext::engine(std::string_view name) const {
    auto session = TRY(Engine::State::make(state_->context.get(), false));
    ClientMemory& memory = state_->memory;
    std::string host(name.ends_with('.') ? name.substr(0, name.size() - 1) : name);
    if (host.size() > longest_name || host.find('\0') != std::string::npos)
        return base::fail(Kind::usage, "TLS: this is no name of a host");
    SSL* ssl = session->ssl.get();
    SSL_set_app_data(ssl, &session->watch);
    // RFC 6066 3: an address is no name for SNI.
    if (!host.empty() && !is_address(host) &&
        ::SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) != 1)
        return base::fail(Kind::usage, "TLS: " + reason());
    session->watch.memory = &memory;
    if (memory.session && memory.name == host) {
        ::SSL_set_session(ssl, memory.session.get());
        session->watch.peer = memory.peer;
    }
    session->watch.name = std::move(host);
    return Engine(std::move(session));
}

Result<Stream> ClientContext::connect(int in, int out, std::string_view name, sys::Deadline deadline) const {
    return Stream::make(TRY(engine(name)), in, out, deadline);
}

}  // namespace greylag::tls
