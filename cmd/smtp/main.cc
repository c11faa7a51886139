// smtp: one message from standard input to its recipients at one destination (smtp(8)). Arguments, wiring, exit status.
#include <sysexits.h>

#include <cstdio>
#include <string>

#include "base/escape.hh"
#include "client/deliver.hh"
#include "cmd/program.hh"
#include "cmd/sibling.hh"
#include "cmd/smtp/crypto.hh"
#include "cmd/smtp/login.hh"
#include "cmd/smtp/message.hh"
#include "cmd/smtp/options.hh"
#include "cmd/smtp/order.hh"
#include "cmd/smtp/prepare.hh"
#include "cmd/smtp/report.hh"
#include "sys/file.hh"
#include "sys/host.hh"
#include "sys/io.hh"

using namespace greylag;

namespace {

constexpr cmd::Program program{"smtp", sender::option_table, sender::operands};

int complain(int status, const std::string& text) {
    program.complain(status, text);
    std::fputs(std::string(sender::last_word(status)).c_str(), stderr);
    return status;
}

void show(bool ours, std::string_view line) {
    std::fprintf(stderr, "%s %s\n", ours ? "C:" : "S:", base::printable(line).c_str());
}

void note(std::string_view sentence) { std::fprintf(stderr, "smtp: %s\n", base::printable(sentence).c_str()); }

std::vector<smtp::Outcome> attempt(const sender::Order& order, client::Delivery d) {
    std::vector<smtp::Outcome> outcomes;
    for (const auto& recipient : order.recipients) {
        outcomes.push_back(recipient.refused);
        if (recipient.path) d.facts.recipients.push_back(*recipient.path);
    }
    if (d.facts.recipients.empty()) return outcomes;
    auto tried = client::deliver(d);
    std::size_t next = 0;
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        if (order.recipients[i].path) outcomes[i] = std::move(tried[next++]);
    return outcomes;
}

int report(const sender::Order& order, const std::vector<smtp::Outcome>& outcomes) {
    std::string failures, lines;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        failures += sender::failure_line(order.recipients[i].name, outcomes[i]);
        lines += sender::report_line(order.recipients[i].name, outcomes[i]);
    }
    const int status = sender::verdict(outcomes);
    failures += sender::last_word(status);
    std::fputs(failures.c_str(), stderr);
    if (order.report) {
        const auto written = sys::write_all(*order.report, lines, sys::Deadline::in(base::Seconds(10)));
        if (!written) std::fprintf(stderr, "smtp: -R: %s\n", written.error().text.c_str());
    }
    return status;
}

int run(const sender::Order& order, const config::Settings& settings, const std::string& host_name,
        const client::Security* security) {
    const auto fault = [](const Error& error) {
        return complain(error.kind == Kind::limit ? EX_DATAERR : EX_TEMPFAIL, error.text);
    };
    if (order.filter) {
        const auto done = sender::filter_message(0, sender::conversion(order), 1);
        return done ? EX_OK : fault(done.error());
    }
    auto d = sender::delivery(order, settings, host_name);
    if (order.debug) d.trace.show = show;
    d.trace.note = note;
    d.security = security;
    if (security == nullptr && d.facts.starttls == smtp::ClientFacts::StartTls::offered)
        d.facts.starttls = smtp::ClientFacts::StartTls::never;
    client::Login login;
    if (order.authenticate) {
        auto read = sender::read_login(order, settings);
        if (!read) return complain(EX_CONFIG, read.error().text);
        login = std::move(*read);
        d.login = &login;
    }
    sender::Message message;
    if (!order.ping) {
        auto spooled = sender::spool_message(0, sender::conversion(order), sys::join(settings.paths.state, "spool"));
        if (!spooled) return fault(spooled.error());
        message = std::move(*spooled);
        d.message = message.content();
        d.facts.message = message.traits;
    }
    return report(order, attempt(order, std::move(d)));
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto line = program.arguments(argc, argv);
    if (!line) return line.error();
    const std::string host_name = sys::host_name();
    const auto order = sender::make_order(*line, host_name);
    if (!order) return program.usage(order.error().text);
    const auto file = cmd::load_settings(line->value('C'));
    if (!file) return complain(EX_CONFIG, file.error().text);
    cmd::print_faults(file->loaded.faults);
    if (!file->loaded.faults.empty()) return std::fputs(std::string(sender::last_word(EX_CONFIG)).c_str(), stderr), EX_CONFIG;
    const config::Settings& settings = file->loaded.settings;
    std::unique_ptr<client::Security> security;
    if (sender::wants_tls(*order, settings)) {
        security = sender::make_security(sender::tls_policy(*order, settings));
        if (!security) {
            const std::string other = cmd::sibling_path(settings.paths.libexec, "smtp-tls");
            const std::string why = "without " + cmd::become(other, {argv + 1, argv + argc}).text + ": there is no TLS here";
            if (settings.tls.require || order->tls_first) return complain(EX_TEMPFAIL, why);
            note(why);
        }
    }
    return run(*order, settings, host_name, security.get());
}
