#include "base/options.hh"

#include <algorithm>
#include <utility>

#include "base/escape.hh"

namespace greylag::base {
namespace {

constexpr Option always[] = {
    {.letter = 0, .name = "help", .argument = {}, .help = "show this text"},
    {.letter = 0, .name = "version", .argument = {}, .help = "show the version"},
};

template <class F>
const Option* find(std::span<const Option> table, F matches) {
    for (const std::span<const Option> options : {table, std::span<const Option>{always}})
        for (const Option& option : options)
            if (matches(option)) return &option;
    return nullptr;
}

class Parser {
public:
    Parser(std::span<char* const> arguments, std::span<const Option> table, bool permute)
        : arguments_(arguments), table_(table), permute_(permute) {}

    Result<CommandLine> run() {
        bool ended = false;
        while (at_ < arguments_.size()) {
            const std::string_view word = arguments_[at_++];
            if (ended || word.size() < 2 || word[0] != '-') {
                line_.operands.push_back(word);
                ended = ended || !permute_;
            } else if (word == "--") {
                ended = true;
            } else if (auto done = word[1] == '-' ? long_option(word.substr(2)) : letters(word.substr(1)); !done) {
                return std::unexpected(std::move(done).error());
            }
        }
        return std::move(line_);
    }

private:
    Result<void> long_option(std::string_view word) {
        const std::size_t equals = word.find('=');
        const std::string_view name = word.substr(0, equals);
        const std::string shown = "--" + printable(name, 80);
        const Option* option = find(table_, [&](const Option& o) { return !o.name.empty() && o.name == name; });
        if (option == nullptr) return fail(Kind::usage, "unknown option " + shown);
        if (option->argument.empty()) {
            if (equals != std::string_view::npos) return fail(Kind::usage, shown + " takes no argument");
            return give(*option, {});
        }
        if (equals != std::string_view::npos) return give(*option, word.substr(equals + 1));
        return give_next(*option, shown);
    }

    Result<void> letters(std::string_view word) {
        while (!word.empty()) {
            const char letter = word.front();
            const std::string shown = "-" + printable(word.substr(0, 1));
            word.remove_prefix(1);
            const Option* option = find(table_, [&](const Option& o) { return o.letter == letter; });
            if (option == nullptr) return fail(Kind::usage, "unknown option " + shown);
            if (!option->argument.empty()) return word.empty() ? give_next(*option, shown) : give(*option, word);
            line_.options.push_back({option, {}});
        }
        return {};
    }

    Result<void> give(const Option& option, std::string_view value) {
        line_.options.push_back({&option, value});
        return {};
    }

    Result<void> give_next(const Option& option, const std::string& shown) {
        if (at_ == arguments_.size()) return fail(Kind::usage, shown + " needs an argument");
        return give(option, arguments_[at_++]);
    }

    std::span<char* const> arguments_;
    std::span<const Option> table_;
    bool permute_;
    std::size_t at_ = 0;
    CommandLine line_;
};

// "-c, --cert=file", with room for the letter where there is none.
std::string left_column(const Option& option) {
    std::string out = option.letter != 0 ? std::string{"  -"} + option.letter : "    ";
    if (!option.name.empty()) {
        out.append(option.letter != 0 ? ", --" : "  --").append(option.name);
        if (!option.argument.empty()) out.append("=").append(option.argument);
    } else if (!option.argument.empty()) {
        out.append(" ").append(option.argument);
    }
    return out;
}

template <class F>
std::string_view last_value(const std::vector<Given>& options, std::string_view otherwise, F matches) {
    const auto found = std::find_if(options.rbegin(), options.rend(), [&](const Given& g) { return matches(*g.option); });
    return found == options.rend() ? otherwise : found->value;
}

}  // namespace

bool CommandLine::has(char letter) const {
    return std::any_of(options.begin(), options.end(), [&](const Given& g) { return g.option->letter == letter; });
}

bool CommandLine::has(std::string_view name) const {
    return std::any_of(options.begin(), options.end(), [&](const Given& g) { return g.option->name == name; });
}

std::string_view CommandLine::value(char letter, std::string_view otherwise) const {
    return last_value(options, otherwise, [&](const Option& o) { return o.letter == letter; });
}

std::string_view CommandLine::value(std::string_view name, std::string_view otherwise) const {
    return last_value(options, otherwise, [&](const Option& o) { return o.name == name; });
}

Result<CommandLine> parse_command_line(std::span<char* const> arguments, std::span<const Option> table, bool permute) {
    return Parser(arguments, table, permute).run();
}

std::string usage_line(std::string_view program, std::span<const Option> table, std::string_view operands) {
    std::string line = "usage: ";
    line += program;
    std::string flags;
    for (const Option& option : table)
        if (option.letter != 0 && option.argument.empty()) flags += option.letter;
    if (!flags.empty()) line.append(" [-").append(flags).append("]");
    for (const Option& option : table) {
        if (option.letter != 0 && option.argument.empty()) continue;
        line += " [-";
        if (option.letter != 0) {
            line += option.letter;
        } else {
            line.append("-").append(option.name);
        }
        if (!option.argument.empty()) line.append(" ").append(option.argument);
        line += ']';
    }
    if (!operands.empty()) line.append(" ").append(operands);
    return line;
}

std::string help_text(std::string_view program, std::span<const Option> table, std::string_view operands) {
    std::vector<std::pair<std::string, std::string_view>> rows;
    for (const Option& option : table) rows.emplace_back(left_column(option), option.help);
    for (const Option& option : always) rows.emplace_back(left_column(option), option.help);
    std::size_t width = 0;
    for (const auto& row : rows) width = std::max(width, row.first.size());

    std::string out = usage_line(program, table, operands) + "\n\n";
    for (const auto& [left, help] : rows) {
        out += left;
        if (!help.empty()) out.append(width + 2 - left.size(), ' ').append(help);
        out += '\n';
    }
    return out;
}

}  // namespace greylag::base
