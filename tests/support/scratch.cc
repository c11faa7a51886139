#include "tests/support/scratch.hh"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "tests/support/must.hh"

namespace greylag::test {

namespace fs = std::filesystem;

Scratch::Scratch() {
    const char* base = ::getenv("TMPDIR");
    path_ = std::string(base != nullptr && *base == '/' ? base : "/tmp") + "/greylag.XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make a directory under " + path_);
}

Scratch::~Scratch() {
    std::error_code ignored;
    // A test may have taken its own rights away to see what happens.
    for (auto at = fs::recursive_directory_iterator(path_, fs::directory_options::skip_permission_denied, ignored);
         at != fs::recursive_directory_iterator(); at.increment(ignored)) {
        if (ignored) break;
        if (at->is_directory(ignored) && !at->is_symlink(ignored))
            fs::permissions(at->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
    fs::remove_all(path_, ignored);
}

void Scratch::write(std::string_view name, std::string_view bytes, unsigned mode) const {
    const fs::path file = at(name);
    fs::create_directories(file.parent_path());
    FILE* out = std::fopen(file.c_str(), "wbe");
    bool good = out != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size();
    if (out != nullptr) good = std::fclose(out) == 0 && good;
    if (!good || ::chmod(file.c_str(), static_cast<mode_t>(mode)) != 0) throw std::runtime_error("cannot write " + file.string());
}

void Scratch::make_directory(std::string_view name) const { fs::create_directories(at(name)); }

std::optional<std::string> read_whole(const std::string& path) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
    if (!file) return std::nullopt;
    std::string bytes;
    char room[16384];
    while (const std::size_t n = std::fread(room, 1, sizeof room, file.get())) bytes.append(room, n);
    return bytes;
}

std::optional<std::string> Scratch::read(std::string_view name) const { return read_whole(at(name)); }

bool Scratch::exists(std::string_view name) const {
    std::error_code none;
    return fs::exists(fs::symlink_status(at(name), none));
}

std::vector<std::string> Scratch::list(std::string_view name) const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(at(name), none)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> Scratch::files(std::string_view name) const {
    std::vector<std::string> names;
    std::error_code none;
    const std::string top = at(name);
    for (const auto& entry : fs::recursive_directory_iterator(top, none))
        if (entry.is_regular_file(none)) names.push_back(fs::relative(entry.path(), top, none).string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace greylag::test
