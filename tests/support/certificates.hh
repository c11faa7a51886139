// Certificates made on the spot, by OpenSSL itself: an authority, what it issues, and what nobody issued.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/tls_layer.hh"

namespace greylag::test {

struct CertificateWish {
    std::string common_name = "mx.example";
    std::string names{};  // "DNS:mx.example,IP:192.0.2.1"; empty: the common name alone
    int from_days = -1, to_days = 10;
    KeyKind key = KeyKind::p256;
};

class Authority {
public:
    explicit Authority(const std::string& name = "Test Root");
    ~Authority();

    const std::string& pem() const { return pem_; }
    std::string hashed_name() const;                            // in a hashed directory: "1a2b3c4d.0"
    std::string issue(const CertificateWish& wish = {}) const;  // certificate and key, PEM

private:
    struct State;
    std::unique_ptr<State> state_;
    std::string pem_;
};

std::string self_signed(const CertificateWish& wish = {});  // certificate and key, PEM

// Of the first certificate, lower-case hexadecimal.
std::string sha256_of_certificate(std::string_view pem);
std::string sha256_of_key(std::string_view pem);

}  // namespace greylag::test
