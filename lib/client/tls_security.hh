// TLS for sending sessions, by OpenSSL: a program that names this class carries it, and no other does.
#pragma once
#include <optional>

#include "client/exchange.hh"
#include "tls/client.hh"

namespace greylag::client {

class TlsSecurity final : public Security {
public:
    explicit TlsSecurity(tls::ClientPolicy policy) : policy_(std::move(policy)) {}
    Result<std::unique_ptr<Wire>> secure(int fd, const std::string& host, sys::Deadline deadline) const override;
    Digest* hmac_md5() const override;

private:
    tls::ClientPolicy policy_;
    mutable std::optional<tls::ClientContext> context_;  // made when the first server is ready for it
};

}  // namespace greylag::client
