#include "client/tls_security.hh"

#include "tls/digest.hh"

namespace greylag::client {

Result<std::unique_ptr<Wire>> TlsSecurity::secure(int fd, const std::string& host, sys::Deadline deadline) const {
    if (!context_) context_ = TRY(tls::ClientContext::make(policy_));
    return std::make_unique<TlsWire>(TRY(context_->connect(fd, fd, host, deadline)));
}

Security::Digest* TlsSecurity::hmac_md5() const { return tls::hmac_md5; }

}  // namespace greylag::client
