// Command lines by table (getopt(3) conventions): single letters cluster, an argument is attached or the next word, long
// options take "=value" or the next word, "--" ends options. The table also makes --help and is compared with the manual page.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace greylag::base {

struct Option {
    char letter = 0;            // 0: long form only
    std::string_view name;      // long form without dashes; empty: letter only
    std::string_view argument;  // the argument's name in help; empty: a flag
    std::string_view help;      // one line
};

struct Given {
    const Option* option;    // points into the table
    std::string_view value;  // points into argv; empty for a flag
};

struct CommandLine {
    std::vector<Given> options;  // in the order given
    std::vector<std::string_view> operands;

    bool has(char letter) const;
    bool has(std::string_view name) const;
    // The last value given, or `otherwise`.
    std::string_view value(char letter, std::string_view otherwise = {}) const;
    std::string_view value(std::string_view name, std::string_view otherwise = {}) const;
};

// `arguments` is argv without argv[0]. Options stop at the first operand (POSIX) unless `permute`. Every table also knows
// --help and --version: the caller finds them with has("help"), has("version").
// The error (Kind::usage) names the fault: "unknown option -x", "-c needs an argument", "--check takes no argument".
Result<CommandLine> parse_command_line(std::span<char* const> arguments, std::span<const Option> table, bool permute = false);

// "usage: NAME [-ab] [-c file] operands", one line, from the table.
std::string usage_line(std::string_view program, std::span<const Option> table, std::string_view operands);
// The usage line, a blank line, one line an option, --help and --version last.
std::string help_text(std::string_view program, std::span<const Option> table, std::string_view operands);

}  // namespace greylag::base
