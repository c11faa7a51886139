#include "cmd/smtp/order.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "sasl/mechanism.hh"

namespace greylag::sender {

namespace {

// "joe" and "joe@box" with what is missing; null paths stay.
Result<mail::Path> whole(const mail::Path& path, const std::string& host, const std::string& suffix) {
    if (path.is_null()) return path;
    const mail::Mailbox& mailbox = path.mailbox();
    std::string name = mailbox.is_qualified() ? mail::text(mailbox.host()) : host;
    if (name.empty()) return path;
    const bool literal = name.starts_with('[');
    if (!literal && !suffix.empty() && name.find('.') == std::string::npos) name += suffix;
    mail::Host place;
    if (literal) {
        place = TRY(mail::IpAddress::parse_literal(name));
    } else {
        place = TRY(mail::Domain::parse(name, mail::Domain::Allow::utf8));
    }
    return mail::Path::of(path.route(), TRY(mail::Mailbox::make(mailbox.local(), std::move(place))));
}

Result<mail::Path> read_address(std::string_view text) {
    auto path = TRY(mail::Path::parse_argument(text));
    if (path.is_loopback()) return base::fail(Kind::syntax, "an address of nobody: " + base::quoted(text, 200));
    return path;
}

Recipient read_recipient(std::string_view text, const std::string& host, const std::string& suffix) {
    auto path = read_address(text);
    if (path && !path->is_null()) path = whole(*path, host, suffix);
    if (path && !path->is_null()) return {path->text(), std::move(*path), {}};
    smtp::Outcome refused{smtp::Outcome::State::never, smtp::Outcome::Cause::reply, smtp::Stage::rcpt, 553, "5.1.3", {}};
    refused.text = path ? "nobody has the null address" : path.error().text;
    return {base::printable(text), std::nullopt, std::move(refused)};
}

std::uint16_t default_port(const Order& order) { return order.tls_first ? 465 : 25; }

Result<void> read_options(const base::CommandLine& line, Order& order) {
    for (const auto& given : line.options)
        if (given.option->letter == 'b') order.busted.emplace_back(given.value);
    order.tls_first = line.has('t');
    if (line.has('g')) order.gateway = TRY(client::parse_destination(line.value('g'), default_port(order)));
    if (order.gateway && order.gateway->how == client::Destination::How::local)
        return base::fail(Kind::usage, "-g: a gateway is another host");
    if (line.has('R')) {
        const auto fd = base::parse_number<unsigned>(line.value('R'));
        if (!fd || *fd > 65535) return base::fail(Kind::usage, "-R: not the number of a descriptor");
        order.report = static_cast<int>(*fd);
    }
    order.noop_first = line.has('A');
    order.debug = line.has('d');
    order.filter = line.has('f');
    order.ping = line.has('p');
    order.authenticate = line.has('a');
    order.starttls = line.has('s') || order.authenticate;
    order.without_tls = line.has('i');
    order.any_certificate = line.has('o');
    order.user = line.value('u');
    if (line.has('u') && !sasl::is_plausible(order.user)) return base::fail(Kind::usage, "-u: this is no user's name");
    return {};
}

}  // namespace

Result<Order> make_order(const base::CommandLine& line, const std::string& host_name) {
    Order order;
    TRY(read_options(line, order));
    std::vector<std::string_view> words = line.operands;
    if (!words.empty() && words.front().starts_with('.')) {
        order.suffix = words.front();
        words.erase(words.begin());
        if (!mail::Domain::parse(std::string_view(order.suffix).substr(1)))
            return base::fail(Kind::usage, base::quoted(order.suffix, 200) + " is no domain");
    }
    if (words.empty()) return base::fail(Kind::usage, "no destination");
    if (words.size() < 2) return base::fail(Kind::usage, "no sender");
    // Mail readers put it between their own words and the recipients.
    if (words.size() > 2 && words[2] == "--") words.erase(words.begin() + 2);
    if (words.size() < 3 && !order.filter) return base::fail(Kind::usage, "no recipient");

    order.host = line.value('h', host_name);
    if (order.host.find('.') == std::string::npos) order.host += order.suffix;
    if (!mail::Domain::parse(order.host)) return base::fail(Kind::usage, "-h: " + base::quoted(order.host, 200) + " is no host");
    order.destination = TRY(client::parse_destination(words[0], default_port(order)));

    const auto sender = read_address(words[1]);
    if (!sender) return base::fail(Kind::usage, "sender: " + sender.error().text);
    if (!sender->is_null() && !sender->mailbox().is_qualified()) order.account = sender->mailbox().local();
    order.sender = TRY(whole(*sender, order.host, order.suffix));
    for (std::size_t i = 2; i < words.size(); ++i)
        order.recipients.push_back(read_recipient(words[i], order.destination.domain(), order.suffix));
    return order;
}

}  // namespace greylag::sender
