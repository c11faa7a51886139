// A whole send_message against any octets a server may say, in any pieces, TLS as the input wills it, and no network. The first
// octets choose the options.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/base64.hh"
#include "client/connection_state.hh"
#include "client/visit.hh"

using namespace greylag;
namespace sc = greylag::smtp_client;

namespace {

void must(bool holds) {
    if (!holds) __builtin_trap();
}

constexpr std::string_view password = "open sesame";
constexpr std::string_view message = "From: a@x.example\nTo: b@x.example, c@x.example\nBcc: d@x.example\nSubject: s\n\n.hello\n";

// What one server says and hears.
struct Server {
    std::string_view says;
    unsigned piece = 1;  // octets a read
    bool handshakes = true, writable = true;
    bool may_show = false;  // a password may go out in clear
    bool secure = false;
    std::string heard, given;
    std::string in_clear;  // of what was heard
    unsigned steps = 0;

    Result<std::size_t> read(std::span<char> room) {
        must(++steps < 20'000);
        const std::size_t size = std::min({says.size(), room.size(), std::size_t{piece}});
        std::copy_n(says.begin(), size, room.begin());
        given += says.substr(0, size);
        says.remove_prefix(size);
        return size;
    }
    Result<void> write(std::string_view octets) {
        must(++steps < 20'000);
        // Who has said its last word has gone.
        if (!writable && says.empty()) return base::fail(Kind::closed, "gone");
        heard += octets;
        if (!secure) in_clear += octets;
        return {};
    }
};

class ScriptedWire final : public client::Wire {
public:
    explicit ScriptedWire(Server& server) : server_(server) {}
    Result<std::size_t> read_some(std::span<char> room, sys::Deadline) override { return server_.read(room); }
    Result<void> write_all(std::string_view bytes, sys::Deadline) override { return server_.write(bytes); }
    bool pending() override { return false; }
    bool readable(sys::Deadline) override { return true; }
    void close(sys::Deadline) override {}
    int bits() const override { return server_.secure ? 256 : 0; }
    sasl::Bindings bindings() const override {
        return server_.secure ? sasl::Bindings{"exported", "certificate"} : sasl::Bindings{};
    }
    std::string description() const override { return {}; }

private:
    Server& server_;
};

struct ScriptedState final : sc::Internals::State {
    explicit ScriptedState(Server& s) : server(s) { wire = std::make_unique<ScriptedWire>(s); }
    sc::Result<sc::TlsReport> handshake(const sc::TlsOptions& tls) override {
        must(input.empty() && server.given.ends_with('\n') == !server.given.empty());
        if (!server.handshakes && tls.insist) return tls_failed("not believed");
        server.secure = true;
        return sc::TlsReport{};
    }
    Server& server;
};

// The replies that are whole, one code each.
std::vector<unsigned> replies(std::string_view given) {
    std::vector<unsigned> out;
    for (std::size_t at = 0, end = 0; (end = given.find('\n', at)) != std::string_view::npos; at = end + 1) {
        const std::string_view line = given.substr(at, end - at);
        if (line.size() >= 4 && line[3] == '-') continue;
        out.push_back(line.empty() ? 0 : static_cast<unsigned>(line.front() - '0') * 100);
    }
    return out;
}

// The number of commands up to and with the first message's last dot.
std::size_t commands(std::string_view heard, std::size_t& end) {
    std::size_t lines = 0;
    for (std::size_t at = 0; (end = heard.find("\r\n", at)) != std::string_view::npos; at = end + 2) {
        ++lines;
        if (heard.substr(at, end - at) != "DATA") continue;
        end = heard.find("\r\n.\r\n", at);
        return end == std::string_view::npos ? 0 : lines + 1;
    }
    return 0;
}

bool once_each(const std::vector<std::string>& names) {
    return std::all_of(names.begin(), names.end(),
                       [&](const auto& one) { return std::count(names.begin(), names.end(), one) == 1; });
}

void check(const Server& server, const sc::Options& options) {
    must(server.heard.find(password) == std::string::npos);
    if (server.may_show) return;
    const std::string alone = base::base64_encode(password);
    must(server.in_clear.find(alone) == std::string::npos);
    must(server.in_clear.find(base::base64_encode(std::string("\0joe\0", 5) + std::string(password))) == std::string::npos);
    // Who must have TLS says no more than EHLO before it.
    const bool insists = options.tls == sc::Options::Tls::required || options.tls == sc::Options::Tls::implicit;
    must(!insists || server.in_clear.find("MAIL FROM") == std::string::npos);
}

void sent(const Server& server, const sc::Report& report, const sc::Options& options) {
    std::size_t end = 0;
    const std::size_t count = commands(server.heard, end);
    const auto codes = replies(server.given);
    must(count != 0 && codes.size() > count);  // the greeting is one of them
    must(codes[count] == 200 && report.reply.code / 100 == 2);
    must(options.credentials.user.empty() || server.heard.find("AUTH ") < server.heard.find("MAIL "));
    must(!report.accepted.empty());
    // One refusal keeps the message back; a blind copy comes behind it.
    for (const auto& one : report.refused) must(options.at_least_one || one.address == "d@x.example");
    std::vector<std::string> names = report.accepted;
    for (const auto& one : report.refused) names.push_back(one.address);
    must(once_each(names));
    must(names.size() == (options.recipients.empty() ? 3U : 2U));
}

void failed(const sc::SendFailure& failure) {
    std::vector<std::string> names;
    for (const auto& one : failure.refused) names.push_back(one.address);
    must(once_each(names));
    must(failure.kind != sc::Failure::Kind::usage && (failure.code != 0 || !failure.text.empty()));
    for (const char c : failure.text) must(c >= 0x20 && c < 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const unsigned how = data[0], more = data[1], piece = data[2];
    std::string_view says(reinterpret_cast<const char*>(data) + 3, size - 3);
    sc::Options options;
    options.client = "me.example";
    options.servers = {{"one.example", 25}, {"two.example", 25}};
    options.tls = static_cast<sc::Options::Tls>(how & 3U);
    options.at_least_one = (how & 4U) != 0;
    options.queue = (how & 8U) != 0;
    if ((how & 16U) != 0) options.recipients = "b@x.example, c@x.example";
    if ((how & 32U) != 0) options.credentials = {"joe", std::string(password), {}, {}, {}, false, (how & 64U) != 0, {}};
    const bool insecure = (how & 128U) != 0;
    options.tls_policy = [insecure](int, std::string_view) { return insecure ? sc::TlsAnswer::insecure : sc::TlsAnswer::secure; };

    const auto submission = sc::prepare(options, message, {"box.example", "joe", {1795304644, 60}, "0123"});
    must(submission.has_value());
    std::vector<std::unique_ptr<Server>> met;
    const auto open = [&](const sc::Endpoint&, const sc::DialOptions& dial) -> sc::Result<sc::Connection> {
        must(met.size() < 6);
        auto server = std::make_unique<Server>();
        // Each visit has its part of the octets.
        const std::size_t end = std::min(says.find('\0'), says.size());
        server->says = says.substr(0, end);
        says.remove_prefix(std::min(end + 1, says.size()));
        server->piece = piece == 0 ? 8192 : piece;
        server->handshakes = (more & 1U) == 0;
        server->writable = (more & 2U) == 0;
        server->may_show = insecure;
        if ((more & 4U) != 0 && met.empty()) return std::unexpected(sc::failure_of(sc::Failure::Kind::later, "refused"));
        met.push_back(std::move(server));
        auto state = std::make_unique<ScriptedState>(*met.back());
        state->peer = "peer";
        state->timeout_ms = dial.timeout_ms;
        return sc::Internals::over(std::move(state));
    };
    const auto outcome = sc::visit_in_turn(open, options, *submission);
    for (const auto& server : met) check(*server, options);
    if (outcome) sent(*met.back(), *outcome, options);
    if (!outcome) failed(outcome.error());
    return 0;
}
