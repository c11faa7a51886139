// Giving rights away.
#pragma once
#include <string>

#include "base/result.hh"

namespace greylag::sys {

bool is_root();

// Becomes `user` (a name of /etc/passwd or a number) with its groups from /etc/group, for ever. Reads the files itself: a
// static program has no NSS. Only for root; anybody else gets an error unless it is that user already.
Result<void> become(const std::string& user);

}  // namespace greylag::sys
