// EHLO and what it offers (RFC 5321 4.1.1.1), HELO where that is not known, LHLO (RFC 2033).
#include <algorithm>

#include "base/ascii.hh"
#include "client/connection_state.hh"

namespace greylag::smtp_client {

namespace {

void add_mechanisms(std::string_view words, std::vector<std::string>& out) {
    for (const auto word : base::words(words)) {
        std::string name = base::upper(word);
        if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
    }
}

// "AUTH=LOGIN" is how servers spoke before RFC 2554, and some still say both.
void read_extensions(Hello& hello) {
    for (std::size_t i = 1; i < hello.reply.lines.size(); ++i) {
        const std::string_view line = base::trim(hello.reply.lines[i]);
        const std::size_t blank = line.find(' ');
        const std::string keyword = base::upper(line.substr(0, blank));
        const std::string_view parameters = blank == std::string_view::npos ? "" : base::trim(line.substr(blank));
        if (keyword.empty()) continue;
        if (keyword == "AUTH") add_mechanisms(parameters, hello.mechanisms);
        if (keyword.starts_with("AUTH=")) add_mechanisms(keyword.substr(5) + " " + std::string(parameters), hello.mechanisms);
        hello.extensions.emplace_back(keyword, parameters);
    }
}

}  // namespace

const std::string* Hello::find(std::string_view keyword) const {
    for (const auto& [name, parameters] : extensions)
        if (base::iequals(name, keyword)) return &parameters;
    return nullptr;
}

Result<Hello> Connection::hello(std::string_view name, bool lmtp) {
    auto reply = command((lmtp ? "LHLO " : "EHLO ") + std::string(name));
    if (!reply) return std::unexpected(std::move(reply).error());
    const bool plain = !lmtp && reply->code >= 500;
    if (plain) reply = command("HELO " + std::string(name));
    if (!reply) return std::unexpected(std::move(reply).error());
    if (reply->code / 100 != 2) return std::unexpected(refusal(*reply));
    Hello hello{*std::move(reply), {}, {}};
    if (!plain) read_extensions(hello);
    return hello;
}

}  // namespace greylag::smtp_client
