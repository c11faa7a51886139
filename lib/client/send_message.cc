// One message through known servers, in turn. Built on Connection as anybody could.
#include <algorithm>
#include <optional>

#include "base/ascii.hh"
#include "base/wipe.hh"
#include "client/connection_state.hh"
#include "client/message.hh"
#include "client/submission.hh"
#include "mail/domain.hh"
#include "secret/random.hh"
#include "sys/host.hh"
#include "sys/rights.hh"

namespace greylag::smtp_client {

namespace {

using Kind = Failure::Kind;

// How much of TLS this try insists on: each step down was consented to.
enum class Guard : std::uint8_t { full, unverified, none };

// Why a server did not take the message, and whether another one may be asked.
struct Setback {
    Failure failure;
    bool final = false;
    std::vector<Refusal> refused{};
    std::optional<Guard> again{};  // the same server, with less
};

template <class T>
using Step = std::expected<T, Setback>;

std::unexpected<Setback> next(Failure failure) { return std::unexpected(Setback{std::move(failure), false, {}, {}}); }
std::unexpected<Setback> stop(Failure failure) { return std::unexpected(Setback{std::move(failure), true, {}, {}}); }
// A server's no is final, its "later" is not.
std::unexpected<Setback> said_no(const Reply& reply) {
    Failure failure = refusal(reply);
    const bool final = failure.kind == Kind::refused;
    return std::unexpected(Setback{std::move(failure), final, {}, {}});
}

#define GREYLAG_STEP(name, ...) \
    auto name = (__VA_ARGS__);  \
    if (!name) return next(std::move(name).error())

class Visit {
public:
    Visit(const Options& options, const Submission& submission, const Server& server, Guard guard)
        : options_(options), submission_(submission), server_(server), guard_(guard), consent_(guard != Guard::full) {}

    Step<Report> run() {
        auto ready = [this]() -> Step<void> {
            if (auto met = meet(); !met) return met;
            if (auto safe = secure(); !safe) return safe;
            if (auto known = log_in(); !known) return known;
            return queue();
        }();
        if (!ready) return leave(std::unexpected(std::move(ready).error()));
        if (auto sent = transaction(submission_.open, options_.at_least_one); !sent)
            return leave(std::unexpected(std::move(sent).error()));
        if (submission_.blind) blind_copy();
        report_.server = server_;
        return leave(std::move(report_));
    }

private:
    Step<void> meet();
    Step<void> greet();
    Step<void> secure();
    Step<void> handshake();
    Step<void> log_in();
    Step<void> queue();
    Step<void> transaction(const Envelope& envelope, bool some_are_enough);
    Step<std::size_t> envelope_said(const Envelope& envelope, std::vector<Refusal>& refused);
    Step<Reply> body_said(const Envelope& envelope);
    void blind_copy();
    Step<void> fits(const Envelope& envelope) const;
    std::string mail_command(const Envelope& envelope) const;
    std::string name() const;

    TlsAnswer ask_policy(int code, const std::string& text) const {
        return options_.tls_policy ? options_.tls_policy(code, text) : TlsAnswer::secure;
    }
    // QUIT is a courtesy: nobody waits long for its answer.
    Step<Report> leave(Step<Report> outcome) {
        if (!connection_) return outcome;
        connection_->timeout(std::min<std::uint32_t>(options_.dial.timeout_ms, 5000));
        const Failure* why = outcome ? nullptr : &outcome.error().failure;
        const bool lost = why != nullptr && why->code == 0 && (why->kind == Kind::later || why->kind == Kind::protocol);
        if (alive_ && !lost) (void)connection_->command("QUIT");
        connection_->close();
        return outcome;
    }

