// Inside lib/tls only: what a server's certificate says, and whom it is for.
#pragma once
#include <string>

#include "tls/client.hh"
#include "tls/openssl.hh"

namespace greylag::tls {

// Everything but `believed` and `reason`.
PeerCertificate describe(X509* certificate);

// Whether it is for `name`, a domain or an address: empty, or who it is for: "it is for other.example, not mx.example".
std::string name_fault(X509* certificate, const PeerCertificate& described, const std::string& name);

bool is_address(const std::string& name);

}  // namespace greylag::tls
