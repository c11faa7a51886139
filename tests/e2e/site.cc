#include "tests/e2e/site.hh"

#include <pwd.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/support/spawn.hh"

extern char** environ;

namespace greylag::test {

std::string shipped(std::string_view name) {
    auto text = read_whole("conf/" + std::string(name));
    if (!text) throw std::runtime_error("conf/" + std::string(name) + " is not there");
    return *text;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    std::size_t at = text.find(what);
    if (at == std::string::npos) throw std::runtime_error("no '" + std::string(what) + "' in: " + text);
    for (; at != std::string::npos; at = text.find(what, at + with.size())) text.replace(at, what.size(), with);
    return text;
}

std::string line_of(std::string_view text, std::string_view beginning) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (text.substr(at, end - at).starts_with(beginning)) return std::string(text.substr(at, end - at));
        at = end + 1;
    }
    throw std::runtime_error("no line begins with '" + std::string(beginning) + "'");
}

std::string our_user() {
    const passwd* entry = ::getpwuid(::geteuid());
    return entry != nullptr ? entry->pw_name : std::to_string(::geteuid());
}

Site::Site() : smtpd(program_path("smtpd")), configuration(scratch.at("smtpd.conf")) {
    const std::string send = program_path("send");
    if (send.empty()) smtpd.clear();
    scratch.make_directory("state/mail/greylag.test/you");
    scratch.write("smtpd.conf",
                  "[smtpd]\ndomain = greylag.test\n[mailer]\npostmaster = you@greylag.test\n"
                  "[paths]\nstate = " +
                      scratch.at("state") + "\nlibexec = " + send.substr(0, send.rfind('/')) +
                      "\n[log]\nto = " + scratch.at("log") + "\n");
}

std::vector<std::string> Site::environment() const {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
    all.push_back("GREYLAG_CONF=" + configuration);
    return all;
}

std::uint16_t Site::free_port(const std::string& address) const { return must(listen_at(address)).port; }

std::string Site::take_message() {
    const std::string folder = "state/mail/greylag.test/you/Maildir/new";
    if (!eventually([&] { return !scratch.list(folder).empty(); })) return "<no message came>";
    const auto names = scratch.list(folder);
    if (names.size() != 1) return "<" + std::to_string(names.size()) + " messages came>";
    std::string message = scratch.read(folder + "/" + names.front()).value_or("<gone>");
    ::unlink(scratch.at(folder + "/" + names.front()).c_str());
    return message;
}

Stream Listener::connect() const {
    Result<Stream> stream = base::fail(Kind::closed, "never tried");
    eventually([&] { return (stream = connect_to(address, port)).has_value(); });
    return must(std::move(stream));
}

Listener started(const Site& site, const std::string& program, std::vector<std::string> arguments, std::uint16_t port,
                 const std::string& address) {
    sys::Command command;
    command.path = program;
    command.arguments = std::move(arguments);
    command.environment = site.environment();
    Listener listener;
    listener.child = must(sys::Child::spawn(command));
    listener.port = port;
    listener.address = address;
    return listener;
}

}  // namespace greylag::test
