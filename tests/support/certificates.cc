#include "tests/support/certificates.hh"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>

namespace greylag::test {

struct Authority::State {
    EVP_PKEY* key = nullptr;
    X509* certificate = nullptr;
    ~State() {
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
};

namespace {

EVP_PKEY* make_key(KeyKind kind) { return kind == KeyKind::rsa ? EVP_RSA_gen(2048u) : EVP_EC_gen("P-256"); }

void extend(X509* x, int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
}

X509* make_certificate(const CertificateWish& wish, EVP_PKEY* key, const X509* issuer, EVP_PKEY* signer, bool authority) {
    static long serial = 1;
    X509* x = X509_new();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_time_adj_ex(X509_getm_notBefore(x), wish.from_days, 0, nullptr);
    X509_time_adj_ex(X509_getm_notAfter(x), wish.to_days, 0, nullptr);
    X509_set_pubkey(x, key);
    const void* text = wish.common_name.data();
    X509_NAME* subject = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, static_cast<const unsigned char*>(text), -1, -1, 0);
    X509_set_issuer_name(x, issuer != nullptr ? X509_get_subject_name(issuer) : subject);
    if (!wish.names.empty()) extend(x, NID_subject_alt_name, wish.names);
    if (authority) extend(x, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(x, signer, EVP_sha256());
    return x;
}

std::string pem_of(X509* certificate, EVP_PKEY* key) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    if (key != nullptr) PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

X509* read_pem(std::string_view pem) {
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    X509* x = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    return x;
}

std::string sha256_hex(const unsigned char* bytes, int size) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_Digest(bytes, static_cast<std::size_t>(size), hash, &length, EVP_sha256(), nullptr);
    std::string text;
    char two[3];
    for (unsigned i = 0; i < length; ++i) std::snprintf(two, sizeof two, "%02x", hash[i]), text += two;
    return text;
}

}  // namespace

Authority::Authority(const std::string& name) : state_(std::make_unique<State>()) {
    state_->key = make_key(KeyKind::p256);
    CertificateWish wish;
    wish.common_name = name;
    wish.from_days = -1000;
    state_->certificate = make_certificate(wish, state_->key, nullptr, state_->key, true);
    pem_ = pem_of(state_->certificate, nullptr);
}
Authority::~Authority() = default;

std::string Authority::hashed_name() const {
    char text[16];
    std::snprintf(text, sizeof text, "%08lx.0",
                  X509_NAME_hash_ex(X509_get_subject_name(state_->certificate), nullptr, nullptr, nullptr));
    return text;
}

std::string Authority::issue(const CertificateWish& wish) const {
    EVP_PKEY* key = make_key(wish.key);
    X509* x = make_certificate(wish, key, state_->certificate, state_->key, false);
    std::string pem = pem_of(x, key);
    X509_free(x);
    EVP_PKEY_free(key);
    return pem;
}

std::string self_signed(const CertificateWish& wish) {
    EVP_PKEY* key = make_key(wish.key);
    X509* x = make_certificate(wish, key, nullptr, key, false);
    std::string pem = pem_of(x, key);
    X509_free(x);
    EVP_PKEY_free(key);
    return pem;
}

std::string sha256_of_certificate(std::string_view pem) {
    X509* x = read_pem(pem);
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(x, &bytes);
    std::string text = sha256_hex(bytes, size);
    OPENSSL_free(bytes);
    X509_free(x);
    return text;
}

std::string sha256_of_key(std::string_view pem) {
    X509* x = read_pem(pem);
    unsigned char* bytes = nullptr;
    const int size = i2d_PUBKEY(X509_get0_pubkey(x), &bytes);
    std::string text = sha256_hex(bytes, size);
    OPENSSL_free(bytes);
    X509_free(x);
    return text;
}

}  // namespace greylag::test
