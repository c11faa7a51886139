#include "client/digests.hh"
#include "tls/digest.hh"

namespace greylag::client {

sasl::Digests all_digests() {
    sasl::Digests out = digests(tls::hmac_md5);
    out.md5 = tls::md5;
    out.sha1 = tls::sha1;
    out.hmac_sha1 = tls::hmac_sha1;
    out.pbkdf2_sha1 = tls::pbkdf2_sha1;
    return out;
}

}  // namespace greylag::client
