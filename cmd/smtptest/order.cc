#include "cmd/smtptest/order.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/time.hh"
#include "cmd/smtptest/speech.hh"
#include "sasl/mechanism.hh"

namespace greylag::smtptest {

namespace {

std::unexpected<Error> usage(std::string text) { return base::fail(Kind::usage, std::move(text)); }

Result<unsigned> number(const base::CommandLine& given, char letter, unsigned otherwise) {
    if (!given.has(letter)) return otherwise;
    const auto value = base::parse_number<unsigned>(given.value(letter));
    if (!value) return usage(std::string("-") + letter + " takes a number");
    return *value;
}

Result<bool> is_lmtp(const base::CommandLine& given, std::string_view program) {
    const auto protocol = given.value('P', program.substr(program.rfind('/') + 1).starts_with("lmtp") ? "lmtp" : "smtp");
    if (protocol != "smtp" && protocol != "lmtp")
        return usage("-P " + base::printable(protocol, 40) + ": smtp and lmtp are what is spoken here");
    return protocol == "lmtp" || given.has("lmtp");
}

Result<void> mechanisms(const base::CommandLine& given, Order& order) {
    order.mechanism = base::upper(given.value('m'));
    if (given.has('m') && !sasl::find(order.mechanism)) {
        const bool kerberos = order.mechanism.starts_with("GSS") || order.mechanism.starts_with("KERBEROS");
        return usage(base::printable(order.mechanism, 40) + (kerberos ? " is not built in" : " is no mechanism that we know"));
    }
    for (const auto& one : given.options) {
        if (one.option->letter != 'o') continue;
        const auto pair = base::cut(one.value, '=');
        const auto name = pair ? pair->first : one.value;
        if (name == "client_mech_list" || name == "mech_list") {
            const auto names = pair ? pair->second : std::string_view();
            for (const auto word : base::words(names, ",")) order.allowed.push_back(base::upper(word));
        } else {
            order.notes.push_back("-o " + base::printable(name, 40) +
                                  ": there is no such option here, and nothing it could change");
        }
    }
    return {};
}

Result<void> authentication(const base::CommandLine& given, const std::string& login, Order& order) {
    TRY(mechanisms(given, order));
    order.user = given.value('a', login);
    order.authorization = given.value('u');
    if (order.authorization == order.user) order.authorization.clear();
    order.realm = given.value('r');
    if (given.has('w')) order.password = given.value('w');
    order.password_file = given.value("password-file");
    if (given.has('w') && given.has("password-file")) return usage("-w and --password-file exclude each other");
    order.least_bits = TRY(number(given, 'k', 0));
    const unsigned most = TRY(number(given, 'l', 128));
    if (given.has('l') && most < order.least_bits) return usage("-k asks for more than -l allows");
    order.challenge = given.has('c');
    order.initial_response = !given.has('i');
    const bool asked = given.has('m') || given.has('a') || given.has('u') || given.has('w') || given.has("password-file");
    if (asked && given.has("no-auth")) return usage("--no-auth, and yet something to authenticate with");
    order.auth = given.has("no-auth") ? Order::Auth::none : asked ? Order::Auth::demanded : Order::Auth::offered;
    if (given.has("script")) order.auth = Order::Auth::none;
    return {};
}

Result<void> tls(const base::CommandLine& given, Order& order) {
    if (given.has('t') && given.has('s')) return usage("-s and -t exclude each other: TLS begins once");
    if (given.has('s') && order.lmtp) return usage("-s: LMTP has no port with TLS from the first octet");
    order.tls = given.has('s') ? Order::Tls::implicit : given.has('t') ? Order::Tls::starttls : Order::Tls::none;
    auto& options = order.tls_options;
    options.identity = given.value('t');
    options.authorities = given.value("ca");
    options.name = given.value("server-name");
    options.insist = given.has("verify");
    for (const auto& one : given.options)
        if (one.option->name == "fingerprint") options.known.emplace_back(one.value);
    return {};
}

Result<void> place(const base::CommandLine& given, Order& order) {
    if (given.operands.size() > 1) return usage("one host is enough");
    order.to.path = given.value("connect-unix");
    if (!order.to.path.empty() && !given.operands.empty()) return usage("--connect-unix takes the place of a host");
    if (given.operands.empty() && order.to.path.empty()) order.notes.emplace_back("no host was named: localhost");
    order.to.host = given.operands.empty() ? "localhost" : std::string(given.operands.front());
    order.to.service = given.value('p', given.has('s') ? "465" : order.lmtp ? "24" : "25");
    order.hello = given.value("hello");
    order.proxy = given.value('H');
    if (given.has('H') && proxy_header(order.proxy, "", "").empty())
        return usage("-H takes an address, \"unknown\" or \"local\"");
    if (!given.has("timeout")) return {};
    const auto wait = base::parse_duration(given.value("timeout"));
    if (!wait || wait->count() == 0 || *wait > base::Seconds(86'400))
        return usage("--timeout takes a duration like 30s, a day at most");
    order.dial.timeout_ms = static_cast<std::uint32_t>(wait->count());
    return {};
}

Result<void> work(const base::CommandLine& given, Order& order) {
    order.rounds = TRY(number(given, 'n', 1));
    if (order.rounds == 0) return usage("-n takes a number above 0");
    order.file = given.value('f');
    order.script = given.value("script");
    if (given.has('x') && given.has('X')) return usage("-x and -X exclude each other");
    order.background = given.has('X');
    order.socket = given.value(order.background ? 'X' : 'x');
    const bool serves = given.has('x') || given.has('X');
    if (given.has('f') + given.has("script") + serves > 1) return usage("only one of -f, --script, -x and -X can follow");
    order.pid_file = given.value('I');
    order.verbose = given.has('v');
    order.time = given.has("time");
    order.json = given.has("json");
    if (given.has('q')) order.notes.emplace_back("-q: there is no compression in SMTP and LMTP");
    if (given.has('z')) return usage("-z: a load is made by smtp-source(1)");
    return {};
}

}  // namespace

Result<Order> make_order(const base::CommandLine& given, std::string_view program, const std::string& login) {
    Order order;
    order.lmtp = TRY(is_lmtp(given, program));
    TRY(place(given, order));
    TRY(tls(given, order));
    TRY(authentication(given, login, order));
    TRY(work(given, order));
    return order;
}

}  // namespace greylag::smtptest
