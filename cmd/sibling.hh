// A program that is made of the same sources as another one, with OpenSSL inside: NAME-tls beside NAME or in libexec.
#pragma once
#include <string>
#include <vector>

#include "base/result.hh"

namespace greylag::cmd {

// In the libexec directory, or beside the running program: a build directory, a try-out. Where it is nowhere, where it should be.
std::string sibling_path(const std::string& libexec, const std::string& name);

// Becomes the program at `path` with these arguments: comes back only with an error.
Error become(const std::string& path, std::vector<std::string> arguments);

}  // namespace greylag::cmd
