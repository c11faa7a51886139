// What greyctl does: a table of verbs, which the parser, --help and the manual page's test share.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "base/options.hh"
#include "cmd/program.hh"
#include "config/settings.hh"

namespace greylag::greyctl {

inline constexpr base::Option option_table[] = {
    {'C', "", "conffile", "configuration file instead of GREYLAG_CONF or the installed one"},
};
inline constexpr std::string_view operands = "verb [argument...]";

using Words = std::span<const std::string_view>;

struct Verb {
    std::string_view name, arguments, help;
    std::size_t least, most;                                        // arguments
    int (*run)(const config::Settings& settings, Words arguments);  // the exit status
};
std::span<const Verb> verbs();

inline constexpr cmd::Program program{"greyctl", option_table, operands};

}  // namespace greylag::greyctl
