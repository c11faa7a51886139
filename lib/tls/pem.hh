// Inside lib/tls only: chains and their keys out of PEM files.
#pragma once
#include <string>
#include <vector>

#include "tls/openssl.hh"

namespace greylag::tls {

struct Identity {
    Certificate certificate;
    Key key;
    std::vector<Certificate> chain;  // what stands behind the certificate, up to the next one that has a key
};

// Every certificate that has its key in `keys_file` (empty: in the same file), elliptic curves first. Never empty.
Result<std::vector<Identity>> read_identities(const std::string& file, const std::string& keys_file);

}  // namespace greylag::tls
