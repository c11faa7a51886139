// Unqualified addresses in a header field made whole, everything else left byte for byte (RFC 5322 3.4, RFC 6409 8).
#pragma once
#include <string>
#include <string_view>

namespace greylag::mail {

// `value` is a field behind its colon, folds and all. "joe" becomes "joe@HOST"; "joe@box" becomes "joe@boxSUFFIX" where
// `suffix` (".example.org") is not empty. Names, comments, groups, literals and what cannot be read stay as they are; so do
// bang paths that begin with a host.
std::string qualify(std::string_view value, std::string_view host, std::string_view suffix = {});

// Fields that hold addresses: From, Sender, Reply-To, To, Cc and their Resent- kin.
bool holds_addresses(std::string_view field_name);

}  // namespace greylag::mail
