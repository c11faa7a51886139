// What every program of greylag says in one way: --help, --version, a fault of its command line, a complaint, a configuration
// that cannot be read. The results are exit statuses of sysexits(3).
#pragma once
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "base/options.hh"
#include "cmd/settings_file.hh"

namespace greylag::cmd {

struct Program {
    std::string_view name;
    std::span<const base::Option> options;
    std::string_view operands;

    // "NAME: text" on standard error.
    int complain(int status, std::string_view text) const;
    int usage(std::string_view fault) const;     // and the usage line; 64
    int help(std::string_view more = {}) const;  // on standard output

    // Where --help (with `more` behind it), --version or a fault was all there is, the status to end with.
    std::expected<base::CommandLine, int> arguments(int argc, char** argv, std::string_view more = {},
                                                    bool permute = false) const;

    // As load_settings; every fault is said.
    std::expected<SettingsFile, int> settings(std::string_view file) const;
};

}  // namespace greylag::cmd
