// smtp-source: a load of messages for a mail server, and how it took them (smtp-source(1)). Arguments, wiring, exit status.
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "client/digests.hh"
#include "cmd/password_file.hh"
#include "cmd/program.hh"
#include "cmd/smtp-source/options.hh"
#include "cmd/smtp-source/order.hh"
#include "cmd/smtp-source/run.hh"
#include "mail/date.hh"
#include "secret/random.hh"
#include "sys/file.hh"
#include "sys/host.hh"
#include "sys/random.hh"
#include "sys/terminal.hh"
#include "tls/process.hh"

using namespace greylag;

namespace {

constexpr std::size_t largest_file = 1 << 30;
constexpr std::size_t nonce_size = 24;

constexpr cmd::Program program{"smtp-source", source::option_table, source::operands};

Result<source::Files> read_files(const source::Order& order) {
    source::Files files;
    if (!order.file.empty()) files.message = TRY(sys::read_file(order.file, largest_file));
    if (!order.template_file.empty()) files.form = TRY(sys::read_file(order.template_file, largest_file));
    files.date = mail::rfc5322_date(sys::wall_now());
    files.identity = sys::random_hex(4);
    return files;
}

Result<std::string> read_password(const source::Order& order) {
    if (order.password_file.empty()) return std::string();
    return cmd::read_password(order.password_file);
}

std::string nonce() { return secret::random_text(nonce_size); }
void say(std::string_view line) { std::fprintf(stderr, "smtp-source: %.*s\n", static_cast<int>(line.size()), line.data()); }

int report(const source::Order& order, const source::Run& run) {
    std::fputs(order.json ? source::json(run).c_str() : source::summary(run).c_str(), stdout);
    const bool said = std::fflush(stdout) == 0;
    if (!order.csv.empty()) {
        const auto written = sys::write_file(order.csv, source::csv(run), 0644);
        if (!written) return program.complain(EX_CANTCREAT, written.error().text);
    }
    const int status = source::verdict(run.stats);
    return !said ? EX_IOERR : status == EX_OK && run.stopped ? EX_TEMPFAIL : status;
}

int start(const source::Order& order) {
    auto files = read_files(order);
    if (!files) return program.complain(EX_NOINPUT, files.error().text);
    const auto password = read_password(order);
    if (!password) return program.complain(EX_CONFIG, password.error().text);
    auto content = source::Content::make(order, std::move(*files));
    if (!content) return program.complain(EX_CONFIG, content.error().text);
    const auto place = source::find_place(order);
    if (!place)
        return program.complain(place.error().lasting == Lasting::temporary ? EX_TEMPFAIL : EX_NOHOST, place.error().text);
    const source::Plan plan{order, std::move(*content), *password, client::all_digests(), nonce, say};
    const bool terminal = sys::is_terminal(STDERR_FILENO) && !order.verbose;
    const auto run = source::run(plan, *place, terminal);
    return run ? report(order, *run) : program.complain(EX_OSERR, run.error().text);
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto line = program.arguments(argc, argv);
    if (!line) return line.error();
    const auto order = source::make_order(*line, sys::host_name());
    if (!order) return program.usage(order.error().text);
    if (order->tls != source::Tls::none) tls::own_process();
    return start(*order);
}
