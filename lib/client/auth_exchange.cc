#include "client/auth_exchange.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/base64.hh"
#include "base/escape.hh"

namespace greylag::client {

namespace {
constexpr std::size_t longest_command = 510;  // RFC 5321 4.5.3.1.4, without its end
constexpr unsigned most_rounds = 10;

std::unexpected<Error> bad(std::string why) { return base::fail(Kind::protocol, std::move(why)); }

std::string wire_form(std::string text) {
    std::string encoded = base::base64_encode(text);
    base::wipe(text);
    return encoded;
}
}  // namespace

std::string shown_auth(std::string_view line, std::string_view mask) {
    if (line == "*") return "*";
    if (!base::istarts_with(line, "AUTH ")) return std::string(mask);
    const std::size_t mechanism = std::min(line.find_first_not_of(' ', 5), line.size());
    const std::size_t rest = line.find(' ', mechanism);
    return base::printable(line.substr(0, rest)) + (rest == std::string_view::npos ? "" : " " + std::string(mask));
}

std::string AuthExchange::begin() {
    std::string line = "AUTH " + std::string(sasl::name(client_.mechanism()));
    auto initial = initial_response_ ? client_.initial() : std::nullopt;
    if (!initial) return line;
    std::string text = wire_form(*std::move(initial));
    holds_ = line.size() + 1 + text.size() > longest_command;
    if (holds_) {
        held_ = base::Secret(std::move(text));
        return line;
    }
    // No second copy of a secret stays behind when the line grows.
    line.reserve(longest_command + 2);
    line += ' ';
    line += text.empty() ? "=" : text;
    base::wipe(text);
    return line;
}

Result<std::string> AuthExchange::answer(const smtp::Reply& challenge) {
    if (challenge.code != 334 || challenge.lines.size() != 1) return bad("the server asks what AUTH never asks");
    if (++rounds_ > most_rounds) return bad("the server never stops asking");
    if (std::exchange(holds_, false)) return std::string(held_.get());
    const std::string_view text = base::trim(challenge.lines.front());
    auto asked = base::base64_decode(text);
    // LOGIN's questions are for people, and some servers ask them as they are.
    if (!asked && client_.mechanism() == sasl::Mechanism::login) asked.emplace();
    if (!asked) return bad("the server's challenge is not base64: " + base::quoted(text, 80));
    return wire_form(TRY(client_.respond(*asked)));
}

}  // namespace greylag::client
