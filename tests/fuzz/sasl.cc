// Any octets as one exchange: the first picks the mechanism, '|' stands between the client's messages. No crash, no success
// without the password, an end within six steps; and any octets as a users file.
#include <cstdint>
#include <cstdlib>

#include "base/ascii.hh"
#include "sasl/client.hh"
#include "sasl/server.hh"
#include "tests/support/sasl.hh"

using namespace greylag;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(data + 1, data + size);
    const auto mechanism = sasl::mechanisms.at(data[0] % sasl::mechanisms.size());
    static const sasl::User joe = test::user_with("joe", "a password nobody guesses");

    sasl::Server server(mechanism, {test::digests, "nonce", "<1@mx.example>", {"exported", "certificate"}, (data[0] & 64) != 0});
    sasl::Client client(mechanism, {test::digests, "nonce", {"exported", "certificate"}}, "joe", "x");
    if ((data[0] & 128) != 0) client.initial();
    bool first = true;
    for (const auto message : base::split(text, '|')) {
        auto step = first ? server.begin(message) : server.respond(message);
        first = false;
        if (std::get_if<sasl::step::Find>(&step) != nullptr) step = server.found(joe, true);
        if (std::get_if<sasl::step::Check>(&step) != nullptr) step = server.checked(false);
        if (std::get_if<sasl::step::Success>(&step) != nullptr) std::abort();
        // A hostile server may ask for a million iterations: allowed, and too slow for here.
        if (message.find("i=") == std::string_view::npos || message.find("i=4096") != std::string_view::npos)
            (void)client.respond(message);
    }

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
