// What a sender reads from strangers: a server's replies, DNS answers that route, the message a program hands over; and a file
// of passwords.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/base64.hh"
#include "client/authenticate.hh"
#include "client/credentials.hh"
#include "client/destination.hh"
#include "client/message.hh"
#include "client/route.hh"
#include "mail/qualify.hh"
#include "smtp/client.hh"
#include "smtp/reply_parser.hh"
#include "tests/support/sasl.hh"

using namespace greylag;

namespace {

void must(bool holds) {
    if (!holds) __builtin_trap();
}

constexpr std::string_view password = "open sesame";

client::Authenticator::Facts login() {
    client::Authenticator::Facts facts;
    facts.digests = test::digests;
    // A hostile server may ask for a million rounds: allowed, and too slow for here.
    facts.digests.pbkdf2_sha256 = [](std::string_view secret, std::string_view salt, unsigned) {
        return test::digests.hmac_sha256(secret, salt);
    };
    facts.bindings = {"exported", "certificate"};
    facts.nonce = [] { return std::string("nonce"); };
    facts.user = "joe";
    facts.password = [] { return std::optional(base::Secret(std::string(password))); };
    return facts;
}

// Performs what the session asks for. Without TLS nothing is said that holds the password.
void perform(smtp::ClientSession& session, client::Authenticator& authenticator, const smtp::client::Event& event,
             bool handshakes, bool& tls) {
    for (const auto& effect : session.on(event)) {
        if (const auto* send = std::get_if<smtp::client::Send>(&effect)) {
            must(send->bytes.find(password) == std::string::npos);
            must(tls || !send->bytes.starts_with("AUTH "));
            must(send->bytes.ends_with("\r\n"));
        }
        if (std::holds_alternative<smtp::client::StartTls>(effect)) {
            tls = handshakes;
            return perform(session, authenticator, smtp::client::TlsUp{handshakes, "why"}, handshakes, tls);
        }
        if (const auto* ask = std::get_if<smtp::client::AskAuth>(&effect))
            return perform(session, authenticator, authenticator.on(*ask), handshakes, tls);
    }
}

// A whole session against the octets: every recipient has an outcome, and a delivered one had a 2yz reply.
void fuzz_session(std::string_view text, unsigned how) {
    using StartTls = smtp::ClientFacts::StartTls;
    smtp::ClientFacts facts;
    facts.name = "me.example";
    facts.lmtp = (how & 1) != 0;
    facts.ping = (how & 2) != 0;
    facts.noop_first = (how & 4) != 0;
    facts.starttls = (how & 8) == 0 ? StartTls::never : (how & 128) != 0 ? StartTls::first : StartTls::required;
    facts.authenticate = (how & 64) != 0;
    facts.message = {100, true, true, (how & 16) != 0};
    for (const char* to : {"a@x.example", "b@x.example", "c@x.example"})
        facts.recipients.push_back(*mail::Path::parse_argument(to));
    smtp::ClientSession session(facts);
    smtp::ReplyParser parser;
    smtp::Reply reply;
    client::Authenticator authenticator(login());
    bool tls = false;
    const auto feed = [&](const smtp::client::Event& event) { perform(session, authenticator, event, (how & 32) == 0, tls); };
    feed(smtp::client::Connected{});
    while (!session.closed()) {
        const auto got = parser.next(text, reply);
        if (got == smtp::ReplyParser::Got::more) break;
        if (got == smtp::ReplyParser::Got::fault) {
            feed(smtp::client::Malformed{parser.fault()});
            must(session.closed());
            break;
        }
        feed(smtp::client::Answered{reply, (how & 32) != 0 && !text.empty()});
        feed(smtp::client::BodySent{});
    }
    feed(smtp::client::Gone{});
    must(session.closed());
    for (const auto& outcome : session.outcomes()) {
        must(outcome.state != smtp::Outcome::State::open);
        must(outcome.state != smtp::Outcome::State::delivered || outcome.code / 100 == 2);
        for (const char c : outcome.words()) must(c >= 0x20 && c < 0x7f);
    }
    must(session.on(smtp::client::Connected{}).empty());
}

// A fault names a line and says nothing of what it holds; what is found can be sent.
void fuzz_credentials(std::string_view text) {
    const std::string servers[] = {"mx.example", "example"};
    if (const auto checked = client::check_credentials(text); !checked)
        must(checked.error().text.find(": ") != std::string::npos);
    const auto found = client::find_password(text, servers, "joe");
    must(!found || sasl::is_plausible(found->get()));
    must(!found || client::knows_user(text, "joe"));
}

void fuzz_route(std::string_view packet) {
    const auto mx = dns::read_answer<dns::Mx>(packet, dns::Type::mx);
    const auto hosts = client::order_exchangers("dom.example", mx, {}, {{"us.example"}, {}}, packet.size());
    if (!hosts) return must(hosts.error().state != smtp::Outcome::State::open);
    must(!hosts->empty() && hosts->size() <= client::most_exchangers);
    for (std::size_t i = 1; i < hosts->size(); ++i) must((*hosts)[i - 1].preference <= (*hosts)[i].preference);
    const std::vector<client::AddressAnswer> answers(hosts->size(), dns::read_answer<mail::IpAddress>(packet, dns::Type::a));
    const auto stops = client::choose_stops("dom.example", *hosts, answers, {});
    if (!stops) return;
    for (const auto& stop : *stops) {
        must(!stop.addresses.empty());
        for (const auto& address : stop.addresses) must(!client::leads_nowhere(address));
    }
}

std::string convert(std::string_view text, std::size_t piece, smtp::ClientFacts::Message& traits) {
    client::Conversion how;
    how.host = "box.example";
    how.suffix = ".example";
    how.unique = "1";
    client::MessageConverter converter(how);
    std::string out;
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
        must(converter.feed(text.substr(0, piece), out).has_value());
    must(converter.finish(out).has_value());
    traits = converter.traits();
    return out;
}

void fuzz_message(std::string_view text) {
    smtp::ClientFacts::Message traits, again;
    const std::string out = convert(text, text.size() + 1, traits);
    must(out == convert(text, 1, again));
    must(traits.octets == out.size() && again.octets == out.size() && traits.long_lines == again.long_lines);
    must(traits.dots == (out.find("\n.") != std::string::npos || out.starts_with('.')) && again.dots == traits.dots);
    must(out.ends_with("\r\n") && out.find("\r\n\r\n") != std::string::npos);
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (out[i] == '\n') must(i > 0 && out[i - 1] == '\r');
        if (out[i] == '\r') must(i + 1 < out.size() && out[i + 1] == '\n');
    }
    // What was made whole needs nothing more.
    must(convert(out, 7, again) == out);
    client::LineFolder folder;
    std::string folded;
    folder.feed(out, folded);
    folder.finish(folded);
    for (std::size_t at = 0, end = 0; (end = folded.find("\r\n", at)) != std::string::npos; at = end + 2)
        must(end - at <= client::LineFolder::limit);
    const std::string whole = mail::qualify(text, "h.x", ".s");
    must(whole.size() >= text.size() && mail::qualify(whole, "h.x", ".s") == whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (!text.empty()) fuzz_session(text.substr(1), static_cast<unsigned char>(text.front()));
    fuzz_route(text);
    fuzz_credentials(text);
    fuzz_message(text);
    if (const auto destination = client::parse_destination(text)) must(destination->port != 0);
    return 0;
}
