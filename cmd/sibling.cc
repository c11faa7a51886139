#include "cmd/sibling.hh"

#include <unistd.h>

#include <cerrno>

#include "sys/fd.hh"
#include "sys/file.hh"
#include "sys/host.hh"

namespace greylag::cmd {

std::string sibling_path(const std::string& libexec, const std::string& name) {
    const std::string installed = sys::join(libexec, name);
    if (const auto seen = sys::status(installed); seen && seen->executable) return installed;
    const std::string beside = sys::own_directory();
    if (beside.empty()) return installed;
    const std::string other = sys::join(beside, name);
    const auto seen = sys::status(other);
    return seen && seen->executable ? other : installed;
}

Error become(const std::string& path, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), path);
    std::vector<char*> argv;
    for (auto& word : arguments) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(path.c_str(), argv.data());
    return sys::os_error(path, errno);
}

}  // namespace greylag::cmd
