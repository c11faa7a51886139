#include "tls/certificate.hh"

#include <openssl/x509v3.h>

#include <array>
#include <cstdio>

#include "base/hex.hh"

namespace greylag::tls {

namespace {

std::string one_line(const X509_NAME* name) {
    const Bio bio(::BIO_new(::BIO_s_mem()));
    if (!bio || ::X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB)) < 0)
        return {};
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

std::string text_of(const ASN1_STRING* string) {
    const void* bytes = ::ASN1_STRING_get0_data(string);
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(::ASN1_STRING_length(string))};
}

std::string address_text(const ASN1_STRING* string) {
    const std::string bytes = text_of(string);
    const auto octet = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(bytes[i])); };
    std::string out;
    if (bytes.size() == 4) {
        for (std::size_t i = 0; i < 4; ++i) out += (i == 0 ? "" : ".") + std::to_string(octet(i));
    } else if (bytes.size() == 16) {
        for (std::size_t i = 0; i < 16; i += 2) {
            std::array<char, 8> group;
            std::snprintf(group.data(), group.size(), "%s%x", i == 0 ? "" : ":", octet(i) << 8 | octet(i + 1));
            out += group.data();
        }
    }
    return out;
}

std::vector<std::string> names_of(X509* certificate) {
    std::vector<std::string> names;
    auto* alternatives = static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
        int type = 0;
        const void* value = ::GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(alternatives, i), &type);
        if (type == GEN_DNS) names.push_back(text_of(static_cast<const ASN1_STRING*>(value)));
        if (type == GEN_IPADD) names.push_back(address_text(static_cast<const ASN1_STRING*>(value)));
    }
    ::GENERAL_NAMES_free(alternatives);
    if (!names.empty()) return names;
    const X509_NAME* subject = ::X509_get_subject_name(certificate);
    for (int at = -1; (at = ::X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        names.push_back(text_of(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, at))));
    return names;
}

std::string moment(const ASN1_TIME* time) {
    std::tm when{};
    if (::ASN1_TIME_to_tm(time, &when) != 1) return {};
    std::array<char, 80> text;
    std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02d UTC", when.tm_year + 1900, when.tm_mon + 1,
                  when.tm_mday, when.tm_hour, when.tm_min, when.tm_sec);
    return text.data();
}

std::string sha256_of(std::string prefix, const unsigned char* bytes, std::size_t size) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
    unsigned length = 0;
    if (bytes == nullptr || ::EVP_Digest(bytes, size, hash.data(), &length, ::EVP_sha256(), nullptr) != 1) return {};
    for (unsigned i = 0; i < length; ++i) base::append_hex(prefix, static_cast<char>(hash.at(i)), base::hex_lower);
    return prefix;
}

}  // namespace

PeerCertificate describe(X509* certificate) {
    PeerCertificate seen;
    seen.subject = one_line(::X509_get_subject_name(certificate));
    seen.issuer = one_line(::X509_get_issuer_name(certificate));
    seen.names = names_of(certificate);
    seen.not_after = moment(::X509_get0_notAfter(certificate));
    unsigned char* bytes = nullptr;
    int size = ::i2d_X509(certificate, &bytes);
    if (size > 0) seen.sha256 = sha256_of("sha256:", bytes, static_cast<std::size_t>(size));
    ::OPENSSL_free(bytes);
    bytes = nullptr;
    size = ::i2d_X509_PUBKEY(::X509_get_X509_PUBKEY(certificate), &bytes);
    if (size > 0) seen.spki_sha256 = sha256_of("spki-sha256:", bytes, static_cast<std::size_t>(size));
    ::OPENSSL_free(bytes);
    ::ERR_clear_error();
    return seen;
}

bool is_address(const std::string& name) {
    ASN1_OCTET_STRING* address = ::a2i_IPADDRESS(name.c_str());
    ::ASN1_OCTET_STRING_free(address);
    ::ERR_clear_error();
    return address != nullptr;
}

std::string name_fault(X509* certificate, const PeerCertificate& described, const std::string& name) {
    if (name.empty()) return "no name to compare it with";
    const int same = is_address(name) ? ::X509_check_ip_asc(certificate, name.c_str(), 0)
                                      : ::X509_check_host(certificate, name.data(), name.size(),
                                                          X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr);
    ::ERR_clear_error();
    if (same == 1) return {};
    constexpr std::size_t enough = 3;
    std::string whom;
    for (std::size_t i = 0; i < described.names.size() && i < enough; ++i) whom += (i == 0 ? "" : ", ") + described.names[i];
    if (described.names.size() > enough) whom += " and others";
    return "it is for " + (whom.empty() ? "nobody" : whom) + ", not " + name;
}

}  // namespace greylag::tls
