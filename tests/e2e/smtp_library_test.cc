// The client library as others get it: installed into a folder, used by a program that has nothing else of ours. The program is
// the example of greylag-smtp(3).
#include <unistd.h>

#include <cstdlib>

#include "base/ascii.hh"
#include "tests/e2e/site.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

sys::Said shell(const std::string& words, std::vector<std::string> environment = {}) {
    sys::Command command;
    command.path = "/bin/sh";
    command.arguments = {"-c", words};
    command.environment = std::move(environment);
    for (const char* name : {"PATH", "HOME", "CXX", "CXXFLAGS", "LDFLAGS", "CCACHE_DIR", "TMPDIR"})
        if (const char* value = std::getenv(name)) command.environment.push_back(name + std::string("=") + value);
    return must(sys::run(command, sys::Deadline::in(base::Seconds(900)), 1 << 20, 1 << 20));
}

// The code between .Bd and .Ed behind EXAMPLES.
std::string example_of(const std::string& page) {
    const std::string text = read_whole(page).value_or("");
    const std::size_t begin = text.find('\n', text.find(".Bd -literal", text.find(".Sh EXAMPLES"))) + 1;
    return replaced(text.substr(begin, text.find(".Ed", begin) - begin), "\\e", "\\");
}

std::string compiler() {
    const char* cxx = std::getenv("CXX");
    return cxx != nullptr ? cxx : "c++";
}

bool is_release() {
    const char* mode = std::getenv("MODE");
    return mode == nullptr || std::string_view(mode) == "release";
}

}  // namespace

TEST_CASE("library: installed, compiled against, linked both ways, and a message that arrives") {
    if (!is_release()) SKIP("the library is made as it is released only");
    Site site;
    if (!site.built()) SKIP("smtpd or send is not built");
    const Scratch dir;
    const std::string prefix = dir.at("prefix"), install = "sh install.sh --library --yes --prefix " + prefix;
    const auto dry = shell(install + " --dry-run");
    CHECK(dry.ending.ok());
    CHECK(dry.out.find("644 " + prefix + "/include/greylag/smtp_client.hh\n") != std::string::npos);
    CHECK(!dir.exists("prefix"));
    const auto installed = shell(install);
    INFO(installed.out);
    INFO(installed.err);
    REQUIRE(installed.ending.ok());
    CHECK(dir.files("prefix") == std::vector<std::string>{"include/greylag/smtp_client.hh", "lib/libgreylag-smtp.a",
                                                          "lib/libgreylag-smtp.so", "lib/pkgconfig/greylag-smtp.pc",
                                                          "share/greylag/manifest.library", "share/man/man3/greylag-smtp.3"});
    const std::string pc = dir.read("prefix/lib/pkgconfig/greylag-smtp.pc").value_or("");
    CHECK(pc.find("includedir=" + prefix + "/include\n") != std::string::npos);

    dir.write("out.cc", example_of("man/greylag-smtp.3"));
    const std::string compile = "cd " + dir.path() + " && " + compiler() +
                                " -std=c++23 -Wall -Wextra -Wpedantic -Werror out.cc -I" + prefix + "/include ";
    const std::string needs(base::trim(pc.substr(pc.find("Libs.private:") + 13)));
    std::vector<std::string> ways{"-o static " + prefix + "/lib/libgreylag-smtp.a " + needs,
                                  "-o shared -L" + prefix + "/lib -lgreylag-smtp -Wl,-rpath," + prefix + "/lib"};
    if (!find_program("pkg-config").empty())
        ways.push_back("-o packaged $(PKG_CONFIG_PATH=" + prefix +
                       "/lib/pkgconfig pkg-config --cflags --libs greylag-smtp) -Wl,-rpath," + prefix + "/lib");
    for (const auto& way : ways) {
        const auto made = shell(compile + way);
        INFO(made.err);
        REQUIRE(made.ending.ok());
    }
    // No header of ours stands behind the public one.
    const auto included = shell(compile + "-M -MF - -o /dev/null");
    const auto words = base::words(included.out, "\n\\");
    for (const auto word : words)
        CHECK((word.find("greylag") == std::string_view::npos || word.ends_with("/greylag/smtp_client.hh")));

    const auto port = site.free_port();
    const auto smtpd = started(site, site.smtpd, {"-l", "127.0.0.1:" + std::to_string(port)}, port);
    smtpd.connect();
    for (const char* program : {"static", "shared"}) {
        const auto sent = shell(dir.at(program) + " " + std::to_string(port));
        CHECK(sent.err == "");
        CHECK(sent.out.starts_with("250 sent: "));
        CHECK(sent.ending.ok());
        const std::string message = site.take_message();
        CHECK(message.find("Subject: from outside\n") != std::string::npos);
        CHECK(message.ends_with("\n\nhello\n"));
    }
    const auto refused = shell(dir.at("shared") + " 1");
    CHECK(refused.ending.status == 75);

    CHECK(shell(install + " --uninstall").ending.ok());
    CHECK(dir.files("prefix").empty());
}

TEST_CASE("library: the shared one shows what the header declares, and nothing else of ours") {
    if (!is_release()) SKIP("the library is made as it is released only");
    if (find_program("nm").empty()) SKIP("nm is not installed");
    const auto shown = shell("nm -DC --defined-only build/lib/libgreylag-smtp.so");
    if (!shown.ending.ok()) SKIP("the library is not built");
    unsigned count = 0;
    for (const auto line : base::split(shown.out, '\n')) {
        if (line.empty() || line.find(" A ") != std::string_view::npos) continue;
        ++count;
        INFO(std::string(line));
        CHECK(line.find(" greylag::smtp_client::") != std::string_view::npos);
        for (const char* inner : {"State::", "Login", "prepare", "failure_of", "refusal("})
            CHECK(line.find(inner) == std::string_view::npos);
    }
    CHECK(count > 20);
}