    const Options& options_;
    const Submission& submission_;
    const Server& server_;
    Guard guard_;
    bool consent_;        // the policy said "insecure"
    bool alive_ = false;  // greeted
    std::optional<Connection> connection_;
    Hello hello_;
    Report report_;
};

std::string Visit::name() const {
    if (!options_.client.empty()) return options_.client;
    for (const auto& server : options_.servers)
        if (base::iequals(server.host, "localhost")) return "localhost";
    std::string own = sys::host_name();
    if (own.find('.') != std::string::npos) return own;
    // A name without a dot tells a stranger nothing; our address at least is true (RFC 5321 4.1.3).
    const std::string end = connection_->local();
    std::string_view host = std::string_view(end).substr(0, end.rfind(':'));
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const auto address = mail::IpAddress::parse(host);
    return address ? address->literal() : own;
}

Step<void> Visit::meet() {
    GREYLAG_STEP(opened, Connection::open({server_.host, std::to_string(server_.port), {}}, options_.dial));
    connection_.emplace(*std::move(opened));
    if (options_.tls == Options::Tls::implicit)
        if (auto up = handshake(); !up) return up;
    GREYLAG_STEP(greeting, connection_->read_reply());
    alive_ = true;
    if (greeting->code != 220) return next(refusal(*greeting));
    return greet();
}

Step<void> Visit::greet() {
    auto hello = connection_->hello(name());
    if (!hello) return next(std::move(hello).error());
    hello_ = *std::move(hello);
    return {};
}

Step<void> Visit::handshake() {
    TlsOptions tls = options_.tls_options;
    if (guard_ == Guard::unverified) tls.insist = false;
    const auto report = connection_->start_tls(tls);
    if (report) return {};
    alive_ = false;
    const Failure& failure = report.error();
    Setback setback{failure, failure.kind == Kind::configuration || failure.kind == Kind::usage, {}, {}};
    if (setback.final) return std::unexpected(std::move(setback));
    const bool can_be_clear = options_.tls != Options::Tls::implicit;
    if (guard_ == Guard::unverified && can_be_clear) setback.again = Guard::none;
    if (guard_ == Guard::full && ask_policy(0, failure.text) == TlsAnswer::insecure) setback.again = Guard::unverified;
    return std::unexpected(std::move(setback));
}

Step<void> Visit::secure() {
    const bool wanted = options_.tls == Options::Tls::offered || options_.tls == Options::Tls::required;
    if (!wanted || guard_ == Guard::none) return {};
    if (hello_.find("STARTTLS") == nullptr) {
        if (options_.tls == Options::Tls::offered || consent_) return {};
        const std::string text = "the server offers no STARTTLS";
        consent_ = ask_policy(0, text) == TlsAnswer::insecure;
        if (consent_) return {};
        return next(failure_of(Kind::tls, text));
    }
    GREYLAG_STEP(reply, connection_->command("STARTTLS"));
    if (reply->code == 220) {
        if (auto up = handshake(); !up) return up;
        return greet();
    }
    consent_ = consent_ || ask_policy(reply->code, reply->text()) == TlsAnswer::insecure;
    if (consent_) return {};
    Failure failure = refusal(*reply);
    failure.kind = Kind::tls;
    return next(std::move(failure));
}

Step<void> Visit::log_in() {
    if (options_.credentials.user.empty()) return {};
    Credentials credentials = options_.credentials;
    credentials.without_tls = credentials.without_tls || consent_;
    auto reply = connection_->authenticate(hello_, credentials);
    base::wipe(credentials.password);
    if (reply) return {};
    // What a server said to this password another one would say, too, and count against the account.
    const bool final = reply.error().kind == Kind::authentication && reply.error().code != 0;
    return std::unexpected(Setback{std::move(reply).error(), final || reply.error().kind == Kind::usage, {}, {}});
}

Step<void> Visit::queue() {
    if (!options_.queue) return {};
    if (hello_.find("XQUE") == nullptr) {
        report_.notes.emplace_back("the server offers no XQUE: it was not asked to queue the message");
        return {};
    }
    GREYLAG_STEP(reply, connection_->command("QUED"));
    if (reply->code >= 400) report_.notes.push_back("the server does not want to queue the message: " + reply->text());
    return {};
}

// What can be known before a word of the envelope is said.
Step<void> Visit::fits(const Envelope& envelope) const {
    const auto* size = hello_.find("SIZE");
    const auto limit = size != nullptr ? base::parse_number<std::uint64_t>(*size) : std::nullopt;
    if (limit && *limit != 0 && envelope.traits.octets > *limit)
        return next({Kind::refused, 552, "5.3.4",
                     "the message has " + std::to_string(envelope.traits.octets) + " octets, this server takes " + *size});
    if (envelope.needs_utf8() && hello_.find("SMTPUTF8") == nullptr)
        return next({Kind::refused, 553, "5.6.7", "an address needs SMTPUTF8, which this server does not offer"});
    return {};
}

std::string Visit::mail_command(const Envelope& envelope) const {
    std::string line = "MAIL FROM:" + envelope.sender.bracketed();
    if (hello_.find("SIZE") != nullptr) line += " SIZE=" + std::to_string(envelope.traits.octets);
    if (envelope.traits.eight_bit && hello_.find("8BITMIME") != nullptr) line += " BODY=8BITMIME";
    if (hello_.find("SMTPUTF8") != nullptr && (envelope.needs_utf8() || envelope.traits.utf8_header)) line += " SMTPUTF8";
    return line;
}

// MAIL and every RCPT; how many were accepted.
Step<std::size_t> Visit::envelope_said(const Envelope& envelope, std::vector<Refusal>& refused) {
    constexpr std::size_t group = 100;  // replies that fit into a socket's buffers while we still write
    const bool pipelining = hello_.find("PIPELINING") != nullptr;
    const std::string mail = mail_command(envelope);
    if (auto sent = connection_->write_line(mail); !sent) return next(std::move(sent).error());
    std::optional<Reply> mail_reply;
    std::size_t accepted = 0;
    const auto& all = envelope.recipients;
    for (std::size_t said = 0, heard = 0; heard < all.size();) {
        const std::size_t until = mail_reply || pipelining ? std::min(all.size(), said + (pipelining ? group : 1)) : said;
        for (; said < until; ++said)
            if (auto sent = connection_->write_line("RCPT TO:" + all[said].bracketed()); !sent)
                return next(std::move(sent).error());
        if (!mail_reply) {
            GREYLAG_STEP(reply, connection_->read_reply());
            mail_reply = *std::move(reply);
            if (mail_reply->code / 100 != 2 && !pipelining) return said_no(*mail_reply);
        }
        for (; heard < said; ++heard) {
            GREYLAG_STEP(reply, connection_->read_reply());
            if (reply->code / 100 == 2)
                ++accepted;
            else
                refused.push_back({all[heard].text(), reply->code, reply->enhanced, reply->text()});
        }
        if (mail_reply->code / 100 != 2) return said_no(*mail_reply);
    }
    return accepted;
}

Step<Reply> Visit::body_said(const Envelope& envelope) {
    GREYLAG_STEP(go, connection_->command("DATA"));
    if (go->code != 354) return said_no(*go);
    Result<void> written;
    if (envelope.traits.long_lines && hello_.find("8BITMIME") == nullptr) {
        client::LineFolder folder;
        std::string folded;
        folder.feed(envelope.message, folded);
        folder.finish(folded);
        written = connection_->write_message(folded);
    } else {
        written = connection_->write_message(envelope.message);
    }
    if (!written) return next(std::move(written).error());
    connection_->timeout(options_.final_timeout_ms);
    auto reply = connection_->end_message();
    connection_->timeout(options_.dial.timeout_ms);
    if (!reply) return stop(std::move(reply).error());
    if (reply->code / 100 != 2) return said_no(*reply);
    return *std::move(reply);
}

Step<void> Visit::transaction(const Envelope& envelope, bool some_are_enough) {
    if (auto fit = fits(envelope); !fit) return fit;
    std::vector<Refusal> refused;
    const auto accepted = envelope_said(envelope, refused);
    if (!accepted) return std::unexpected(accepted.error());
    if (*accepted == 0 || (!refused.empty() && !some_are_enough)) {
        const auto never = std::find_if(refused.begin(), refused.end(), [](const Refusal& r) { return r.code >= 500; });
        const Refusal& why = never != refused.end() ? *never : refused.front();
        const auto kind = never != refused.end() ? Kind::refused : Kind::later;
        Failure failure{kind, why.code, why.enhanced, why.text};
        return std::unexpected(Setback{std::move(failure), kind == Kind::refused, std::move(refused), {}});
    }
    auto reply = body_said(envelope);
    if (!reply) return std::unexpected(std::move(reply).error());
    for (const auto& recipient : envelope.recipients) {
        const auto text = recipient.text();
        const auto is_it = [&](const Refusal& r) { return r.address == text; };
        if (std::none_of(refused.begin(), refused.end(), is_it)) report_.accepted.push_back(text);
    }
    report_.refused.insert(report_.refused.end(), refused.begin(), refused.end());
    if (report_.reply.code == 0) report_.reply = *std::move(reply);
    return {};
}

// The message is through and cannot be called back: whatever fails now is told of those it was for.
void Visit::blind_copy() {
    auto sent = transaction(*submission_.blind, true);
    if (sent) return;
    const Setback& setback = sent.error();
    for (const auto& recipient : submission_.blind->recipients) {
        const std::string text = recipient.text();
        const auto own =
            std::find_if(setback.refused.begin(), setback.refused.end(), [&](const auto& r) { return r.address == text; });
        const Failure& f = setback.failure;
        report_.refused.push_back(own != setback.refused.end() ? *own : Refusal{text, f.code, f.enhanced, f.text});
    }
}

#undef GREYLAG_STEP

// What stands on the right of our addresses: a name without a dot is one only where there is no better one.
std::string own_host(const Options& options) {
    std::string host = sys::host_name();
    const bool dotted = host.find('.') != std::string::npos;
    const bool better = !dotted && options.client.find('.') != std::string::npos && mail::Domain::parse(options.client);
    return better ? options.client : host;
}

std::optional<Failure> fault_of(const Options& options) {
    if (options.servers.empty()) return failure_of(Kind::usage, "no server");
    if (options.client.empty() || mail::Domain::parse(options.client) || mail::IpAddress::parse_literal(options.client))
        return {};
    return failure_of(Kind::usage, "the client's name is neither a domain nor an address in brackets");
}

}  // namespace

std::expected<Report, SendFailure> send_message(const Options& options, std::string_view message) {
    const auto failed = [](Failure failure, Server server = {}, std::vector<Refusal> refused = {}) {
        return std::unexpected(SendFailure{std::move(failure), std::move(server), std::move(refused)});
    };
    if (auto fault = fault_of(options)) return failed(*std::move(fault));
    const Identity who{own_host(options), sys::login_name(), sys::wall_now(), secret::random_text(22)};
    const auto submission = prepare(options, message, who);
    if (!submission) return failed(submission.error());

    std::optional<SendFailure> known;
    for (const auto& server : options.servers) {
        std::optional<Guard> guard = Guard::full;
        while (guard) {
            auto outcome = Visit(options, *submission, server, *guard).run();
            if (outcome) return *std::move(outcome);
            Setback& setback = outcome.error();
            guard = setback.again;
            SendFailure failure{std::move(setback.failure), server, std::move(setback.refused)};
            if (setback.final) return std::unexpected(std::move(failure));
            // "Later" anywhere is later: that server may take it yet.
            if (!guard && (!known || known->kind != Kind::later)) known = std::move(failure);
        }
    }
    return std::unexpected(*std::move(known));
}

}  // namespace greylag::smtp_client
