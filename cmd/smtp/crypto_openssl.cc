#include "client/tls_security.hh"
#include "cmd/smtp/crypto.hh"

namespace greylag::sender {
std::unique_ptr<client::Security> make_security(tls::ClientPolicy policy) {
    return std::make_unique<client::TlsSecurity>(std::move(policy));
}
}  // namespace greylag::sender
