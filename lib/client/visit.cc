#include "client/visit.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/wipe.hh"
#include "client/connection_state.hh"
#include "mail/ip.hh"
#include "sys/host.hh"

namespace greylag::smtp_client {

namespace {

using Kind = Failure::Kind;

class Visit {
public:
    Visit(const Opener& open, const Options& options, const Submission& submission, const Server& server, Guard guard)
        : open_(open),
          options_(options),
          submission_(submission),
          server_(server),
          guard_(guard),
          consent_(guard != Guard::full) {}

    Step<Report> run() {
        Step<void> done = send();
        leave(done ? nullptr : &done.error().failure);
        if (!done) return std::unexpected(std::move(done).error());
        report_.server = server_;
        return std::move(report_);
    }

private:
    Step<void> send();
    Step<void> meet();
    Step<void> greet();
    Step<void> secure();
    Step<void> handshake();
    Step<void> log_in();
    Step<void> queue();
    void blind_copy();
    void leave(const Failure* why);
    std::string name() const;

    bool is_implicit() const { return options_.tls == Options::Tls::implicit; }
    TlsAnswer ask_policy(int code, const std::string& text) const {
        return options_.tls_policy ? options_.tls_policy(code, text) : TlsAnswer::secure;
    }

    const Opener& open_;
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

Step<void> Visit::send() {
    TRY(meet());
    TRY(secure());
    TRY(log_in());
    TRY(queue());
    Taken taken = TRY(transaction(*connection_, hello_, options_, submission_.open, options_.at_least_one));
    report_.accepted = std::move(taken.accepted);
    report_.refused = std::move(taken.refused);
    report_.reply = std::move(taken.reply);
    if (submission_.blind) blind_copy();
    return {};
}

Step<void> Visit::meet() {
    connection_.emplace(TRY(open_({server_.host, std::to_string(server_.port), {}}, options_.dial)));
    if (is_implicit()) TRY(handshake());
    const Reply greeting = TRY(connection_->read_reply());
    alive_ = true;
    if (greeting.code != 220) return std::unexpected(refusal(greeting));
    return greet();
}

Step<void> Visit::greet() {
    hello_ = TRY(connection_->hello(name()));
    return {};
}

Step<void> Visit::handshake() {
    TlsOptions tls = options_.tls_options;
    if (guard_ == Guard::unverified) tls.insist = false;
    auto report = connection_->start_tls(tls);
    if (report) return {};
    alive_ = false;
    Setback setback(std::move(report).error());
    const Failure& failure = setback.failure;
    setback.final = failure.kind == Kind::configuration || failure.kind == Kind::usage;
    if (setback.final) return std::unexpected(std::move(setback));
    if (guard_ == Guard::unverified && !is_implicit()) setback.again = Guard::none;
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
        return std::unexpected(failure_of(Kind::tls, text));
    }
    const Reply reply = TRY(connection_->command("STARTTLS"));
    if (reply.code == 220) {
        TRY(handshake());
        return greet();
    }
    consent_ = consent_ || ask_policy(reply.code, reply.text()) == TlsAnswer::insecure;
    if (consent_) return {};
    Failure failure = refusal(reply);
    failure.kind = Kind::tls;
    return std::unexpected(std::move(failure));
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
    return std::unexpected(Setback(reply.error(), final || reply.error().kind == Kind::usage));
}

Step<void> Visit::queue() {
    if (!options_.queue) return {};
    if (hello_.find("XQUE") == nullptr) {
        report_.notes.emplace_back("the server offers no XQUE: it was not asked to queue the message");
        return {};
    }
    const Reply reply = TRY(connection_->command("QUED"));
    if (reply.code >= 400) report_.notes.push_back("the server does not want to queue the message: " + reply.text());
    return {};
}

// The message is through and cannot be called back: whatever fails now is told of those it was for.
void Visit::blind_copy() {
    auto sent = transaction(*connection_, hello_, options_, *submission_.blind, true);
    auto& refused = report_.refused;
    if (sent) {
        report_.accepted.insert(report_.accepted.end(), sent->accepted.begin(), sent->accepted.end());
        refused.insert(refused.end(), sent->refused.begin(), sent->refused.end());
        return;
    }
    const Setback& setback = sent.error();
    for (const auto& recipient : submission_.blind->recipients) {
        const std::string text = recipient.text();
        const auto own =
            std::find_if(setback.refused.begin(), setback.refused.end(), [&](const auto& r) { return r.address == text; });
        const Failure& f = setback.failure;
        refused.push_back(own != setback.refused.end() ? *own : Refusal{text, f.code, f.enhanced, f.text});
    }
}

// QUIT is a courtesy: nobody waits long for its answer.
void Visit::leave(const Failure* why) {
    if (!connection_) return;
    connection_->timeout(std::min<std::uint32_t>(options_.dial.timeout_ms, 5000));
    const bool lost = why != nullptr && why->code == 0 && (why->kind == Kind::later || why->kind == Kind::protocol);
    if (alive_ && !lost) (void)connection_->command("QUIT");
    connection_->close();
}

}  // namespace

std::expected<Report, SendFailure> visit_in_turn(const Opener& open, const Options& options, const Submission& submission) {
    std::optional<SendFailure> known;
    for (const auto& server : options.servers) {
        std::optional<Guard> guard = Guard::full;
        while (guard) {
            auto outcome = Visit(open, options, submission, server, *guard).run();
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
