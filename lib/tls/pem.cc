#include "tls/pem.hh"

#include <openssl/pem.h>

#include <algorithm>

#include "base/wipe.hh"
#include "sys/file.hh"

namespace greylag::tls {

namespace {

constexpr std::size_t file_limit = 1 << 20;

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

// Block by block: OpenSSL looks through all its decoders before it sees that there is no further key, and that takes a fifth
// of the time until a session's TLS can begin.
std::vector<Key> keys(std::string_view text) {
    constexpr std::string_view begin = "-----BEGIN ", key = "PRIVATE KEY-----";
    std::vector<Key> all;
    for (std::size_t at = 0; (at = text.find(begin, at)) != std::string_view::npos; at += begin.size()) {
        const auto block = text.substr(at);
        if (block.substr(0, block.find_first_of("\r\n")).find(key) == std::string_view::npos) continue;
        if (auto* one = ::PEM_read_bio_PrivateKey(memory(block).get(), nullptr, no_password, nullptr)) all.emplace_back(one);
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
    if (all_keys.empty()) return base::fail(Kind::config, where + ": no key in it that can be read without a password");

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
