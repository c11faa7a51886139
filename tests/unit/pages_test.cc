// Manual pages say what the programs do: options compared both ways, and the pages are clean mdoc.
#include <dirent.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/ascii.hh"
#include "tests/support/scratch.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    DIR* d = ::opendir(directory.c_str());
    if (d == nullptr) return names;
    while (const dirent* entry = ::readdir(d))
        if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    ::closedir(d);
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> words(std::string_view line) {
    std::vector<std::string> out;
    for (const std::string_view word : base::split(line, ' '))
        if (!word.empty()) out.emplace_back(word);
    return out;
}

// "  -C conffile  text", "  -x, --long  text": the words before the gap that begin with a dash.
std::set<std::string> options_of_help(std::string_view help) {
    std::set<std::string> options;
    for (const std::string_view line : base::split(help, '\n')) {
        if (!line.starts_with(' ')) continue;
        const std::string_view item = base::trim(line);
        for (std::string word : words(item.substr(0, item.find("  ")))) {
            if (!word.starts_with('-')) break;
            word = word.substr(0, word.find_first_of(",= "));
            options.insert(word);
        }
    }
    return options;
}

// ".It Fl C Ar conffile", ".It Fl x , Fl -long": Fl writes one dash before its word.
std::set<std::string> options_of_page(std::string_view page) {
    std::set<std::string> options;
    for (const std::string_view line : base::split(page, '\n')) {
        const auto parts = words(line);
        if (parts.size() < 3 || parts[0] != ".It" || parts[1] != "Fl") continue;
        for (std::size_t i = 1; i + 1 < parts.size(); ++i)
            if (parts[i] == "Fl") options.insert("-" + parts[i + 1]);
    }
    return options;
}

std::string joined(const std::set<std::string>& all) {
    std::string out;
    for (const auto& one : all) out += (out.empty() ? "" : " ") + one;
    return out;
}

std::string page_of(const std::string& program) {
    for (const char* section : {"8", "1"})
        if (auto page = read_whole("man/" + program + "." + section)) return *page;
    return {};
}

sys::Said run(const std::string& program, std::vector<std::string> arguments) {
    sys::Command command;
    command.path = program;
    command.arguments = std::move(arguments);
    return must(sys::run(command, soon(), 1 << 16, 1 << 16));
}

}  // namespace

TEST_CASE("pages: what is compared is found") {
    CHECK(joined(options_of_help("usage: p [-x]\n\n  -C file     a thing\n  -x, --long  b\n  --check     -c\n")) ==
          "--check --long -C -x");
    CHECK(joined(options_of_page(".It Fl C Ar file\n.It Fl x , Fl -long\n.It Fl -check\n.It word\n")) == "--check --long -C -x");
}

TEST_CASE("pages: every program's options, both ways") {
    const auto programs = names_in("cmd");
    if (programs.empty()) SKIP("no program yet");
    for (const auto& program : programs) {
        if (!read_whole("cmd/" + program + "/main.cc")) continue;
        INFO(program);
        const std::string path = program_path(program);
        REQUIRE(!path.empty());
        const auto help = run(path, {"--help"});
        REQUIRE(help.ending.ok());
        const std::string page = page_of(program);
        REQUIRE(!page.empty());
        CHECK(joined(options_of_help(help.out)) == joined(options_of_page(page)));
    }
}

TEST_CASE("pages: a program for every page of sections 1 and 8") {
    for (const auto& page : names_in("man")) {
        if (!page.ends_with(".8") && !page.ends_with(".1")) continue;
        INFO(page);
        CHECK(read_whole("cmd/" + page.substr(0, page.size() - 2) + "/main.cc").has_value());
    }
}

TEST_CASE("pages: mandoc has nothing to say") {
    const std::string mandoc = find_program("mandoc");
    if (mandoc.empty()) SKIP("mandoc is not installed");
    for (const auto& page : names_in("man")) {
        const auto said = run(mandoc, {"-Tlint", "-Wstyle", "man/" + page});
        const std::string words = said.out + said.err;
        for (const std::string_view line : base::split(words, '\n')) {
            // Whether other pages are installed is this machine's affair.
            const bool elsewhere = line.find("referenced manual not found") != std::string_view::npos ||
                                   line.find("mandoc.db") != std::string_view::npos;
            if (!elsewhere) CHECK(line == "");
        }
    }
}
