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

Result<One> read_key(const std::string& file) {
    std::string bytes = TRY(sys::read_file(file, 4096, sys::Guard::private_to_owner));
    if (bytes.size() != 80) return base::fail(Kind::config, file + ": a ticket key is 80 octets");
    One key;
    std::copy_n(bytes.begin(), 16, key.name.begin());
    std::copy_n(bytes.begin() + 16, 32, key.cipher.begin());
    std::copy_n(bytes.begin() + 48, 32, key.mac.begin());
    base::wipe(bytes);
    return key;
}

}  // namespace

Result<void> TicketKeys::load(const std::string& file, SSL_CTX* context) {
    pair_ = std::make_unique<Pair>();
    pair_->now = TRY(read_key(file));
    if (auto old = read_key(file + ".old")) {
        pair_->old = *old;
        pair_->has_old = true;
    }
    SSL_CTX_set_app_data(context, pair_.get());
    ::SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    constexpr unsigned char name[] = "greylag";
    ::SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
    ::SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
    ::SSL_CTX_set_num_tickets(context, 1);
    return {};
}

}  // namespace greylag::tls
