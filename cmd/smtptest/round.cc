#include "cmd/smtptest/round.hh"

#include <unistd.h>

#include <algorithm>

#include "base/escape.hh"
#include "cmd/smtptest/speech.hh"
#include "sasl/mechanism.hh"
#include "sys/host.hh"
#include "sys/terminal.hh"

namespace greylag::smtptest {

using smtp_client::Failure;
using smtp_client::Reply;

namespace {

constexpr std::size_t longest_password = 1024;

Failure refused(const Reply& reply, const std::string& what) {
    const auto kind = reply.code >= 500   ? Failure::Kind::refused
                      : reply.code >= 400 ? Failure::Kind::later
                                          : Failure::Kind::protocol;
    return {kind, reply.code, reply.enhanced, what + ": " + reply.text()};
}

}  // namespace

bool Round::give_up(const Failure& failure) {
    report_.failed(failure);
    return false;
}

bool Round::connect() {
    smtp_client::DialOptions dial = order_.dial;
    dial.trace = [this](bool ours, std::string_view line) {
        if (shown_ == Shown::all || (shown_ == Shown::theirs && !ours)) report_.dialogue(ours, line);
    };
    if (order_.verbose)
        dial.trying = [this](std::string_view name, std::string_view address, std::string_view failure) {
            const std::string where = base::printable(name) + " (" + base::printable(address) + ")";
            report_.say(failure.empty() ? "Trying " + where : "No connection to " + where + ": " + base::printable(failure));
        };
    report_.begin("connect");
    auto opened = smtp_client::Connection::open(order_.to, dial);
    if (!opened) return give_up(opened.error());
    server_.emplace(*std::move(opened));
    if (!order_.proxy.empty()) {
        const auto header = proxy_header(order_.proxy, server_->local(), server_->remote());
        if (const auto sent = server_->write(header); !sent) return give_up(sent.error());
    }
    report_.done(server_->remote());
    return order_.tls != Order::Tls::implicit || tls();
}

bool Round::tls() {
    report_.begin("tls");
    const auto up = server_->start_tls(order_.tls_options);
    if (!up) return give_up(up.error());
    bits_ = up->bits;
    certificate_ = !order_.tls_options.identity.empty();
    const std::string verified = up->believed ? "verified" : "not verified: " + harmless(up->reason);
    report_.say("TLS connection established: " + up->description + " (" + std::to_string(up->bits) + " bits)" +
                (up->resumed ? ", session resumed" : ""));
    if (!up->subject.empty() || !up->resumed) {
        report_.say("Certificate " + verified);
        report_.say("Certificate of " + harmless(up->subject) + ", issued by " + harmless(up->issuer) + ", until " +
                    harmless(up->not_after));
        report_.say("Certificate fingerprint " + up->sha256 + (order_.verbose ? ", key " + up->spki_sha256 : ""));
    }
    report_.done(up->description + (up->resumed ? ", session resumed" : "") + ", certificate " + verified + ", " + up->sha256);
    return true;
}

bool Round::greet() {
    report_.begin("greeting");
    const auto greeting = server_->read_reply();
    if (!greeting) return give_up(greeting.error());
    if (greeting->code / 100 != 2) return give_up(refused(*greeting, "the greeting"));
    report_.done(*greeting);
    return true;
}

std::string Round::name() const {
    if (!order_.hello.empty()) return order_.hello;
    const std::string host = sys::host_name();
    if (host.find('.') != std::string::npos || !order_.to.path.empty()) return host;
    const std::string local = server_->local();
    std::string_view address = std::string_view(local).substr(0, local.rfind(':'));
    if (address.starts_with('[')) return "[IPv6:" + std::string(address.substr(1));
    return "[" + std::string(address) + "]";
}

bool Round::hello() {
    report_.begin(order_.lmtp ? "lhlo" : "ehlo");
    auto said = server_->hello(name(), order_.lmtp);
    if (!said) return give_up(said.error());
    hello_ = *std::move(said);
    report_.done(hello_.reply);
    return true;
}

bool Round::upgrade() {
    report_.begin("starttls");
    if (hello_.find("STARTTLS") == nullptr) return give_up({Failure::Kind::tls, 0, {}, "the server does not offer STARTTLS"});
    const auto go = server_->command("STARTTLS");
    if (!go) return give_up(go.error());
    if (go->code != 220) {
        auto failure = refused(*go, "STARTTLS");
        if (failure.kind == Failure::Kind::protocol) failure.kind = Failure::Kind::tls;
        return give_up(failure);
    }
    report_.done(*go);
    return tls() && hello();
}

std::string Round::ask(std::string_view prompt, bool hidden) const {
    if (hidden) return sys::ask_password(std::string(prompt)).value_or("");
    std::fprintf(stderr, "%s", harmless(prompt).c_str());
    return sys::read_line(STDIN_FILENO, longest_password).value_or("");
}

smtp_client::Credentials Round::credentials() {
    smtp_client::Credentials c;
    c.user = order_.user;
    c.authorization = order_.authorization;
    c.realm = order_.realm;
    c.initial_response = order_.initial_response;
    // Whoever names the mechanism means it.
    c.without_tls = !order_.mechanism.empty();
    if (!order_.mechanism.empty()) c.mechanisms = {order_.mechanism};
    if (order_.challenge) c.challenge = [this](std::string_view prompt) { return ask(std::string(prompt) + ": ", false); };
    if (!password_) password_ = order_.password;
    const auto mechanism = sasl::find(order_.mechanism);
    const bool needs_none = mechanism == sasl::Mechanism::external || mechanism == sasl::Mechanism::anonymous ||
                            (mechanism == sasl::Mechanism::otp && order_.challenge);
    if (!password_ && !needs_none && sys::is_terminal(STDIN_FILENO)) password_ = ask("Password of " + c.user + ": ", true);
    c.password = password_.value_or("");
    return c;
}

smtp_client::Result<Reply> Round::authenticate(const smtp_client::Credentials& credentials) {
    smtp_client::Credentials c = credentials;
    smtp_client::Hello offered = hello_;
    // One that was named is tried whether it is offered or not: the server is what is tested.
    offered.mechanisms.insert(offered.mechanisms.end(), c.mechanisms.begin(), c.mechanisms.end());
    if (c.mechanisms.empty() && !order_.allowed.empty())
        std::erase_if(offered.mechanisms, [&](const std::string& one) {
            return std::find(order_.allowed.begin(), order_.allowed.end(), one) == order_.allowed.end();
        });
    if (static_cast<unsigned>(bits_) < order_.least_bits)
        return std::unexpected(Failure{Failure::Kind::authentication,
                                       0,
                                       {},
                                       "no mechanism available: " + std::to_string(bits_) +
                                           " bits protect this connection, -k asks for " + std::to_string(order_.least_bits)});
    if (offered.mechanisms.empty())
        return std::unexpected(Failure{Failure::Kind::authentication, 0, {}, "no mechanism available"});
    return server_->authenticate(offered, c);
}

bool Round::goes_on(const Failure& failure) {
    return failure.kind == Failure::Kind::authentication || (failure.code != 0 && failure.code != 421);
}

bool Round::log_in() {
    if (order_.auth == Order::Auth::none) return true;
    const bool demanded = order_.auth == Order::Auth::demanded;
    if (hello_.mechanisms.empty() && !demanded) return true;
    auto c = credentials();
    if (!demanded && c.password.empty()) {
        report_.say("Not authenticated: no password.");
        return true;
    }
    report_.begin("auth");
    const auto reply = authenticate(c);
    if (!reply) {
        report_.say("Authentication failed. " + harmless(reply.error().text));
        report_.failed(reply.error());
        return goes_on(reply.error());
    }
    report_.done(*reply);
    report_.say("Authenticated.");
    report_.say("Security strength factor: " + std::to_string(bits_));
    return true;
}

smtp_client::Result<Reply> Round::authenticate_by(const std::vector<std::string>& words) {
    smtp_client::Credentials c;
    if (words.size() >= 3) {
        c.user = words[1];
        c.password = words[2];
        c.initial_response = order_.initial_response;
    } else {
        c = credentials();
        if (words.size() == 2) c.user = words[1];
    }
    if (!words.empty()) {
        c.mechanisms = {words[0]};
        c.without_tls = true;
    }
    return authenticate(c);
}

bool Round::prepare() { return connect() && greet() && hello() && (order_.tls != Order::Tls::starttls || upgrade()) && log_in(); }

void Round::quit() {
    report_.begin("quit");
    const auto reply = server_->command("QUIT");
    if (reply) report_.done(*reply);
    server_->close();
}

}  // namespace greylag::smtptest
