// What the tests of the configuration share.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>

#include "config/settings.hh"

namespace greylag::test {

inline config::Loaded parsed(std::string_view bytes) { return config::parse(bytes, "t.conf"); }

// All faults as they are printed, a line each.
inline std::string faults(std::string_view bytes) {
    std::string text;
    for (const config::Fault& fault : parsed(bytes).faults) text += fault.text() + "\n";
    return text;
}

inline std::string shown(const config::Settings& settings, std::string_view section, std::string_view key) {
    for (const config::Setting& setting : config::all_settings()) {
        if (setting.section == section && setting.key == key) return setting.show(settings);
    }
    return "no such setting";
}

inline bool same(const config::Settings& a, const config::Settings& b) { return config::as_file(a) == config::as_file(b); }

// A file of this tree; tests run at its top.
inline std::string tree_file(const char* path) {
    std::string bytes;
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) return bytes;
    char block[4096];
    for (std::size_t n = 0; (n = std::fread(block, 1, sizeof block, file)) > 0;) bytes.append(block, n);
    static_cast<void>(std::fclose(file));
    return bytes;
}

}  // namespace greylag::test
