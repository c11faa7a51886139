#include "tls/tickets.hh"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/wipe.hh"
#include "sys/file.hh"

namespace greylag::tls {

namespace {

using One = TicketKeys::One;

bool set_mac_key(EVP_MAC_CTX* mac, const One& key) {
    char digest[] = "SHA256";
    auto secret = key.mac;
    const OSSL_PARAM params[] = {::OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret.data(), secret.size()),
                                 ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 ::OSSL_PARAM_construct_end()};
    return ::EVP_MAC_CTX_set_params(mac, params) == 1;
}

// OpenSSL's contract: 1 go on, 2 go on and renew, 0 a ticket we do not know, -1 a fault.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int making) {
    const auto* keys = static_cast<const TicketKeys::Pair*>(SSL_CTX_get_app_data(::SSL_get_SSL_CTX(ssl)));
    if (keys == nullptr) return 0;
    if (making != 0) {
        const One& key = keys->now;
        if (::RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
        std::copy(key.name.begin(), key.name.end(), name);
        const bool done =
            ::EVP_EncryptInit_ex(cipher, ::EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) == 1 && set_mac_key(mac, key);
        return done ? 1 : -1;
    }
    for (const One* key : {&keys->now, &keys->old}) {
        if ((key == &keys->old && !keys->has_old) || !std::equal(key->name.begin(), key->name.end(), name)) continue;
        if (!set_mac_key(mac, *key)) return -1;
        if (::EVP_DecryptInit_ex(cipher, ::EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) != 1) return -1;
        // Under TLS 1.3 a client uses a ticket once: without a fresh one its third session is a whole handshake.
        return key == &keys->old || ::SSL_version(ssl) >= TLS1_3_VERSION ? 2 : 1;
    }
    return 0;
}

constexpr std::size_t key_size = 80;

One cut(std::string_view bytes) {
    One key;
    std::copy_n(bytes.begin(), 16, key.name.begin());
    std::copy_n(bytes.begin() + 16, 32, key.cipher.begin());
    std::copy_n(bytes.begin() + 48, 32, key.mac.begin());
    return key;
}

}  // namespace

Result<void> TicketKeys::load(const std::string& file) {
    pair_.reset();
    std::string bytes = TRY(sys::read_file(file, 4096, sys::Guard::private_to_owner));
    if (bytes.size() != key_size && bytes.size() != 2 * key_size)
        return base::fail(Kind::config, file + ": expected a key of 80 octets, or two");
    pair_ = std::make_unique<Pair>();
    pair_->now = cut(bytes);
    pair_->has_old = bytes.size() > key_size;
    if (pair_->has_old) pair_->old = cut(std::string_view(bytes).substr(key_size));
    base::wipe(bytes);
    return {};
}

void TicketKeys::enable(SSL_CTX* context) const {
    if (!pair_) return;
    SSL_CTX_set_app_data(context, pair_.get());
    ::SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    constexpr unsigned char name[] = "greylag";
    ::SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
    ::SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
    ::SSL_CTX_set_num_tickets(context, 1);
}

}  // namespace greylag::tls
