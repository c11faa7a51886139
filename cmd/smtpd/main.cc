// smtpd: an SMTP receiver. One connection on fd 0 and 1, or an accept loop where fd 0 listens, systemd passed sockets, or -l
// was given.
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "cmd/program.hh"
#include "cmd/smtpd/accept.hh"
#include "cmd/smtpd/check.hh"
#include "cmd/smtpd/hold.hh"
#include "cmd/smtpd/options.hh"
#include "cmd/smtpd/session.hh"
#include "cmd/smtpd/sibling.hh"
#include "sys/peer.hh"
#include "sys/rights.hh"

using namespace greylag;

namespace {

constexpr cmd::Program program{"smtpd", smtpd::option_table, ""};

// A client that waits is told; the administrator reads the rest in the log.
int refuse_to_serve(const smtpd::Setup& setup, bool client_waits, int out = STDOUT_FILENO) {
    cmd::print_faults(setup.faults);
    if (!client_waits) return EX_CONFIG;
    // A log that root began could not be gone on with by whom it belongs to.
    (void)smtpd::give_up_root(setup);
    sys::Log log(smtpd::log_settings(setup));
    for (const auto& fault : setup.faults) log.write(base::Event{}.with("reason", "config").with("said", fault.text()));
    smtpd::turn_away(out, smtp::say(smtp::Voice::config_error));
    return EX_CONFIG;
}

// What the file could not show.
int refuse_to_serve(smtpd::Setup& setup, std::string what, const Error& error, bool client_waits, int out = STDOUT_FILENO) {
    setup.faults.push_back({std::move(what), 0, error.text});
    return refuse_to_serve(setup, client_waits, out);
}

int single_session(smtpd::Setup& setup, int in, int out, smtpd::Security security) {
    sys::Signals signals;
    const auto ends = sys::connection_ends(in, setup.netdir);
    if (!ends) return refuse_to_serve(setup, "-n", ends.error(), true, out);
    const auto peer = ends->remote ? std::optional(ends->remote->address) : std::nullopt;
    if (ends->gone || setup.is_evil(peer)) return EX_OK;
    sys::Log log(smtpd::log_settings(setup));
    auto hold = smtpd::hold_off(setup, peer, log);
    smtpd::run_session({setup, log, signals}, {in, out, *ends, hold.wait, std::move(hold.place)}, security);
    return EX_OK;
}

// The sibling of a session that asked for TLS: nothing but this session is its business.
int take_over(smtpd::Setup& setup, smtpd::Crypto* crypto, smtpd::Begun begun) {
    Result<void> ready = base::fail(Kind::internal, "this program has no TLS");
    if (crypto != nullptr) ready = crypto->prepare(setup.settings.tls);
    if (!ready && (crypto == nullptr || !crypto->ready())) return begun.cannot(ready.error().text), EX_UNAVAILABLE;
    begun.ready();
    return single_session(setup, STDIN_FILENO, STDOUT_FILENO, {crypto, &begun});
}

// Before a socket is taken: what is inherited must still be there for the sibling.
bool will_listen(const smtpd::Setup& setup) {
    const bool passed = std::getenv("LISTEN_FDS") != nullptr && sys::is_listening(3);
    return !setup.listen.empty() || passed || sys::is_listening(STDIN_FILENO);
}

// `missing` is why there is no TLS, if there is none.
int serve(smtpd::Setup setup, const base::CommandLine& given, smtpd::Crypto* crypto, const std::optional<Error>& missing) {
    auto sockets = smtpd::find_sockets(setup);
    if (!sockets) return program.complain(EX_OSERR, sockets.error().text);
    if (const auto done = smtpd::give_up_root(setup); !done)
        return refuse_to_serve(setup, "smtpd.user", done.error(), sockets->loop.listeners.empty());
    if (missing)
        sys::Log(smtpd::log_settings(setup)).write(base::Event{}.with("reason", "smtpd-tls").with("said", missing->text));
    if (!sockets->loop.listeners.empty()) return smtpd::accept_loop(std::move(setup), std::move(sockets->loop), given, crypto);
    if (sockets->session) return single_session(setup, sockets->session.get(), sockets->session.get(), {crypto, nullptr});
    return single_session(setup, STDIN_FILENO, STDOUT_FILENO, {crypto, nullptr});
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    sys::detach_stderr_from_socket();
    const auto given = program.arguments(argc, argv);
    if (!given) return given.error();
    if (!given->operands.empty()) return program.usage("unexpected argument '" + std::string(given->operands.front()) + "'");

    auto setup = smtpd::make_setup(*given);
    if (!setup && setup.error().kind == Kind::usage) return program.usage(setup.error().text);
    const bool client_waits = !given->has('l') && !given->has("check");
    if (!setup) {
        smtpd::Setup unread;
        unread.settings = config::defaults();
        unread.faults = {{"smtpd", 0, setup.error().text}};
        return refuse_to_serve(unread, client_waits);
    }
    const auto crypto = smtpd::make_crypto();
    const bool check = given->has("check");
    std::optional<Error> missing;
    // Only the sibling can look into a certificate.
    if (!crypto && (check ? !setup->settings.tls.certificate.empty() : smtpd::needs_sibling(*setup, will_listen(*setup)))) {
        missing = smtpd::become_sibling(*setup);
        if (check || setup->tls_first) setup->faults.push_back({"smtpd", 0, missing->text});
    }
    if (check) return smtpd::check(*setup, crypto.get());
    if (auto begun = smtpd::take_begun()) return take_over(*setup, crypto.get(), std::move(*begun));
    if (!setup->faults.empty()) return refuse_to_serve(*setup, client_waits);
    return serve(std::move(*setup), *given, crypto.get(), missing);
}
