// smtpd --check: what an administrator runs before a client does.
#pragma once
#include "cmd/smtpd/crypto.hh"
#include "cmd/smtpd/setup.hh"

namespace greylag::smtpd {

// Prints each setting with its source on standard output and every fault on standard error. 0, or 78 when there is a fault.
int check(const Setup& setup, Crypto* crypto);

}  // namespace greylag::smtpd
