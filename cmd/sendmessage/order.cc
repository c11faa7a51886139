#include "cmd/sendmessage/order.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "base/time.hh"
#include "base/utf8.hh"
#include "client/destination.hh"

namespace greylag::submitter {

namespace {

using smtp_client::Server;
constexpr std::uint16_t smtps = 465;

std::unexpected<Error> bad(std::string_view option, std::string text) {
    return base::fail(Kind::usage, "--" + std::string(option) + ": " + std::move(text));
}

Result<Server> read_server(std::string_view text) {
    if (text.find('!') != std::string_view::npos) return bad("servers", base::quoted(text, 80) + " is no host");
    const auto where = client::parse_destination(text);
    if (!where) return bad("servers", where.error().text);
    const bool numeric = where->how == client::Destination::How::address;
    return Server{numeric ? where->address.text() : where->host, where->port};
}

// In tandem, as ::smtp::sendmessage does: what is missing is the default, what is left over is nothing.
Result<std::vector<Server>> read_servers(const base::CommandLine& line, std::uint16_t usual) {
    std::vector<Server> servers;
    const auto ports = base::words(line.value("ports"), ",");
    for (const auto word : base::words(line.value("servers", "localhost"), ",")) {
        Server server = TRY(read_server(word));
        const std::size_t at = servers.size();
        if (server.port == 25) server.port = usual;
        if (at < ports.size() && server.port == usual) {
            const auto port = client::service_port(ports[at]);
            if (!port) return bad("ports", base::quoted(ports[at], 80) + " is no port");
            server.port = *port;
        }
        servers.push_back(std::move(server));
    }
    if (servers.empty()) return bad("servers", "there is none");
    return servers;
}

Result<std::uint32_t> read_seconds(std::string_view option, std::string_view text) {
    if (text.starts_with('-') && base::parse_number<std::uint32_t>(text.substr(1))) return std::uint32_t{0};
    const auto wait = base::parse_duration(text);
    constexpr std::int64_t longest = 86'400'000;
    if (!wait || wait->count() > longest) return bad(option, base::quoted(text, 80) + " is no time up to a day");
    return static_cast<std::uint32_t>(wait->count());
}

Result<void> read_headers(const base::CommandLine& line, smtp_client::Options& options) {
    for (const auto& given : line.options) {
        if (given.option->name != "header") continue;
        const auto parts = base::cut(given.value, ':');
        if (!parts) return bad("header", base::quoted(given.value, 80) + " has no colon");
        options.headers.emplace_back(base::trim(parts->first), base::trim(parts->second));
    }
    return {};
}

Result<void> read_tls(const base::CommandLine& line, Order& order) {
    using Tls = smtp_client::Options::Tls;
    const bool use = TRY(read_boolean("usetls", line.value("usetls", "on")));
    const bool import = TRY(read_boolean("tlsimport", line.value("tlsimport", "off")));
    order.options.tls = import ? Tls::implicit : use ? Tls::offered : Tls::off;
    // Who turned TLS off has decided about the password, too.
    order.options.credentials.without_tls = !use && !import;
    order.options.tls_options.authorities = line.value("ca");
    const std::string_view policy = line.value("tlspolicy", "secure");
    order.insecure = policy == "insecure";
    if (policy == "secure" || policy == "insecure") return {};
    for (const auto word : base::words(policy)) order.policy.emplace_back(word);
    if (order.policy.empty()) return bad("tlspolicy", "neither secure nor insecure nor a command");
    return {};
}

}  // namespace

Result<bool> read_boolean(std::string_view option, std::string_view word) {
    for (const std::string_view yes : {"1", "true", "yes", "on"})
        if (base::iequals(word, yes)) return true;
    for (const std::string_view no : {"0", "false", "no", "off"})
        if (base::iequals(word, no)) return false;
    return bad(option, base::quoted(word, 40) + " is neither on nor off");
}

Result<Order> make_order(const base::CommandLine& line) {
    Order order;
    if (!line.operands.empty()) return base::fail(Kind::usage, "what is " + base::quoted(line.operands.front(), 80) + " for?");
    TRY(read_tls(line, order));
    smtp_client::Options& options = order.options;
    options.servers = TRY(read_servers(line, options.tls == smtp_client::Options::Tls::implicit ? smtps : std::uint16_t{25}));
    options.client = line.value("client");
    options.queue = TRY(read_boolean("queue", line.value("queue", "off")));
    options.at_least_one = TRY(read_boolean("atleastone", line.value("atleastone", "off")));
    options.originator = line.value("originator");
    options.null_originator = line.has("originator") && options.originator.empty();
    options.recipients = line.value("recipients");
    if (line.has("recipients") && base::trim(options.recipients).empty()) return bad("recipients", "there is none");
    TRY(read_headers(line, options));
    options.credentials.user = line.value("username");
    order.password_file = line.value("password-file");
    if (!order.password_file.empty() && options.credentials.user.empty())
        return bad("password-file", "whose password is that? There is no --username");
    options.final_timeout_ms = TRY(read_seconds("maxsecs", line.value("maxsecs", "120")));
    options.dial.timeout_ms = TRY(read_seconds("timeout", line.value("timeout", "60")));
    order.debug = TRY(read_boolean("debug", line.value("debug", "off")));
    order.json = line.has("json");
    order.text = line.has("text");
    return order;
}

std::string text_message(std::string_view body) {
    const bool ascii = std::none_of(body.begin(), body.end(), base::is_8bit);
    const char* charset = ascii ? "us-ascii" : base::is_utf8(body) ? "utf-8" : "unknown-8bit";
    return "MIME-Version: 1.0\nContent-Type: text/plain; charset=" + std::string(charset) +
           "\nContent-Transfer-Encoding: " + (ascii ? "7bit" : "8bit") + "\n\n" + std::string(body);
}

}  // namespace greylag::submitter
