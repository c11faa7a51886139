// AUTH: without accounts any password is the right one.
#include <algorithm>

#include "base/base64.hh"
#include "cmd/smtp-sink/session.hh"

namespace greylag::sink {

namespace {
constexpr unsigned iterations = sasl::least_iterations;

template <class... F>
struct Each : F... {
    using F::operator()...;
};
template <class... F>
Each(F...) -> Each<F...>;
}  // namespace

// Whose password any is has none that a proof could be checked by.
bool Session::offers(sasl::Mechanism mechanism) const {
    if (!sasl::served(mechanism)) return false;
    if (sasl::sends_password(mechanism)) return true;
    return !rules_->accounts.empty() && (mechanism != sasl::Mechanism::scram_sha_256_plus || bindings_.any());
}

void Session::start_auth() {
    const auto wanted = smtp::parse_auth(argument_);
    const auto mechanism = wanted ? sasl::find(wanted->mechanism) : std::nullopt;
    if (!mechanism || !offers(*mechanism)) return code("504", "5.5.4", "Error: no such mechanism");
    const std::string random = house_->random();
    sasl_ = std::make_unique<sasl::Server>(
        *mechanism,
        sasl::Server::Facts{house_->digests, random, "<" + random + "@" + rules_->host + ">", bindings_, bindings_.any()});
    in_ = In::auth;
    if (!wanted->initial) return auth_step(sasl_->begin(std::nullopt));
    const auto initial = *wanted->initial == "=" ? std::string() : base::base64_decode(*wanted->initial);
    if (!initial) return in_ = In::commands, code("501", "5.5.2", "Error: no base64");
    auth_step(sasl_->begin(*initial));
}

void Session::auth_line(std::string_view line) {
    const auto response = base::base64_decode(line);
    if (response) return auth_step(sasl_->respond(*response));
    in_ = In::commands;
    sasl_.reset();
    code("501", "5.5.2", line == "*" ? "Cancelled" : "Error: no base64");
}

void Session::auth_step(sasl::Step step) {
    const auto& accounts = rules_->accounts;
    const auto account = [&](std::string_view user) {
        return std::find_if(accounts.begin(), accounts.end(), [&](const Account& a) { return a.name == user; });
    };
    const auto over = [this] {
        in_ = In::commands;
        sasl_.reset();
    };
    std::visit(Each{[&](const sasl::step::Challenge& s) { say("334 " + base::base64_encode(s.text)); },
                    [&](const sasl::step::Check& s) {
                        const auto known = account(s.user);
                        const bool right = accounts.empty() || (known != accounts.end() && known->password == s.password.get());
                        auth_step(sasl_->checked(right));
                    },
                    [&](const sasl::step::Find& s) {
                        const auto known = account(s.user);
                        const bool there = known != accounts.end();
                        const std::string password = there ? known->password : house_->random();
                        sasl::User user;
                        user.name = s.user;
                        user.cram_md5 = password;
                        user.scram = sasl::make_verifier(house_->digests, password, house_->random().substr(0, 16), iterations);
                        auth_step(sasl_->found(user, there));
                    },
                    [&](const sasl::step::Success&) { over(), code("235", "2.7.0", "Authentication successful"); },
                    [&](const sasl::step::Failure& s) {
                        over();
                        house_->totals.refused.fetch_add(1, std::memory_order_relaxed);
                        code(s.unreadable ? "501" : "535", s.unreadable ? "5.5.2" : "5.7.8", "Error: authentication failed");
                    }},
               step);
}

}  // namespace greylag::sink
