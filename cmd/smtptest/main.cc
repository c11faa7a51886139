// smtptest: a client that shows what a mail server does (smtptest(1)). Arguments, wiring, exit status.
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "cmd/password_file.hh"
#include "cmd/program.hh"
#include "cmd/smtptest/door.hh"
#include "cmd/smtptest/options.hh"
#include "cmd/smtptest/order.hh"
#include "cmd/smtptest/script.hh"
#include "cmd/smtptest/talk.hh"
#include "sys/fd.hh"
#include "sys/file.hh"
#include "sys/rights.hh"
#include "sys/terminal.hh"
#include "tls/process.hh"

using namespace greylag;
using namespace greylag::smtptest;

namespace {

constexpr std::size_t largest_input = 256 << 20;

constexpr cmd::Program program{"smtptest", option_table, operands};

// The parent has said all there is to say; the child has no terminal.
bool into_background() {
    const auto child = ::fork();
    if (child != 0) ::_exit(child > 0 ? EX_OK : EX_OSERR);
    ::setsid();
    const sys::Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int fd = 0; fd < 3; ++fd) ::dup2(nothing.get(), fd);
    return true;
}

Result<void> write_pid(const std::string& path) {
    if (path.empty()) return {};
    return sys::write_file(path, std::to_string(::getpid()), 0644);
}

// What a person or a pipe has to say.
void talk(Round& round, Report& report, const Order& order) {
    const bool person = sys::is_terminal(STDIN_FILENO) && sys::is_terminal(STDOUT_FILENO) && !order.json;
    Talk::Style style;
    style.skips = !person;
    style.last_counts = person;
    round.show(person ? Round::Shown::theirs : Round::Shown::none);
    if (!person) style.heard = [&](const smtp_client::Reply& reply) { report.words(reply); };
    Talk talk(round, report, style);
    bool alive = false;
    if (person) {
        Person source(talk.meanwhile());
        alive = talk.run(source);
    } else {
        Stream source(STDIN_FILENO, talk.meanwhile());
        alive = talk.run(source);
    }
    if (alive) {
        report.dialogue(true, "QUIT");
        talk.quit();
    }
    report.say("Connection closed.");
}

void send_file(Round& round, Report& report, const std::string& text) {
    Talk::Style style;
    style.echo = true;
    Talk talk(round, report, style);
    Text source(text);
    if (talk.run(source)) talk.quit();
    report.say("Connection closed.");
}

int run(const Order& order) {
    const bool colours = !order.json && order.file.empty() && sys::is_terminal(STDOUT_FILENO);
    Report report({order.json, order.time, colours});
    for (const auto& note : order.notes) std::fprintf(stderr, "smtptest: %s\n", note.c_str());
    if (const auto written = write_pid(order.pid_file); !written) return program.complain(EX_CANTCREAT, written.error().text);
    if (!order.script.empty()) return run_script(order, report);
    std::string file;
    if (!order.file.empty()) {
        auto text = sys::read_file(order.file, largest_input);
        if (!text) return program.complain(EX_NOINPUT, text.error().text);
        file = *std::move(text);
    }
    Round round(order, report);
    for (unsigned i = 1; i < order.rounds; ++i) {
        if (!round.prepare()) return report.status();
        round.quit();
    }
    if (!round.prepare()) return report.status();
    // Whoever asked for an authenticated session and got none does not mean this one.
    const bool unattended = !order.socket.empty() || !order.file.empty();
    if (unattended && report.status() != EX_OK) return round.quit(), report.status();
    if (!order.socket.empty()) {
        const auto door = sys::UnixDoor::open(order.socket);
        if (!door) return program.complain(EX_CANTCREAT, door.error().text);
        report.say("Serving on " + base::printable(order.socket));
        if (order.background && into_background()) (void)write_pid(order.pid_file);
        serve(*door, round, report);
        round.quit();
    } else if (!order.file.empty()) {
        send_file(round, report, file);
    } else {
        talk(round, report, order);
    }
    return report.status();
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto given = program.arguments(argc, argv, {}, true);
    if (!given) return given.error();
    if (given->has('h')) return program.help();
    auto order = make_order(*given, argv[0] != nullptr ? argv[0] : "", sys::login_name());
    if (!order) return program.usage(order.error().text);
    tls::own_process();
    if (!order->password_file.empty()) {
        auto password = cmd::read_password(order->password_file);
        if (!password) return program.complain(EX_NOINPUT, password.error().text);
        order->password = *std::move(password);
    }
    // One round's session is offered by the next.
    order->tls_options.memory = smtp_client::make_tls_memory();
    return run(*order);
}
