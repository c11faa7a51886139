// The transcripts in the manual pages came out of the programs: they come out of them again. What differs from run to run (ids,
// dates, fingerprints, sizes, our own name) is masked on both sides.
#include <algorithm>

#include "base/ascii.hh"
#include "tests/e2e/load_house.hh"
#include "tests/e2e/talk_site.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(std::string_view text) {
    Lines out;
    for (std::string_view line : base::split(text, '\n')) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        out.emplace_back(line);
    }
    while (!out.empty() && out.back().empty()) out.pop_back();
    return out;
}

std::string joined(const Lines& lines) {
    std::string out;
    for (const auto& line : lines) out += line + "\n";
    return out;
}

// The first literal block of EXAMPLES in which these words stand, as people read it.
Lines example(const std::string& page, std::string_view words) {
    std::string text = read_whole("man/" + page).value_or("");
    text.erase(0, text.find(".Sh EXAMPLES"));
    for (std::size_t at = 0; (at = text.find("\n.Bd -literal", at)) != std::string::npos;) {
        const std::size_t begin = text.find('\n', at + 1) + 1, end = text.find("\n.Ed", begin);
        std::string block = text.substr(begin, end + 1 - begin);
        at = end;
        if (block.find(words) == std::string::npos) continue;
        for (const auto& [written, read] : {std::pair("\\&", ""), {"\\e", "\\"}})
            for (std::size_t i = 0; (i = block.find(written, i)) != std::string::npos;) block.replace(i, 2, read);
        return lines_of(block);
    }
    throw std::runtime_error("no example in " + page);
}

struct Transcript {
    std::string commands;
    Lines shown;
};

// "$ command" and what it showed; a backslash at the end goes on.
Transcript transcript(const Lines& example) {
    Transcript out;
    bool goes_on = false;
    for (const auto& line : example) {
        const bool command = goes_on || line.starts_with("$ ");
        goes_on = command && line.ends_with('\\');
        if (command)
            out.commands += (line.starts_with("$ ") ? line.substr(2) : line) + "\n";
        else
            out.shown.push_back(line);
    }
    return out;
}

// Behind each of these a word, or with a blank at its end all the rest, is another one each time.
Lines masked(Lines lines) {
    constexpr std::string_view words[] = {"sha256:", "EHLO ", "HELO ", "you are ", "sent: ", "SIZE=", "C: ["};
    constexpr std::string_view rests[] = {"S: 334 ", ", until "};
    for (auto& line : lines) {
        for (const auto word : words)
            if (const auto at = line.find(word); at != std::string::npos)
                line.replace(at + word.size(), std::min(line.find(' ', at + word.size()), line.size()) - at - word.size(), "*");
        for (const auto rest : rests)
            if (const auto at = line.find(rest); at != std::string::npos) line.replace(at + rest.size(), line.size(), "*");
    }
    return lines;
}

// Every number, and the unit of it, is "N"; runs of blanks are one.
Lines without_figures(const Lines& lines) {
    constexpr std::string_view units[] = {"us", "ms", "s", "octets", "kB", "MB", "kB/s", "MB/s", "messages/s"};
    Lines out;
    for (const auto& line : lines) {
        std::string shape;
        for (const auto word : base::words(line)) {
            const auto bare = word.substr(0, word.find_last_not_of(":,") + 1);
            const bool unit = std::find(std::begin(units), std::end(units), bare) != std::end(units);
            const bool figure = base::is_digit(word.front());
            if (unit && shape.ends_with('N')) continue;
            shape += (shape.empty() ? "" : " ") + (figure ? std::string("N") : std::string(word));
        }
        out.push_back(shape);
    }
    return out;
}

// smtpd as in the examples: somebody may log in, and a certificate that nobody has signed.
struct Server {
    Site site;
    std::uint16_t port = 0;
    std::optional<Listener> loop;

    explicit Server(const std::string& domain, bool with_login) {
        std::string text = replaced(*site.scratch.read("smtpd.conf"), "greylag.test", domain);
        site.scratch.make_directory("state/mail/" + domain + "/you");
        if (with_login) {
            auto user = user_with("you", "secret");
            user.cram_md5.clear();
            site.scratch.write("users", sasl::show_user(user) + "\n");
            site.scratch.write("mx.pem", make_identity(KeyKind::p256, "localhost"));
            text += "[auth]\nusers = " + site.scratch.at("users") + "\n[tls]\ncertificate = " + site.scratch.at("mx.pem") + "\n";
        }
        site.scratch.write("smtpd.conf", text);
        if (!ready()) return;
        port = site.free_port();
        loop = started(site, site.smtpd, {"-C", site.configuration, "-l", "127.0.0.1:" + std::to_string(port)}, port);
        (void)loop->connect().ask("QUIT");
    }
    bool ready() const { return site.built() && !program_path("smtpd-tls").empty(); }
};

