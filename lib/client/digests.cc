#include "client/digests.hh"

#include "secret/random.hh"
#include "secret/sha256.hh"

namespace greylag::client {

sasl::Digests digests(sasl::Digests::Mac hmac_md5) {
    return {secret::sha256, secret::hmac_sha256, secret::pbkdf2_sha256, secret::equal, hmac_md5};
}

}  // namespace greylag::client
