// A directory of a test's own, gone with its owner. Speaks to the file system directly: what it reads back is what is there.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace greylag::test {

class Scratch {
public:
    Scratch();  // under TMPDIR or /tmp, mode 0700
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    const std::string& path() const { return path_; }
    std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }

    // Directories on the way are made. An existing file is replaced, its mode set.
    void write(std::string_view name, std::string_view bytes, unsigned mode = 0600) const;
    void make_directory(std::string_view name) const;
    std::optional<std::string> read(std::string_view name) const;  // nothing when it is not there
    bool exists(std::string_view name) const;
    std::vector<std::string> list(std::string_view name = "") const;   // names, sorted; empty when it is not there
    std::vector<std::string> files(std::string_view name = "") const;  // regular files below, relative to `name`, sorted

private:
    std::string path_;
};

std::optional<std::string> read_whole(const std::string& path);

}  // namespace greylag::test
