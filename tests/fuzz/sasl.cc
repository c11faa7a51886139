// Any octets as one exchange: the first picks the mechanism, '|' stands between the client's messages. No crash, no success
// without the password, an end within six steps; a client of every mechanism hears the same octets from a server and ends, too;
// and any octets as a users file.
#include <cstdint>
#include <cstdlib>

#include "base/ascii.hh"
#include "sasl/client.hh"
#include "sasl/server.hh"
#include "tests/support/sasl.hh"

using namespace greylag;

namespace {

constexpr int most_answers = 6;

// A hostile server may ask for a million iterations, or as many hashes of a one-time password: allowed, and too slow for here.
bool is_cheap(std::string_view message) {
    const bool scram = message.find("i=") == std::string_view::npos || message.find("i=4096") != std::string_view::npos;
    return scram && (message.find("otp-") == std::string_view::npos || message.size() < 24);
}

void serve(sasl::Mechanism mechanism, bool plus, const std::string& text) {
    static const sasl::User joe = test::user_with("joe", "a password nobody guesses");
    sasl::Server server(mechanism, {test::digests, "nonce", "<1@mx.example>", {"exported", "certificate"}, plus});
    bool first = true;
    for (const auto message : base::split(text, '|')) {
        auto step = first ? server.begin(message) : server.respond(message);
        first = false;
        if (std::get_if<sasl::step::Find>(&step) != nullptr) step = server.found(joe, true);
        if (std::get_if<sasl::step::Check>(&step) != nullptr) step = server.checked(false);
        if (std::get_if<sasl::step::Success>(&step) != nullptr) std::abort();
    }
}

void ask(sasl::Mechanism mechanism, bool initial, const std::string& text) {
    sasl::Client::Facts facts;
    facts.digests = test::digests;
    facts.nonce = "nonce";
    facts.bindings = {"exported", "certificate"};
    facts.host = "mx.example";
    if (!initial) facts.ask = [](std::string_view prompt) { return std::string(prompt.substr(0, 40)); };
    sasl::Client client(mechanism, std::move(facts), "joe", "x");
    if (initial) client.initial();
    int answers = 0;
    for (const auto message : base::split(text, '|')) {
        if (!is_cheap(message)) continue;
        const auto answer = client.respond(message);
        if (!answer && answer.error().text.empty()) std::abort();
        if (answer) ++answers;
    }
    // CRAM-MD5 answers as often as it is asked: each time only for what it was asked.
    if (answers > most_answers && mechanism != sasl::Mechanism::cram_md5) std::abort();
    const bool proof = mechanism <= sasl::Mechanism::digest_md5;
    if (proof && client.succeeded()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(data + 1, data + size);
    serve(sasl::mechanisms.at(data[0] % sasl::mechanisms.size()), (data[0] & 64) != 0, text);
    ask(sasl::spoken.at(data[0] % sasl::spoken.size()), (data[0] & 128) != 0, text);

    for (const auto& fault : sasl::check_users(text))
        if (fault.line == 0 || fault.what.empty()) std::abort();
    if (const auto user = sasl::first_user(text)) {
        const std::string again = sasl::show_user(*user);
        const auto same = sasl::find_user(again, user->name);
        if (!same || sasl::show_user(*same) != again) std::abort();
        const std::string replaced = sasl::replace_user(text, user->name, *user);
        if (!sasl::find_user(replaced, user->name)) std::abort();
    }
    return 0;
}