// In a shell, as a person would; 2525 is the port of the examples.
Lines shown_by(const std::string& commands, std::uint16_t port, const Scratch& scratch, std::string_view input = "") {
    const std::string number = std::to_string(port), program = program_path("smtptest");
    scratch.write("commands", replaced(commands, "2525", number));
    scratch.write("input", input);
    const sys::Fd in = must(sys::open_read(scratch.at("input")));
    sys::Command command;
    command.path = "/bin/sh";
    command.arguments = {"-c", "cd \"$0\"; exec 2>&1; . ./commands", scratch.path()};
    command.environment = {"PATH=" + program.substr(0, program.rfind('/')) + ":/usr/bin:/bin", "TZ=UTC", "HOME=" + scratch.path(),
                           "GREYLAG_CONF=/dev/null"};
    command.in = in.get();
    std::string out = must(sys::run(command, soon(), 1 << 20, 1 << 16)).out;
    for (std::size_t at = 0; (at = out.find(":" + number, at)) != std::string::npos;) out.replace(at + 1, number.size(), "2525");
    return lines_of(out);
}

}  // namespace

TEST_CASE("examples: smtptest(1)") {
    const Server server("greylag.test", true);
    if (!server.ready() || program_path("smtptest").empty()) SKIP("smtpd, smtpd-tls or smtptest is not built");
    const Scratch scratch;
    const auto login = transcript(example("smtptest.1", "echo NOOP"));
    CHECK(joined(masked(shown_by(login.commands, server.port, scratch))) == joined(masked(login.shown)));

    // "cat" shows the script that is run.
    const auto script = transcript(example("smtptest.1", "cat check.dialog"));
    std::size_t end = 0;
    while (end < script.shown.size() && !script.shown[end].starts_with("S: ")) ++end;
    scratch.write("check.dialog", joined(Lines(script.shown.begin(), script.shown.begin() + static_cast<std::ptrdiff_t>(end))));
    CHECK(joined(masked(shown_by(script.commands, server.port, scratch))) == joined(masked(script.shown)));
}

TEST_CASE("examples: mconnect(1)") {
    const Server server("greylag.test", true);
    if (!server.ready() || program_path("mconnect").empty()) SKIP("smtpd, smtpd-tls or mconnect is not built");
    const auto dialogue = transcript(example("mconnect.1", "connection open"));
    // What is neither a reply nor about the connection was typed.
    Lines typed, shown;
    for (const auto& line : dialogue.shown)
        (base::is_digit(line.front()) || line.starts_with("connect") ? shown : typed).push_back(line);
    CHECK(typed.size() == 3);
    const Scratch scratch;
    Lines got = shown_by(dialogue.commands, server.port, scratch, joined(typed));
    for (auto& line : got)
        if (line.ends_with(", port " + std::to_string(server.port))) line = line.substr(0, line.rfind(' ')) + " 2525";
    CHECK(joined(got) == joined(shown));
}

TEST_CASE("examples: sendmessage(1)") {
    const Server server("example.org", false);
    if (!server.ready() || program_path("sendmessage").empty()) SKIP("smtpd, smtpd-tls or sendmessage is not built");
    const auto watched = transcript(example("sendmessage.1", "--debug on"));
    const Scratch scratch;
    CHECK(joined(masked(shown_by(watched.commands, server.port, scratch))) == joined(masked(watched.shown)));
}

TEST_CASE("examples: smtp-source(1) and smtp-sink(1)") {
    NEEDS_LOAD;
    const Scratch scratch;
    const auto port = [](const Sink& sink) {
        return *base::parse_number<std::uint16_t>(std::string_view(sink.where).substr(sink.where.rfind(':') + 1));
    };
    auto refused = transcript(example("smtp-sink.1", "-r rcpt"));
    refused.commands.erase(0, refused.commands.find('\n') + 1);  // the sink itself
    refused.shown.erase(refused.shown.begin());
    const Sink refusing({"-r", "rcpt"});
    auto got = shown_by(refused.commands, port(refusing), scratch);
    // The summary behind it is the other page's.
    got.resize(std::min(got.size(), refused.shown.size()));
    CHECK(joined(masked(got)) == joined(masked(refused.shown)));

    const Sink taking({});
    const auto load = transcript(example("smtp-source.1", "-m 20000"));
    auto figures = without_figures(load.shown);
    auto now =
        without_figures(shown_by(replaced(replaced(load.commands, "2526", "2525"), "-m 20000", "-m 200"), port(taking), scratch));
    const auto histogram = std::find(figures.begin(), figures.end(), "a whole message, from MAIL to the last reply");
    REQUIRE(histogram != figures.end());
    figures.erase(histogram + 1, figures.end());
    now.resize(std::min(now.size(), figures.size()));
    CHECK(joined(now) == joined(figures));
}
