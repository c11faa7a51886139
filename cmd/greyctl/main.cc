// greyctl: looks at and tends the greylist and the whitelist (greyctl(8)). Arguments, wiring, exit status.
#include <sysexits.h>

#include <cstdio>

#include "cmd/greyctl/verbs.hh"
#include "cmd/settings_file.hh"
#include "sys/fd.hh"
#include "sys/rights.hh"

using namespace greylag;

namespace {

int usage(const std::string& fault) {
    greyctl::complain(EX_USAGE, fault);
    std::fprintf(stderr, "%s\n", base::usage_line("greyctl", greyctl::option_table, greyctl::operands).c_str());
    return EX_USAGE;
}

int help() {
    std::fputs(base::help_text("greyctl", greyctl::option_table, greyctl::operands).c_str(), stdout);
    std::puts("\nverbs:");
    for (const auto& verb : greyctl::verbs())
        std::printf("  %-8.*s %-18.*s %.*s\n", static_cast<int>(verb.name.size()), verb.name.data(),
                    static_cast<int>(verb.arguments.size()), verb.arguments.data(), static_cast<int>(verb.help.size()),
                    verb.help.data());
    return EX_OK;
}

const greyctl::Verb* find(std::string_view name) {
    for (const auto& verb : greyctl::verbs())
        if (verb.name == name) return &verb;
    return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto line = base::parse_command_line({argv + 1, argv + argc}, greyctl::option_table);
    if (!line) return usage(line.error().text);
    if (line->has("help")) return help();
    if (line->has("version")) return std::puts("greyctl (greylag) " GREYLAG_VERSION), EX_OK;
    if (line->operands.empty()) return usage("no verb; --help lists them");
    const auto* verb = find(line->operands.front());
    if (verb == nullptr) return usage("unknown verb '" + std::string(line->operands.front()) + "'; --help lists them");
    const greyctl::Words arguments(line->operands.begin() + 1, line->operands.end());
    if (arguments.size() < verb->least || arguments.size() > verb->most)
        return usage(std::string(verb->name) + " takes " +
                     (verb->arguments.empty() ? "no argument" : std::string(verb->arguments)));

    const auto file = cmd::load_settings(line->value('C'));
    if (!file) return greyctl::complain(EX_CONFIG, file.error().text);
    cmd::print_faults(file->loaded.faults);
    if (!file->loaded.faults.empty()) return EX_CONFIG;
    const auto& settings = file->loaded.settings;
    // What root makes, smtpd could not write.
    if (sys::is_root() && !settings.smtpd.user.empty())
        if (const auto done = sys::become(settings.smtpd.user); !done) return greyctl::complain(EX_CONFIG, done.error().text);
    return verb->run(settings, arguments);
}
