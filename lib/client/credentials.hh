// Passwords for servers, in the lines that factotum writes (Plan 9, factotum(4)):
//
//   key proto=pass service=smtp server=mx.example.org user=joe !password='it''s a secret'
//
// A value with blanks stands between single quotes, a quote in it is doubled. Empty lines and lines that begin with # are
// left out, and so are keys for other protocols and services. Pure; no sentence ever holds what a line says.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "base/wipe.hh"

namespace greylag::client {

// What is wrong with a line of `text`: "3: a quote is not closed". Every line is looked at, also behind one that serves.
Result<void> check_credentials(std::string_view text);

// The password of the first key for `user` at one of `servers`; those are asked for in their order, in any case of letters.
// Lines that are wrong are left out.
std::optional<base::Secret> find_password(std::string_view text, std::span<const std::string> servers, std::string_view user);

// There is a key for `user`, whatever its server.
bool knows_user(std::string_view text, std::string_view user);

}  // namespace greylag::client
