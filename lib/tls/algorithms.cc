// A provider of OpenSSL (provider-base(7)) that is the default one, but for the list of what it has. At the first request for one
// algorithm OpenSSL prepares all of that kind, 130 ciphers for the one that is used: half of the work of a short session.
#include "tls/algorithms.hh"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/opensslv.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#if OPENSSL_VERSION_NUMBER < 0x30200000L
// Of the static library; a shared one keeps it to itself.
extern "C" [[gnu::weak]] OSSL_provider_init_fn ossl_default_provider_init;
#endif

namespace greylag::tls {

#if OPENSSL_VERSION_NUMBER < 0x30200000L

namespace {

// By the first name of each in OpenSSL's own lists; other kinds of operation are the default provider's, whole. No Ed448 and no
// X448: no authority signs for the one, who has the other has X25519, too. Ciphers with an HMAC inside would only be quicker.
using Names = std::span<const std::string_view>;
constexpr std::string_view digests[] = {"SHA1",     "SHA2-224", "SHA2-256",
                                        "SHA2-384", "SHA2-512", "MD5"};  // for CRAM-MD5 and DIGEST-MD5
// ECB and CTR are the random generator's, CBC is TLS 1.2's and the tickets'.
constexpr std::string_view ciphers[] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-128-CBC",
                                        "AES-256-CBC", "AES-256-ECB", "AES-256-CTR"};
constexpr std::string_view macs[] = {"HMAC"};
constexpr std::string_view kdfs[] = {"HKDF", "TLS13-KDF", "TLS1-PRF", "PBKDF2"};
constexpr std::string_view generators[] = {"CTR-DRBG", "SEED-SRC"};
constexpr std::string_view keys[] = {"RSA", "RSA-PSS", "EC", "ED25519", "X25519", "DH", "HMAC"};
constexpr std::string_view exchanges[] = {"ECDH", "X25519", "DH"};
constexpr std::string_view signatures[] = {"RSA", "ECDSA", "ED25519", "HMAC"};
constexpr std::string_view decoders[] = {"RSA", "RSA-PSS", "EC", "ED25519"};
constexpr std::pair<int, Names> wanted[] = {
    {OSSL_OP_DIGEST, digests},    {OSSL_OP_CIPHER, ciphers},       {OSSL_OP_MAC, macs},
    {OSSL_OP_KDF, kdfs},          {OSSL_OP_RAND, generators},      {OSSL_OP_KEYMGMT, keys},
    {OSSL_OP_KEYEXCH, exchanges}, {OSSL_OP_SIGNATURE, signatures}, {OSSL_OP_DECODER, decoders},
};

// Those of a certificate and of a PEM file (pem.cc): OpenSSL compares every decoder with every other.
bool is_form_of_keys(std::string_view properties) {
    for (const std::string_view form :
         {"input=der,structure=PrivateKeyInfo", "input=der,structure=SubjectPublicKeyInfo", "input=der,structure=type-specific"})
        if (properties.ends_with(form)) return true;
    return false;
}

bool is_wanted(int operation, const OSSL_ALGORITHM& one, Names names) {
    const std::string_view all = one.algorithm_names, properties = one.property_definition;
    const auto first = all.substr(0, all.find(':'));
    if (std::find(names.begin(), names.end(), first) == names.end()) return false;
    return operation != OSSL_OP_DECODER || is_form_of_keys(properties);
}

// What OpenSSL offers by itself: X25519, the curves of NIST, five finite fields. Others have to be asked for by name.
constexpr unsigned groups[] = {29, 23, 24, 25, 256, 257, 258, 259, 260};

struct Listener {
    OSSL_CALLBACK* tell;
    void* whom;
};
int tell_wanted(const OSSL_PARAM* group, void* listener) {
    unsigned id = 0;
    const OSSL_PARAM* said = ::OSSL_PARAM_locate_const(group, OSSL_CAPABILITY_TLS_GROUP_ID);
    if (said == nullptr || ::OSSL_PARAM_get_uint(said, &id) != 1) return 1;
    const auto* to = static_cast<const Listener*>(listener);
    return std::find(std::begin(groups), std::end(groups), id) == std::end(groups) ? 1 : to->tell(group, to->whom);
}

using Query = OSSL_FUNC_provider_query_operation_fn*;
const OSSL_ALGORITHM* query(void* context, int operation, int* no_cache);
using Capabilities = OSSL_FUNC_provider_get_capabilities_fn*;
int capabilities(void* context, const char* name, OSSL_CALLBACK* tell, void* whom);

struct Choice {
    Query whole = nullptr;
    Capabilities all_capabilities = nullptr;
    std::vector<OSSL_DISPATCH> functions;  // the default provider's, but for the questions what it has
    std::array<std::vector<OSSL_ALGORITHM>, std::size(wanted)> lists;

    Choice(const OSSL_DISPATCH* given, void* context) {
        for (; given->function_id != 0; ++given) {
            functions.push_back(*given);
            if (given->function_id == OSSL_FUNC_PROVIDER_QUERY_OPERATION) {
                whole = OSSL_FUNC_provider_query_operation(given);
                functions.back().function = reinterpret_cast<void (*)()>(query);
            } else if (given->function_id == OSSL_FUNC_PROVIDER_GET_CAPABILITIES) {
                all_capabilities = OSSL_FUNC_provider_get_capabilities(given);
                functions.back().function = reinterpret_cast<void (*)()>(capabilities);
            }
        }
        functions.push_back({0, nullptr});
        for (std::size_t i = 0; whole != nullptr && i < lists.size(); ++i) {
            const auto& [operation, names] = wanted[i];
            int no_cache = 0;
            const auto* one = whole(context, operation, &no_cache);
            lists.at(i).reserve(3 * names.size() + 1);
            for (; one != nullptr && one->algorithm_names != nullptr; ++one)
                if (is_wanted(operation, *one, names)) lists.at(i).push_back(*one);
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
        if (wanted[i].first == operation) return chosen.lists.at(i).data();
    return chosen.whole(context, operation, no_cache);
}

int capabilities(void* context, const char* name, OSSL_CALLBACK* tell, void* whom) {
    const Choice& chosen = choice(nullptr, context);
    if (name != std::string_view("TLS-GROUP")) return chosen.all_capabilities(context, name, tell, whom);
    Listener listener{tell, whom};
    return chosen.all_capabilities(context, name, tell_wanted, &listener);
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
