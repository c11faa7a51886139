// What of a session needs OpenSSL: the program smtp-tls has it; smtp has not and becomes the other where it is asked for TLS.
// Both are made of the same sources but for one file.
#pragma once
#include <memory>

#include "client/exchange.hh"
#include "tls/client.hh"

namespace greylag::sender {

// crypto_openssl.cc or crypto_none.cc, whichever the program was linked with; the latter has none.
std::unique_ptr<client::Security> make_security(tls::ClientPolicy policy);

}  // namespace greylag::sender
