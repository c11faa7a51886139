#include "tls/pem.hh"

#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "base/scope.hh"
#include "base/wipe.hh"
#include "sys/file.hh"

namespace greylag::tls {

namespace {

constexpr std::size_t file_limit = 1 << 20;

using DecoderContext = std::unique_ptr<OSSL_DECODER_CTX, Freed<::OSSL_DECODER_CTX_free>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<::PKCS8_PRIV_KEY_INFO_free>>;

Bio memory(std::string_view text) { return Bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// An encrypted key would ask the terminal for its password.
int no_password(char*, int, int, void*) { return -1; }

std::vector<Certificate> certificates(const std::string& text) {
    std::vector<Certificate> all;
    const Bio bio = memory(text);
    while (auto* one = ::PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)) all.emplace_back(one);
    ::ERR_clear_error();
    return all;
}

// A key of one kind out of its DER. Without the kind OpenSSL makes ready every decoder for every kind of key, at a tenth of what
// a session costs.
Key decode(const char* kind, const char* structure, const unsigned char* der, std::size_t size) {
    EVP_PKEY* made = nullptr;
    const DecoderContext context(
        ::OSSL_DECODER_CTX_new_for_pkey(&made, "DER", structure, kind, EVP_PKEY_KEYPAIR, nullptr, nullptr));
    if (context) (void)::OSSL_DECODER_from_data(context.get(), &der, &size);
    return Key(made);
}

// RFC 5958 tells the kind inside, the older forms (RFC 5915 4, RFC 8017 A.1.2) by their label.
Key key_of(std::string_view label, const unsigned char* der, std::size_t size) {
    if (label == PEM_STRING_ECPRIVATEKEY) return decode("EC", "type-specific", der, size);
    if (label == PEM_STRING_RSA) return decode("RSA", "type-specific", der, size);
    if (label != PEM_STRING_PKCS8INF) return {};
    const unsigned char* at = der;
    const Pkcs8 information(::d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(size)));
    const ASN1_OBJECT* algorithm = nullptr;
    if (!information || ::PKCS8_pkey_get0(&algorithm, nullptr, nullptr, nullptr, information.get()) != 1) return {};
    std::array<char, 80> kind;
    if (::OBJ_obj2txt(kind.data(), kind.size(), algorithm, 0) <= 0) return {};
    return decode(kind.data(), "PrivateKeyInfo", der, size);
}

// The first block of the text.
Key read_key(std::string_view text) {
    char *label = nullptr, *header = nullptr;
    unsigned char* bytes = nullptr;
    long size = 0;
    if (::PEM_read_bio(memory(text).get(), &label, &header, &bytes, &size) != 1) return {};
    const auto octets = static_cast<std::size_t>(size);
    const base::Scope free_all([&] {
        ::OPENSSL_free(label);
        ::OPENSSL_free(header);
        ::OPENSSL_clear_free(bytes, octets);
    });
    // A header is that of an encrypted key (RFC 1421 4.6).
    return *header == '\0' ? key_of(label, bytes, octets) : Key();
}

std::vector<Key> keys(std::string_view text) {
    constexpr std::string_view begin = "-----BEGIN ", key = "PRIVATE KEY-----";
    std::vector<Key> all;
    for (std::size_t at = 0; (at = text.find(begin, at)) != std::string_view::npos; at += begin.size()) {
        const auto block = text.substr(at);
        if (block.substr(0, block.find_first_of("\r\n")).find(key) == std::string_view::npos) continue;
        if (auto one = read_key(block)) all.push_back(std::move(one));
    }
    ::ERR_clear_error();
    return all;
}

}  // namespace

Result<std::vector<Identity>> read_identities(const std::string& file, const std::string& keys_file) {
    std::string text = TRY(sys::read_file(file, file_limit));
    auto chain = certificates(text);
    if (chain.empty()) {
        base::wipe(text);
        return base::fail(Kind::config, file + ": no certificate in it");
    }
    const std::string& where = keys_file.empty() ? file : keys_file;
    std::string key_text = keys_file.empty() ? text : TRY(sys::read_file(keys_file, file_limit));
    auto all_keys = keys(key_text);
    base::wipe(key_text);
    base::wipe(text);
    if (all_keys.empty())
        return base::fail(Kind::config, where + ": no key in it that can be read without a password (RSA, EC or Ed25519)");

    std::vector<Identity> found;
    for (auto& certificate : chain) {
        const auto key = std::find_if(all_keys.begin(), all_keys.end(), [&](const Key& k) {
            return k && ::X509_check_private_key(certificate.get(), k.get()) == 1;
        });
        ::ERR_clear_error();
        if (key != all_keys.end())
            found.push_back({std::move(certificate), std::move(*key), {}});
        else if (!found.empty())
            found.back().chain.push_back(std::move(certificate));
    }
    if (found.empty()) return base::fail(Kind::config, where + ": no key in it fits a certificate of " + file);
    std::vector<Identity> sorted;
    for (const bool rsa : {false, true})
        for (auto& one : found)
            if (one.key && (::EVP_PKEY_base_id(one.key.get()) == EVP_PKEY_RSA) == rsa) sorted.push_back(std::move(one));
    return sorted;
}

}  // namespace greylag::tls
