#include "tls/server.hh"

#include <map>
#include <vector>

#include "base/ascii.hh"
#include "sys/file.hh"
#include "tls/pem.hh"
#include "tls/state.hh"
#include "tls/tickets.hh"

namespace greylag::tls {

namespace {

// Forward secrecy, and of TLS 1.2 what is not known to be weak. Ours goes before the client's: EC where it can.
constexpr const char* ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES256:ECDHE+AES128:!aNULL:!eNULL:!PSK:!AESCCM:!SHA1";

// One file as it was: what a renewal changes.
struct Mark {
    std::string file;
    std::int64_t mtime = 0;
    std::uint64_t size = 0;

    explicit Mark(std::string name) : file(std::move(name)) {
        if (const auto seen = sys::status(file)) mtime = seen->mtime, size = seen->size;
    }
    bool stale() const {
        const Mark now(file);
        return now.mtime != mtime || now.size != size;
    }
};

Result<Context> make_context(const std::string& certificate, const std::string& key, const std::string& minimum) {
    auto identities = TRY(read_identities(certificate, key));
    Context context(::SSL_CTX_new(::TLS_server_method()));
    if (!context) return base::fail_later(Kind::limit, "TLS: " + reason());
    SSL_CTX* c = context.get();
    SSL_CTX_set_min_proto_version(c, minimum == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION);
    ::SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    ::SSL_CTX_set_num_tickets(c, 0);
    ::SSL_CTX_set_cipher_list(c, ciphers);
    for (const Identity& one : identities) {
        if (::SSL_CTX_use_certificate(c, one.certificate.get()) != 1 || ::SSL_CTX_use_PrivateKey(c, one.key.get()) != 1)
            return base::fail(Kind::config, certificate + ": " + reason());
        for (const Certificate& link : one.chain) SSL_CTX_add1_chain_cert(c, link.get());
    }
    return context;
}

}  // namespace

struct ServerContext::State {
    ServerFiles files;
    Context context;
    std::vector<Mark> marks;
    std::map<std::string, Context> named;  // by SNI; nothing where there is no such file, or no good one
    TicketKeys tickets;
    Result<void> tickets_loaded;

    static int choose(SSL* ssl, int*, void* self);
    SSL_CTX* find(std::string_view name);
};

// A name becomes part of a path: only what a host name is made of, and no dot in front.
SSL_CTX* ServerContext::State::find(std::string_view name) {
    const std::string lower = base::lower(name);
    if (lower.empty() || lower.front() == '.') return nullptr;
    for (const char c : lower)
        if (!base::is_alnum(c) && c != '-' && c != '.') return nullptr;
    const auto known = named.find(lower);
    if (known != named.end()) return known->second.get();
    const std::string file = sys::join(files.sni_directory, lower + ".pem");
    if (!sys::status(file)) return nullptr;
    auto made = make_context(file, {}, files.minimum);
    if (!made) return nullptr;
    marks.emplace_back(file);
    tickets.enable(made->get());
    return (named[lower] = std::move(*made)).get();
}

// Who asks for a name we do not have gets the certificate we have.
int ServerContext::State::choose(SSL* ssl, int*, void* self) {
    const char* name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_CTX* other = static_cast<State*>(self)->find(name);
    if (other == nullptr) return SSL_TLSEXT_ERR_NOACK;
    ::SSL_set_SSL_CTX(ssl, other);
    return SSL_TLSEXT_ERR_OK;
}

ServerContext::ServerContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerContext::~ServerContext() = default;
ServerContext::ServerContext(ServerContext&&) noexcept = default;
ServerContext& ServerContext::operator=(ServerContext&&) noexcept = default;

Result<ServerContext> ServerContext::load(const ServerFiles& files) {
    auto state = std::make_unique<State>();
    state->files = files;
    // Before they are read: a change in between is seen as one.
    for (const auto* file : {&files.certificate, &files.key, &files.ticket_key})
        if (!file->empty()) state->marks.emplace_back(*file);
    state->context = TRY(make_context(files.certificate, files.key, files.minimum));
    if (!files.sni_directory.empty()) {
        ::SSL_CTX_callback_ctrl(state->context.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                                reinterpret_cast<void (*)()>(State::choose));
        SSL_CTX_set_tlsext_servername_arg(state->context.get(), state.get());
    }
    if (!files.ticket_key.empty()) state->tickets_loaded = state->tickets.load(files.ticket_key);
    state->tickets.enable(state->context.get());
    return ServerContext(std::move(state));
}

const Result<void>& ServerContext::tickets() const { return state_->tickets_loaded; }

bool ServerContext::stale() const {
    for (const Mark& mark : state_->marks)
        if (mark.stale()) return true;
    return false;
}

Result<Stream> ServerContext::accept(int in, int out, sys::Deadline deadline) const {
    return Stream::make(TRY(engine()), in, out, deadline);
}

Result<Engine> ServerContext::engine() const { return Engine(TRY(Engine::State::make(state_->context.get(), true))); }

}  // namespace greylag::tls
