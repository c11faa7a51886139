#include "cmd/send/settings_file.hh"

#include <cstdlib>

#include "sys/file.hh"

namespace greylag::cmd {
namespace {
constexpr std::size_t file_limit = 1 << 20;
}

std::string settings_path(std::string_view option_C) {
    if (!option_C.empty()) return std::string(option_C);
    const char* from_environment = std::getenv("GREYLAG_CONF");
    if (from_environment != nullptr && *from_environment != '\0') return from_environment;
    return std::string(config::installed_file());
}

Result<config::Loaded> load_settings(std::string_view option_C, bool& installed_missing) {
    const std::string path = settings_path(option_C);
    installed_missing = false;
    if (path == "/dev/null") return config::parse({}, path);
    auto bytes = sys::read_file(path, file_limit, sys::Guard::not_writable_by_others);
    if (bytes) return config::parse(*bytes, path);
    Error error = std::move(bytes).error();
    if (error.kind == Kind::not_found && path == config::installed_file()) {
        installed_missing = true;
        return config::parse({}, path);
    }
    error.kind = Kind::config;
    return std::unexpected(std::move(error));
}

}  // namespace greylag::cmd
