// A whole send_message against any octets a server may say, over a socket pair and in one thread, TLS as the input wills it. The
// first octets choose the options.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/base64.hh"
#include "client/tls_memory.hh"
#include "client/visit.hh"
#include "sys/fd.hh"
#include "sys/io.hh"

using namespace greylag;
namespace sc = greylag::smtp_client;

namespace {

void must(bool holds) {
    if (!holds) __builtin_trap();
}

constexpr std::string_view password = "open sesame";
constexpr std::string_view message = "From: a@x.example\nTo: b@x.example, c@x.example\nBcc: d@x.example\nSubject: s\n\n.hello\n";

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

// What one server says and hears: the far end of a socket, and no thread behind it. Everything it says is written before it is
// waited for: at once, or a reply for each line that it is going to hear.
class Server {
public:
    Server(std::string_view says, bool at_once, bool stays) : says_(says), at_once_(at_once), stays_(stays) {}

    int connect() {
        auto pair = sys::make_socketpair();
        must(pair.has_value());
        end_ = std::move(pair->first);
        return pair->second.release();
    }
    void speak() {
        hear();
        if (!end_) return;
        // Who has said its last word has gone.
        if (!stays_ && says_.empty()) return end_.reset();
        const std::string_view part = says_.substr(0, at_once_ ? says_.size() : reply_size());
        must(part.empty() || sys::write_all(end_.get(), part, sys::Deadline::in(base::Seconds(5))));
        given += part;
        says_.remove_prefix(part.size());
        if (says_.empty()) sys::half_close(end_.get());
    }
    void hear() {
        must(++steps_ < 20'000);
        std::array<char, 4096> room;
        for (;;) {
            const auto count = end_ ? sys::read_now(end_.get(), room) : std::nullopt;
            if (!count || !*count || **count == 0) return;
            const std::string_view octets(room.data(), **count);
            heard += octets;
            if (!secure) in_clear += octets;
        }
    }

    bool may_show = false;  // a password may go out in clear
    bool secure = false;
    std::string heard, given;
    std::string in_clear;  // of what was heard

private:
    // Up to and with the first line that ends a reply.
    std::size_t reply_size() const {
        for (std::size_t at = 0, end = 0; (end = says_.find('\n', at)) != std::string_view::npos; at = end + 1)
            if (end - at < 4 || says_[at + 3] != '-') return end + 1;
        return says_.size();
    }

    std::string_view says_;
    bool at_once_, stays_;
    unsigned steps_ = 0;
    sys::Fd end_;
};

// What TLS would be, octet for octet as before.
class SecureWire final : public client::Wire {
public:
    explicit SecureWire(int fd) : plain_(fd) {}
    Result<std::size_t> read_some(std::span<char> room, sys::Deadline until) override { return plain_.read_some(room, until); }
    Result<void> write_all(std::string_view bytes, sys::Deadline until) override { return plain_.write_all(bytes, until); }
    bool pending() override { return false; }
    bool readable(sys::Deadline until) override { return plain_.readable(until); }
    void close(sys::Deadline) override {}
    int bits() const override { return 256; }
    sasl::Bindings bindings() const override { return {"exported", "certificate"}; }
    std::string description() const override { return {}; }

private:
    client::PlainWire plain_;
};

// All the servers that one message meets, in their order.
class Servers {
public:
    Servers(std::string_view says, unsigned how, bool at_once, bool may_show, bool implicit)
        : says_(says), how_(how), at_once_(at_once), may_show_(may_show), implicit_(implicit) {}

    sc::Result<sc::Connection> open(const sc::Endpoint& to, sc::DialOptions dial) {
        must(met.size() < 6);
        // Each visit has its part of the octets.
        const std::size_t end = std::min(says_.find('\0'), says_.size());
        const std::string_view part = says_.substr(0, end);
        says_.remove_prefix(std::min(end + 1, says_.size()));
        if ((how_ & 4U) != 0 && !std::exchange(refused_, true))
            return std::unexpected(sc::Failure{sc::Failure::Kind::later, 0, {}, "refused"});
        met.push_back(std::make_unique<Server>(part, at_once_, (how_ & 2U) == 0));
        Server& server = *met.back();
        server.may_show = may_show_;
        dial.trace = [&server](bool ours, std::string_view line) {
            must(!ours || line.find(password) == std::string::npos);
            if (ours) server.speak();
        };
        auto connection = sc::Connection::over(server.connect(), to, dial);
        if (!implicit_) server.speak();
        return connection;
    }
    Result<sc::Handshake> shake(int fd, bool insist) {
        Server& server = *met.back();
        server.hear();
        // Nobody spoke before it: there was a greeting, and a reply for each line.
        const auto lines = static_cast<std::size_t>(std::count(server.heard.begin(), server.heard.end(), '\n'));
        must(replies(server.given).size() == (implicit_ ? 0 : 1 + lines));
        must(server.given.ends_with('\n') == !server.given.empty());
        std::array<char, 1> room;
        const auto early = sys::read_now(fd, room);
        must(early && (!*early || **early == 0));
        if ((how_ & 1U) != 0 && insist) return base::fail(Kind::denied, "not believed");
        server.secure = true;
        if (implicit_) server.speak();
        return sc::Handshake{std::make_unique<SecureWire>(fd), {}};
    }

    std::vector<std::unique_ptr<Server>> met;

private:
    std::string_view says_;
    unsigned how_;
    bool at_once_, may_show_, implicit_;
    bool refused_ = false;
};

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
    Servers servers(says, more, piece == 0, insecure, options.tls == sc::Options::Tls::implicit);
    options.tls_options.memory = sc::make_tls_memory();
    options.tls_options.memory->shake = [&](int fd, const std::string&, const sc::TlsOptions& tls, sys::Deadline) {
        return servers.shake(fd, tls.insist);
    };
    const auto open = [&](const sc::Endpoint& to, const sc::DialOptions& dial) { return servers.open(to, dial); };
    const auto outcome = sc::visit_in_turn(open, options, *submission);
    for (const auto& server : servers.met) {
        server->hear();
        check(*server, options);
    }
    if (outcome) sent(*servers.met.back(), *outcome, options);
    if (!outcome) failed(outcome.error());
    return 0;
}
