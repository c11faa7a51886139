// sendmessage: one message from standard input through known servers (sendmessage(1)). Arguments, wiring, exit status.
#include <sysexits.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/ascii.hh"
#include "base/wipe.hh"
#include "cmd/password_file.hh"
#include "cmd/program.hh"
#include "cmd/sendmessage/options.hh"
#include "cmd/sendmessage/order.hh"
#include "cmd/sendmessage/report.hh"
#include "dns/resolver.hh"
#include "sys/child.hh"
#include "sys/file.hh"
#include "sys/io.hh"
#include "sys/terminal.hh"
#include "tls/process.hh"

using namespace greylag;

namespace {

constexpr cmd::Program program{"sendmessage", submitter::option_table, submitter::operands};

Result<std::string> read_input() {
    constexpr base::Millis patience{3'600'000};  // for whoever writes the message
    constexpr std::size_t limit = 1 << 30;
    const auto deadline = sys::Deadline::in(patience);
    std::string all;
    std::array<char, 64 << 10> room;
    for (;;) {
        const std::size_t got = TRY(sys::read_some(0, room, deadline));
        if (got == 0) return all;
        if (all.size() + got > limit) return base::fail(Kind::limit, "the message is longer than 1 GiB");
        all.append(room.data(), got);
    }
}

Result<std::string> password_of(const submitter::Order& order) {
    if (order.password_file.empty()) return sys::ask_password("Password of " + order.options.credentials.user + ": ");
    std::string text = TRY(cmd::read_password(order.password_file, sys::Guard::private_to_owner));
    const std::string line(base::trim(text));
    base::wipe(text);
    if (line.empty()) return base::fail(Kind::config, order.password_file + ": the first line is empty");
    return line;
}

// The command's first word of output, with code and text as its last arguments; anything but "insecure" is secure.
smtp_client::TlsAnswer ask_policy(const submitter::Order& order, int code, std::string_view text) {
    using smtp_client::TlsAnswer;
    if (order.policy.empty()) return order.insecure ? TlsAnswer::insecure : TlsAnswer::secure;
    sys::Command command;
    command.path = order.policy.front();
    command.search = true;
    command.arguments.assign(order.policy.begin() + 1, order.policy.end());
    command.arguments.insert(command.arguments.end(), {std::to_string(code), std::string(text)});
    const char* path = std::getenv("PATH");
    command.environment = {"PATH=" + std::string(path != nullptr ? path : "/usr/bin:/bin"), "LANG=C"};
    command.err = 2;
    const auto said = sys::run(command, sys::Deadline::in(base::Millis(order.options.dial.timeout_ms)));
    if (!said) {
        program.complain(0, "--tlspolicy: " + said.error().text);
        return TlsAnswer::secure;
    }
    const bool insecure = said->ending.ok() && base::trim(said->out) == "insecure";
    return insecure ? TlsAnswer::insecure : TlsAnswer::secure;
}

void show(smtp_client::Options& options) {
    options.dial.trace = [](bool ours, std::string_view line) {
        std::fprintf(stderr, "%s %.*s\n", ours ? "C:" : "S:", static_cast<int>(line.size()), line.data());
    };
    options.dial.trying = [](std::string_view name, std::string_view address, std::string_view failure) {
        if (failure.empty())
            return void(std::fprintf(stderr, "Trying %s (%s)\n", std::string(name).c_str(), std::string(address).c_str()));
        std::fprintf(stderr, "%s: %s\n", std::string(address).c_str(), std::string(failure).c_str());
    };
}

void add_settings(const config::Settings& settings, smtp_client::Options& options) {
    for (const auto& server : settings.dns.nameservers)
        options.dial.nameservers.push_back(dns::NameServer{server.address, server.port}.text());
    if (options.tls_options.authorities.empty()) options.tls_options.authorities = settings.tls.ca_directory;
    options.tls_options.known = settings.tls.known;
    options.tls_options.minimum = settings.tls.minimum;
    if (settings.tls.require && options.tls == smtp_client::Options::Tls::offered)
        options.tls = smtp_client::Options::Tls::required;
}

int run(submitter::Order& order) {
    auto message = read_input();
    if (!message) return program.complain(message.error().kind == Kind::limit ? EX_DATAERR : EX_TEMPFAIL, message.error().text);
    if (order.text) *message = submitter::text_message(*message);
    smtp_client::Credentials& credentials = order.options.credentials;
    if (!credentials.user.empty()) {
        auto password = password_of(order);
        if (!password) return program.complain(EX_CONFIG, "the password: " + password.error().text);
        credentials.password = *std::move(password);
    }
    order.options.tls_policy = [&order](int code, std::string_view text) { return ask_policy(order, code, text); };
    if (order.debug) show(order.options);
    const auto outcome = smtp_client::send_message(order.options, *message);
    base::wipe(credentials.password);
    std::fputs(submitter::complaint(outcome).c_str(), stderr);
    const std::string lines = submitter::result_lines(outcome, order.options.at_least_one, order.json);
    if (!sys::write_all(1, lines, sys::Deadline::in(base::Seconds(60)))) program.complain(0, "the result could not be written");
    return submitter::status_of(outcome, order.options.at_least_one);
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto line = program.arguments(argc, argv);
    if (!line) return line.error();
    auto order = submitter::make_order(*line);
    if (!order) return program.usage(order.error().text);
    const auto file = program.settings(line->value('C'));
    if (!file) return file.error();
    add_settings(file->loaded.settings, order->options);
    if (order->options.tls != smtp_client::Options::Tls::off) tls::own_process();
    return run(*order);
}
