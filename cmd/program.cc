#include "cmd/program.hh"

#include <sysexits.h>

#include <cstdio>

namespace greylag::cmd {

namespace {
int put(const std::string& text) { return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? EX_IOERR : EX_OK; }
}  // namespace

int Program::complain(int status, std::string_view text) const {
    std::fputs((std::string(name) + ": " + std::string(text) + "\n").c_str(), stderr);
    return status;
}

int Program::usage(std::string_view fault) const {
    return complain(EX_USAGE, std::string(fault) + "\n" + base::usage_line(name, options, operands));
}

int Program::help(std::string_view more) const { return put(base::help_text(name, options, operands).append(more)); }

std::expected<base::CommandLine, int> Program::arguments(int argc, char** argv, std::string_view more, bool permute) const {
    auto line = base::parse_command_line({argv + 1, argv + argc}, options, permute);
    if (!line) return std::unexpected(usage(line.error().text));
    if (line->has("help")) return std::unexpected(help(more));
    if (line->has("version")) return std::unexpected(put(std::string(name) + " (greylag) " GREYLAG_VERSION "\n"));
    return *std::move(line);
}

std::expected<SettingsFile, int> Program::settings(std::string_view path) const {
    auto file = load_settings(path);
    if (!file) return std::unexpected(complain(EX_CONFIG, file.error().text));
    print_faults(file->loaded.faults);
    if (!file->loaded.faults.empty()) return std::unexpected(EX_CONFIG);
    return *std::move(file);
}

}  // namespace greylag::cmd
