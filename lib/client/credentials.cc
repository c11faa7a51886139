#include "client/credentials.hh"

#include <array>

#include "base/ascii.hh"
#include "sasl/mechanism.hh"

namespace greylag::client {

namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

struct Attribute {
    std::string_view name;
    base::Secret value;
};

// Takes "name", "name=value" or "name='a value'" from the front; the error says what is wrong.
Result<Attribute> take_attribute(std::string_view& rest) {
    const auto bad = [](const char* why) { return base::fail(Kind::config, why); };
    std::size_t end = 0;
    while (end < rest.size() && !is_blank(rest[end]) && rest[end] != '=' && rest[end] != '\'') ++end;
    Attribute out;
    out.name = rest.substr(0, end);
    rest.remove_prefix(end);
    if (out.name.empty() || rest.starts_with('\'')) return bad("an attribute without a name");
    if (!rest.starts_with('=')) return out;
    rest.remove_prefix(1);
    std::string value;
    value.reserve(rest.size());  // one place, which is wiped
    bool quoted = false;
    std::size_t at = 0;
    for (; at < rest.size() && (quoted || !is_blank(rest[at])); ++at) {
        if (rest[at] != '\'') {
            value += rest[at];
        } else if (quoted && rest.substr(at + 1).starts_with('\'')) {
            value += rest[at++];
        } else {
            quoted = !quoted;
        }
    }
    rest.remove_prefix(at);
    out.value = base::Secret(std::move(value));
    if (quoted) return bad("a quote is not closed");
    return out;
}

struct Key {
    std::string server, user;
    base::Secret password;
    bool ours = false;  // for passwords of SMTP
};

// Nothing for a line that holds no key.
Result<std::optional<Key>> read_key(std::string_view line) {
    const auto skip = [&] {
        while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
        return !line.empty();
    };
    if (!skip() || line.starts_with('#')) return std::optional<Key>();
    Attribute word = TRY(take_attribute(line));
    if (word.name != "key") return base::fail(Kind::config, "a line begins with the word key");
    Key key;
    std::string proto, service;
    bool has_password = false;
    while (skip()) {
        Attribute one = TRY(take_attribute(line));
        if (one.name == "proto") proto = one.value.get();
        if (one.name == "service") service = one.value.get();
        if (one.name == "server") key.server = one.value.get();
        if (one.name == "user") key.user = one.value.get();
        if (one.name == "!password") key.password = std::move(one.value), has_password = true;
    }
    key.ours = proto == "pass" && service == "smtp";
    if (!key.ours) return key;
    if (key.server.empty()) return base::fail(Kind::config, "a key without server");
    if (!sasl::is_plausible(key.user)) return base::fail(Kind::config, "a key without a user that can be sent");
    if (!has_password) return base::fail(Kind::config, "a key without !password");
    if (!sasl::is_plausible(key.password.get()))
        return base::fail(Kind::config, "a password must be UTF-8 without control characters, 255 octets at most");
    return key;
}

// "[192.0.2.1]" and "192.0.2.1" are one.
std::string_view bare(std::string_view server) {
    if (server.size() > 2 && server.starts_with('[') && server.ends_with(']')) server = server.substr(1, server.size() - 2);
    return server;
}

}  // namespace

Result<void> check_credentials(std::string_view text) {
    std::size_t number = 0;
    for (const auto line : base::split(text, '\n')) {
        ++number;
        const auto key = read_key(line);
        if (!key) return base::fail(Kind::config, std::to_string(number) + ": " + key.error().text);
    }
    return {};
}

std::optional<base::Secret> find_password(std::string_view text, std::span<const std::string> servers, std::string_view user) {
    for (const std::string& server : servers) {
        if (server.empty()) continue;
        for (const auto line : base::split(text, '\n')) {
            auto key = read_key(line);
            if (key && *key && (*key)->ours && (*key)->user == user && base::iequals(bare((*key)->server), bare(server)))
                return std::move((*key)->password);
        }
    }
    return std::nullopt;
}

bool knows_user(std::string_view text, std::string_view user) {
    for (const auto line : base::split(text, '\n')) {
        const auto key = read_key(line);
        if (key && *key && (*key)->ours && (*key)->user == user) return true;
    }
    return false;
}

}  // namespace greylag::client
