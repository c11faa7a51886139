#include "base/options.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::base;

namespace {

constexpr Option table[] = {
    {'a', "", "", "authenticate"},    {'d', "debug", "", "debug"},          {'f', "", "", "no relay"},
    {'c', "", "file", "certificate"}, {'n', "net", "dir", "network files"}, {0, "check", "", "check it"},
    {0, "log", "where", ""},
};

// "a d c=x | operand operand", or the error.
std::string parsed(std::vector<std::string> words, bool permute = false) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    const auto line = parse_command_line(argv, table, permute);
    if (!line) {
        CHECK(line.error().kind == Kind::usage);
        return line.error().text;
    }
    std::string out;
    for (const Given& given : line->options) {
        out += given.option->letter != 0 ? std::string{given.option->letter} : std::string{given.option->name};
        if (!given.option->argument.empty()) out.append("=").append(given.value);
        out += ' ';
    }
    out += '|';
    for (const auto& operand : line->operands) out.append(" ").append(operand);
    return out;
}

}  // namespace

TEST_CASE("options: letters cluster, arguments are attached or next") {
    const struct {
        std::vector<std::string> words;
        std::string_view shown;
    } cases[] = {
        {{}, "|"},
        {{"-adf"}, "a d f |"},
        {{"-a", "-d", "x", "-f"}, "a d | x -f"},
        {{"-cfile"}, "c=file |"},
        {{"-c", "file"}, "c=file |"},
        {{"-adcfile", "-f"}, "a d c=file f |"},
        {{"-ac", "-d"}, "a c=-d |"},
        {{"-c", "--"}, "c=-- |"},
        {{"-c", ""}, "c= |"},
        {{"-a", "--", "-d"}, "a | -d"},
        {{"-", "-a"}, "| - -a"},
        {{""}, "| "},
        {{"--debug", "--check"}, "d check |"},
        {{"--net=dir", "--log", "here"}, "n=dir log=here |"},
        {{"--net=a=b", "--log="}, "n=a=b log= |"},
        {{"--help"}, "help |"},
        {{"--version", "x"}, "version | x"},
        {{"-c", "1", "-c2"}, "c=1 c=2 |"},
    };
    for (const auto& c : cases) CHECK(parsed(c.words) == c.shown);
}

TEST_CASE("options: with permutation, operands may stand anywhere before --") {
    CHECK(parsed({"x", "-a", "y", "-c", "z", "--", "-d"}, true) == "a c=z | x y -d");
}

TEST_CASE("options: faults are named") {
    const struct {
        std::vector<std::string> words;
        std::string_view fault;
    } cases[] = {
        {{"-x"}, "unknown option -x"},
        {{"-ax"}, "unknown option -x"},
        {{"-a\n"}, "unknown option -\\x0a"},
        {{"--nope"}, "unknown option --nope"},
        {{"--nope=1"}, "unknown option --nope"},
        {{"--chec"}, "unknown option --chec"},
        {{"--=x"}, "unknown option --"},
        {{"---"}, "unknown option ---"},
        {{"-c"}, "-c needs an argument"},
        {{"-ac"}, "-c needs an argument"},
        {{"--net"}, "--net needs an argument"},
        {{"--check=1"}, "--check takes no argument"},
        {{"--help="}, "--help takes no argument"},
    };
    for (const auto& c : cases) CHECK(parsed(c.words) == c.fault);
}

TEST_CASE("options: what was given is found by letter or name, the last value wins") {
    std::string words[] = {"-n1", "--net=2", "-a"};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data()};
    const auto line = parse_command_line(argv, table);
    REQUIRE(line);
    CHECK(line->value('n') == "2");
    CHECK(line->value("net") == "2");
    CHECK(line->value('c', "none") == "none");
    CHECK(line->has('a'));
    CHECK_FALSE(line->has('d'));
    CHECK_FALSE(line->has("help"));
    CHECK(line->options.front().option == &table[4]);
}

TEST_CASE("options: usage and help come from the table") {
    CHECK(usage_line("smtpd", table, "") == "usage: smtpd [-adf] [-c file] [-n dir] [--check] [--log where]");
    CHECK(usage_line("x", {}, "rcpt...") == "usage: x rcpt...");
    CHECK(help_text("x", table, "y") ==
          "usage: x [-adf] [-c file] [-n dir] [--check] [--log where] y\n"
          "\n"
          "  -a               authenticate\n"
          "  -d, --debug      debug\n"
          "  -f               no relay\n"
          "  -c file          certificate\n"
          "  -n, --net=dir    network files\n"
          "      --check      check it\n"
          "      --log=where\n"
          "      --help       show this text\n"
          "      --version    show the version\n");
}
