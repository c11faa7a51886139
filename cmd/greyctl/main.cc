// greyctl: looks at and tends the greylist and the whitelist (greyctl(8)). Arguments, wiring, exit status.
#include <sysexits.h>

#include <algorithm>
#include <string>

#include "cmd/greyctl/verbs.hh"
#include "sys/fd.hh"
#include "sys/rights.hh"

using namespace greylag;

namespace {

std::string verbs() {
    std::string text = "\nverbs:\n";
    for (const auto& verb : greyctl::verbs()) {
        std::string line = "  " + std::string(verb.name);
        line.resize(std::max<std::size_t>(line.size(), 10), ' ');
        line.append(" ").append(verb.arguments);
        line.resize(std::max<std::size_t>(line.size(), 29), ' ');
        text.append(line).append(" ").append(verb.help).append("\n");
    }
    return text;
}

const greyctl::Verb* find(std::string_view name) {
    for (const auto& verb : greyctl::verbs())
        if (verb.name == name) return &verb;
    return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto line = greyctl::program.arguments(argc, argv, verbs());
    if (!line) return line.error();
    if (line->operands.empty()) return greyctl::program.usage("no verb; --help lists them");
    const auto* verb = find(line->operands.front());
    if (verb == nullptr)
        return greyctl::program.usage("unknown verb '" + std::string(line->operands.front()) + "'; --help lists them");
    const greyctl::Words arguments(line->operands.begin() + 1, line->operands.end());
    if (arguments.size() < verb->least || arguments.size() > verb->most)
        return greyctl::program.usage(std::string(verb->name) + " takes " +
                                      (verb->arguments.empty() ? "no argument" : std::string(verb->arguments)));

    const auto file = greyctl::program.settings(line->value('C'));
    if (!file) return file.error();
    const auto& settings = file->loaded.settings;
    // What root makes, smtpd could not write.
    if (sys::is_root() && !settings.smtpd.user.empty())
        if (const auto done = sys::become(settings.smtpd.user); !done)
            return greyctl::program.complain(EX_CONFIG, done.error().text);
    return verb->run(settings, arguments);
}
