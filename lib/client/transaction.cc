// One message over one dialogue (RFC 5321 3.3): MAIL and every RCPT, in groups where the server does PIPELINING (RFC 2920); the
// message; its answer. SIZE, 8BITMIME and SMTPUTF8 (RFC 1870, RFC 6152, RFC 6531) as far as they are offered.
#include <algorithm>
#include <optional>

#include "base/ascii.hh"
#include "client/connection_state.hh"
#include "client/message.hh"
#include "client/visit.hh"

namespace greylag::smtp_client {

namespace {

using Kind = Failure::Kind;

// A server's no is final, its "later" is not.
std::unexpected<Setback> said_no(const Reply& reply) {
    Failure failure = refusal(reply);
    const bool final = failure.kind == Kind::refused;
    return std::unexpected(Setback(std::move(failure), final));
}

class Transaction {
public:
    Transaction(Connection& connection, const Hello& hello, const Options& options, const Envelope& envelope)
        : connection_(connection), hello_(hello), options_(options), envelope_(envelope) {}

    Step<Taken> run(bool some_are_enough);

private:
    Step<void> fits() const;
    std::string mail_command() const;
    Step<std::size_t> envelope_said();
    Step<Reply> body_said();
    Result<void> written();
    std::unexpected<Setback> too_few();
    bool offers(std::string_view keyword) const { return hello_.find(keyword) != nullptr; }

    Connection& connection_;
    const Hello& hello_;
    const Options& options_;
    const Envelope& envelope_;
    std::vector<Refusal> refused_;
};

// What can be known before a word of the envelope is said.
Step<void> Transaction::fits() const {
    const auto* size = hello_.find("SIZE");
    const auto limit = size != nullptr ? base::parse_number<std::uint64_t>(*size) : std::nullopt;
    if (limit && *limit != 0 && envelope_.traits.octets > *limit)
        return std::unexpected(
            Failure{Kind::refused, 552, "5.3.4",
                    "the message has " + std::to_string(envelope_.traits.octets) + " octets, this server takes " + *size});
    if (envelope_.needs_utf8() && !offers("SMTPUTF8"))
        return std::unexpected(
            Failure{Kind::refused, 553, "5.6.7", "an address needs SMTPUTF8, which this server does not offer"});
    return {};
}

std::string Transaction::mail_command() const {
    std::string line = "MAIL FROM:" + envelope_.sender.bracketed();
    if (offers("SIZE")) line += " SIZE=" + std::to_string(envelope_.traits.octets);
    if (envelope_.traits.eight_bit && offers("8BITMIME")) line += " BODY=8BITMIME";
    if (offers("SMTPUTF8") && (envelope_.needs_utf8() || envelope_.traits.utf8_header)) line += " SMTPUTF8";
    return line;
}

// MAIL and every RCPT; how many were accepted.
Step<std::size_t> Transaction::envelope_said() {
    constexpr std::size_t group = 100;  // replies that fit into a socket's buffers while we still write
    const bool pipelining = offers("PIPELINING");
    TRY(connection_.write_line(mail_command()));
    std::optional<Reply> mail_reply;
    std::size_t accepted = 0;
    const auto& all = envelope_.recipients;
    for (std::size_t said = 0, heard = 0; heard < all.size();) {
        const std::size_t until = mail_reply || pipelining ? std::min(all.size(), said + (pipelining ? group : 1)) : said;
        for (; said < until; ++said) TRY(connection_.write_line("RCPT TO:" + all[said].bracketed()));
        if (!mail_reply) {
            mail_reply = TRY(connection_.read_reply());
            if (mail_reply->code / 100 != 2 && !pipelining) return said_no(*mail_reply);
        }
        for (; heard < said; ++heard) {
            const Reply reply = TRY(connection_.read_reply());
            if (reply.code / 100 == 2)
                ++accepted;
            else
                refused_.push_back({all[heard].text(), reply.code, reply.enhanced, reply.text()});
        }
        if (mail_reply->code / 100 != 2) return said_no(*mail_reply);
    }
    return accepted;
}

Result<void> Transaction::written() {
    if (!envelope_.traits.long_lines || offers("8BITMIME")) return connection_.write_message(envelope_.message);
    client::LineFolder folder;
    std::string folded;
    folder.feed(envelope_.message, folded);
    folder.finish(folded);
    return connection_.write_message(folded);
}

Step<Reply> Transaction::body_said() {
    const Reply go = TRY(connection_.command("DATA"));
    if (go.code != 354) return said_no(go);
    TRY(written());
    connection_.timeout(options_.final_timeout_ms);
    auto reply = connection_.end_message();
    connection_.timeout(options_.dial.timeout_ms);
    // It may have been taken: nobody else is asked.
    if (!reply) return std::unexpected(Setback(std::move(reply).error(), true));
    if (reply->code / 100 != 2) return said_no(*reply);
    return *std::move(reply);
}

std::unexpected<Setback> Transaction::too_few() {
    const auto never = std::find_if(refused_.begin(), refused_.end(), [](const Refusal& r) { return r.code >= 500; });
    const bool final = never != refused_.end();
    const Refusal& why = final ? *never : refused_.front();
    Setback setback({final ? Kind::refused : Kind::later, why.code, why.enhanced, why.text}, final);
    setback.refused = std::move(refused_);
    return std::unexpected(std::move(setback));
}

Step<Taken> Transaction::run(bool some_are_enough) {
    TRY(fits());
    const std::size_t accepted = TRY(envelope_said());
    if (accepted == 0 || (!refused_.empty() && !some_are_enough)) return too_few();
    Taken taken;
    taken.reply = TRY(body_said());
    for (const auto& recipient : envelope_.recipients) {
        const auto text = recipient.text();
        const auto is_it = [&](const Refusal& r) { return r.address == text; };
        if (std::none_of(refused_.begin(), refused_.end(), is_it)) taken.accepted.push_back(text);
    }
    taken.refused = std::move(refused_);
    return taken;
}

}  // namespace

Step<Taken> transaction(Connection& connection, const Hello& hello, const Options& options, const Envelope& envelope,
                        bool some_are_enough) {
    return Transaction(connection, hello, options, envelope).run(some_are_enough);
}

}  // namespace greylag::smtp_client
