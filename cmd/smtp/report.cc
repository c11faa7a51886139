#include "cmd/smtp/report.hh"

#include <sysexits.h>

#include <algorithm>
#include <array>

#include "base/escape.hh"

namespace greylag::sender {

namespace {

using State = smtp::Outcome::State;
using Cause = smtp::Outcome::Cause;

int status_of_refusal(const smtp::Outcome& outcome) {
    const bool of_message = outcome.stage == smtp::Stage::final;
    if (of_message && (outcome.code == 552 || outcome.enhanced.starts_with("5.6."))) return EX_DATAERR;
    if (outcome.enhanced == "5.1.1" && outcome.code == 550) return EX_NOUSER;
    if (outcome.enhanced == "5.1.2" || outcome.enhanced == "5.1.10") return EX_NOHOST;
    return EX_UNAVAILABLE;
}

}  // namespace

int status_of(const smtp::Outcome& outcome) {
    switch (outcome.state) {
        case State::delivered: return EX_OK;
        case State::open:
        case State::later: return EX_TEMPFAIL;
        case State::never: break;
    }
    switch (outcome.cause) {
        case Cause::no_host: return EX_NOHOST;
        case Cause::unsuited: return EX_PROTOCOL;
        case Cause::auth: return EX_NOPERM;
        case Cause::unprepared: return EX_CONFIG;
        case Cause::reply:
        case Cause::silence:
        case Cause::tls: break;
    }
    return status_of_refusal(outcome);
}

int verdict(const std::vector<smtp::Outcome>& outcomes) {
    constexpr std::array<int, 10> ascending{EX_OK,       EX_NOUSER, EX_NOHOST, EX_UNAVAILABLE, EX_DATAERR,
                                            EX_PROTOCOL, EX_NOPERM, EX_CONFIG, EX_USAGE,       EX_TEMPFAIL};
    auto worst = ascending.begin();
    for (const auto& outcome : outcomes)
        worst = std::max(worst, std::find(ascending.begin(), ascending.end(), status_of(outcome)));
    return worst == ascending.end() ? EX_TEMPFAIL : *worst;
}

std::string report_line(std::string_view address, const smtp::Outcome& outcome) {
    const char kind = outcome.state == State::delivered ? 'd' : outcome.state == State::never ? 'n' : 'l';
    return std::string(1, kind) + " " + std::string(address) + " " + outcome.words() + "\n";
}

std::string failure_line(std::string_view address, const smtp::Outcome& outcome) {
    if (outcome.state == State::delivered) return {};
    return base::printable(address) + ": " + outcome.words() + "\n";
}

std::string_view last_word(int status) {
    if (status == EX_OK) return {};
    return status == EX_TEMPFAIL ? "Retry, Temporary Failure\n" : "Permanent Failure\n";
}

}  // namespace greylag::sender
