// A provider of OpenSSL (provider-base(7)) that is the default one, but for the list of what it has. At the first request for one
// algorithm OpenSSL prepares all of that kind, 130 ciphers for the one that is used: half of the work of a short session.
#include "tls/algorithms.hh"

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/opensslv.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/ascii.hh"

#if OPENSSL_VERSION_NUMBER < 0x30200000L
// Of the static library; a shared one keeps it to itself.
extern "C" [[gnu::weak]] OSSL_provider_init_fn ossl_default_provider_init;
#endif

namespace greylag::tls {

#if OPENSSL_VERSION_NUMBER < 0x30200000L

namespace {

// By the first name of each in OpenSSL's own lists; other kinds of operation are the default provider's, whole.
struct Few {
    int operation;
    std::string_view names;
};
constexpr Few wanted[] = {
    // SHAKE-256 is Ed448's, MD5 that of CRAM-MD5 and DIGEST-MD5.
    {OSSL_OP_DIGEST, "SHA1 SHA2-224 SHA2-256 SHA2-384 SHA2-512 SHAKE-256 MD5"},
    // ECB and CTR are the random generator's, CBC is TLS 1.2's and the tickets'.
    {OSSL_OP_CIPHER,
     "AES-128-GCM AES-256-GCM ChaCha20-Poly1305 AES-128-CBC AES-256-CBC AES-256-ECB AES-256-CTR"
     " AES-128-CBC-HMAC-SHA1 AES-256-CBC-HMAC-SHA1 AES-128-CBC-HMAC-SHA256 AES-256-CBC-HMAC-SHA256"},
    {OSSL_OP_MAC, "HMAC"},
    {OSSL_OP_KDF, "HKDF TLS13-KDF TLS1-PRF PBKDF2"},
    {OSSL_OP_RAND, "CTR-DRBG SEED-SRC"},
    {OSSL_OP_KEYMGMT, "RSA RSA-PSS EC ED25519 ED448 X25519 X448 DH HMAC"},
    {OSSL_OP_KEYEXCH, "ECDH X25519 X448 DH"},
    {OSSL_OP_SIGNATURE, "RSA ECDSA ED25519 ED448 HMAC"},
    {OSSL_OP_DECODER, "DER RSA RSA-PSS EC ED25519 ED448"},
};

bool is_wanted(const OSSL_ALGORITHM& one, const std::vector<std::string_view>& names) {
    const std::string_view all = one.algorithm_names, properties = one.property_definition;
    const auto first = all.substr(0, all.find(':'));
    if (std::none_of(names.begin(), names.end(), [&](std::string_view name) { return base::iequals(name, first); })) return false;
    // Microsoft's own formats of keys.
    return properties.find("input=msblob") == std::string_view::npos && properties.find("input=pvk") == std::string_view::npos;
}

using Query = OSSL_FUNC_provider_query_operation_fn*;
const OSSL_ALGORITHM* query(void* context, int operation, int* no_cache);

struct Choice {
    Query whole = nullptr;
    std::vector<OSSL_DISPATCH> functions;  // the default provider's, but for the question what it has
    std::array<std::vector<OSSL_ALGORITHM>, std::size(wanted)> lists;

    Choice(const OSSL_DISPATCH* given, void* context) {
        for (; given->function_id != 0; ++given) {
            functions.push_back(*given);
            if (given->function_id != OSSL_FUNC_PROVIDER_QUERY_OPERATION) continue;
            whole = OSSL_FUNC_provider_query_operation(given);
            functions.back().function = reinterpret_cast<void (*)()>(query);
        }
        functions.push_back({0, nullptr});
        for (std::size_t i = 0; whole != nullptr && i < lists.size(); ++i) {
            const auto names = base::words(wanted[i].names);
            int no_cache = 0;
            const auto* one = whole(context, wanted[i].operation, &no_cache);
            for (; one != nullptr && one->algorithm_names != nullptr; ++one)
                if (is_wanted(*one, names)) lists.at(i).push_back(*one);
            lists.at(i).push_back({nullptr, nullptr, nullptr, nullptr});
        }
    }
};

// Once for the process: OpenSSL hands its algorithms the default provider's context, so there is no place in it for ours.
const Choice& choice(const OSSL_DISPATCH* given, void* context) {
    static const Choice one(given, context);
    return one;
}

const OSSL_ALGORITHM* query(void* context, int operation, int* no_cache) {
    const Choice& chosen = choice(nullptr, context);
    *no_cache = 0;
    for (std::size_t i = 0; i < chosen.lists.size(); ++i)
        if (wanted[i].operation == operation) return chosen.lists.at(i).data();
    return chosen.whole(context, operation, no_cache);
}

// OpenSSL's contract: 1 is success.
int begin(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* from_core, const OSSL_DISPATCH** ours, void** context) {
    const OSSL_DISPATCH* given = nullptr;
    if (::ossl_default_provider_init(core, from_core, &given, context) != 1) return 0;
    const Choice& chosen = choice(given, *context);
    *ours = chosen.functions.data();
    return chosen.whole != nullptr ? 1 : 0;
}

}  // namespace

void load_few_algorithms() {
    if (::ossl_default_provider_init == nullptr) return;
    if (::OSSL_PROVIDER_add_builtin(nullptr, "greylag", begin) == 1) ::OSSL_PROVIDER_load(nullptr, "greylag");
    ::ERR_clear_error();  // a second time it is there already
}

#else

void load_few_algorithms() {}

#endif

}  // namespace greylag::tls
