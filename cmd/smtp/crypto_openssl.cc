#include "client/tls_security.hh"
#include "cmd/smtp/crypto.hh"
#include "tls/process.hh"

namespace greylag::sender {
std::unique_ptr<client::Security> make_security(tls::ClientPolicy policy) {
    tls::own_process();
    return std::make_unique<client::TlsSecurity>(std::move(policy));
}
}  // namespace greylag::sender
