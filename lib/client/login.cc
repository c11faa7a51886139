// AUTH (RFC 4954): one mechanism after the other until one succeeds. What a server only claims to know is no success: who
// cannot prove that it has the password (SCRAM, DIGEST-MD5) is an impostor, and a weaker mechanism would hand it over.
#include <algorithm>
#include <optional>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "client/auth_exchange.hh"
#include "client/connection_state.hh"
#include "client/digests.hh"
#include "secret/random.hh"

namespace greylag::smtp_client {

namespace {

// Those to be tried; `unfit` becomes why one of the list asked for is not among them.
std::vector<sasl::Mechanism> candidates(const Hello& offered, const Credentials& credentials, const sasl::Means& means,
                                        std::string& unfit) {
    if (credentials.mechanisms.empty()) return sasl::ranked(offered.mechanisms, means);
    std::vector<sasl::Mechanism> out;
    for (const auto& name : credentials.mechanisms) {
        const auto mechanism = sasl::find(name);
        const auto is_it = [&](const std::string& one) { return base::iequals(one, name); };
        if (!mechanism || !sasl::can(*mechanism, means.digests)) {
            unfit = base::printable(name, 40) + " is not built in";
        } else if (std::none_of(offered.mechanisms.begin(), offered.mechanisms.end(), is_it)) {
            unfit = "the server does not offer " + base::upper(name);
        } else if (sasl::sends_password(*mechanism) && !means.clear_allowed) {
            unfit = base::upper(name) + " would show the password: there is no TLS";
        } else if (*mechanism == sasl::Mechanism::scram_sha_256_plus && !means.can_bind) {
            unfit = base::upper(name) + " needs TLS";
        } else {
            out.push_back(*mechanism);
        }
    }
    return out;
}

std::string nothing_to_try(const Hello& offered, const std::string& unfit, bool clear_allowed) {
    if (offered.mechanisms.empty()) return "the server offers no authentication";
    if (!unfit.empty()) return unfit;
    std::string names;
    for (const auto& name : offered.mechanisms) names += " " + base::printable(name, 40);
    return "no mechanism that may be used here is among those offered:" + names +
           (clear_allowed ? "" : " (without TLS no password is shown)");
}

bool has_control(std::string_view text) { return std::any_of(text.begin(), text.end(), base::is_ctl); }

}  // namespace

// One mechanism on this connection, from AUTH to its verdict.
class Connection::Login {
public:
    Login(State& state, client::AuthExchange exchange) : s_(state), exchange_(std::move(exchange)) {}

    Result<Reply> run() {
        std::string line = exchange_.begin();
        for (;;) {
            auto sent = s_.put_line(line, client::shown_auth(line));
            base::wipe(line);
            if (!sent) return std::unexpected(std::move(sent).error());
            s_.doing = "AUTH";
            auto reply = s_.reply();
            if (!reply) return reply;
            if (reply->code / 100 == 2) return verdict(*std::move(reply));
            if (reply->code / 100 != 3) return reply;
            auto answer = exchange_.answer({static_cast<std::uint16_t>(reply->code), {}, reply->lines});
            if (!answer) return give_up(answer.error().text);
            line = *std::move(answer);
        }
    }

private:
    Result<Reply> verdict(Reply reply) {
        const auto real = exchange_.succeeded();
        return real ? Result<Reply>(std::move(reply)) : impostor(real.error().text);
    }

    Result<Reply> give_up(const std::string& why) {
        if (auto sent = s_.put_line("*", "*"); !sent) return std::unexpected(std::move(sent).error());
        auto reply = s_.reply();
        return reply ? impostor(why) : reply;
    }

    // It saw our proof and has none of its own, or it breaks the mechanism: nothing weaker is said to it.
    Result<Reply> impostor(const std::string& why) {
        return std::unexpected(failure_of(Failure::Kind::authentication, s_.peer + ": " + why));
    }

    State& s_;
    client::AuthExchange exchange_;
};

Result<Reply> Connection::authenticate(const Hello& offered, const Credentials& credentials) {
    State& s = *state_;
    const auto no = [&s](const std::string& why) {
        return std::unexpected(failure_of(Failure::Kind::authentication, s.peer + ": " + why));
    };
    if (has_control(credentials.user) || has_control(credentials.password) || has_control(credentials.authorization))
        return std::unexpected(failure_of(Failure::Kind::usage, "a control character in the user's name or password"));
    const sasl::Bindings bindings = s.wire ? s.wire->bindings() : sasl::Bindings{};
    sasl::Means means;
    means.digests = client::all_digests();
    means.can_bind = bindings.any();
    means.clear_allowed = s.secure() || credentials.without_tls;
    means.certificate = s.identified;
    means.answers = static_cast<bool>(credentials.challenge);
    means.bits = s.wire ? static_cast<unsigned>(std::max(s.wire->bits(), 0)) : 0;

    std::string unfit;
    const auto mechanisms = candidates(offered, credentials, means, unfit);
    if (mechanisms.empty()) return no(nothing_to_try(offered, unfit, means.clear_allowed));
    std::optional<Failure> refused;
    for (const auto mechanism : mechanisms) {
        sasl::Client::Facts facts;
        facts.digests = means.digests;
        facts.nonce = secret::random_text(24);
        facts.bindings = sasl::shown_bindings(mechanism, offered.mechanisms, bindings);
        facts.authorization = credentials.authorization;
        facts.realm = credentials.realm;
        facts.host = s.endpoint.path.empty() ? s.endpoint.host : "localhost";
        facts.port = s.endpoint.service;
        facts.ask = credentials.challenge;
        sasl::Client spoken(mechanism, std::move(facts), credentials.user, credentials.password);
        auto reply = Login(s, {client::AuthExchange(std::move(spoken), credentials.initial_response)}).run();
        if (!reply) return reply;
        if (reply->ok()) return reply;
        // Now or never: one mechanism's "not now" leaves hope for the whole.
        Failure failure = refusal(*reply);
        failure.kind = reply->code < 500 ? Failure::Kind::later : Failure::Kind::authentication;
        if (!refused || refused->kind != Failure::Kind::later) refused = failure;
        if (reply->code == 421) break;
    }
    return std::unexpected(*refused);
}

}  // namespace greylag::smtp_client
