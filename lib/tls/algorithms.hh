// Inside lib/tls only: of OpenSSL's algorithms those that a session may choose.
#pragma once

namespace greylag::tls {

// For the whole process, instead of OpenSSL's default provider. Does nothing where OpenSSL is a shared library or a later one
// than 3.1, whose algorithms this list does not know: the default provider is loaded on demand.
void load_few_algorithms();

}  // namespace greylag::tls
