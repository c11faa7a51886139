// The digests of SASL's mechanisms, where the rooms that have them meet. Two objects: a program that asks for the first carries
// no OpenSSL.
#pragma once
#include "sasl/mechanism.hh"

namespace greylag::client {

// libsodium's: SCRAM-SHA-256, and CRAM-MD5 where the caller has an HMAC-MD5.
sasl::Digests digests(sasl::Digests::Mac hmac_md5 = nullptr);
// OpenSSL's, too: every mechanism.
sasl::Digests all_digests();

}  // namespace greylag::client
