#include "sasl/users.hh"

#include <algorithm>
#include <expected>
#include <set>

#include "base/ascii.hh"
#include "base/base64.hh"
#include "base/escape.hh"

namespace greylag::sasl {

namespace {

constexpr std::string_view key_argon2id = "argon2id=";
constexpr std::string_view key_scram = "scram-sha-256=";
constexpr std::string_view key_cram = "cram-md5=";
constexpr std::size_t key_size = 32;

bool says_nothing(std::string_view line) {
    line = base::trim(line);
    return line.empty() || line.front() == '#';
}

std::string_view name_of(std::string_view line) {
    line = base::trim(line);
    return line.substr(0, line.find_first_of(" \t"));
}

std::optional<ScramVerifier> parse_scram(std::string_view text) {
    const auto parts = base::split(text, ',');
    if (parts.size() != 4) return std::nullopt;
    const auto iterations = base::parse_number<unsigned>(parts[0]);
    auto salt = base::base64_decode(parts[1]);
    auto stored = base::base64_decode(parts[2]);
    auto server = base::base64_decode(parts[3]);
    if (!iterations || *iterations < least_iterations || *iterations > most_iterations) return std::nullopt;
    if (!salt || salt->empty() || !stored || stored->size() != key_size || !server || server->size() != key_size)
        return std::nullopt;
    return ScramVerifier{*iterations, *std::move(salt), *std::move(stored), *std::move(server)};
}

std::expected<User, std::string> parse(std::string_view line) {
    const auto words = base::words(line, "\r");
    User user;
    user.name = words.front();
    if (!is_user_name(user.name)) return std::unexpected("'" + base::printable(user.name, 80) + "' cannot be a user's name");
    for (const auto word : std::span(words).subspan(1)) {
        if (word.starts_with(key_argon2id)) {
            user.argon2id = word.substr(key_argon2id.size());
            if (!user.argon2id.starts_with("$argon2id$")) return std::unexpected("argon2id= takes what libsodium writes");
        } else if (word.starts_with(key_scram)) {
            user.scram = parse_scram(word.substr(key_scram.size()));
            if (!user.scram) return std::unexpected("scram-sha-256= takes iterations,salt,storedkey,serverkey");
        } else if (word.starts_with(key_cram)) {
            user.cram_md5 = base::base64_decode(word.substr(key_cram.size())).value_or("");
            if (user.cram_md5.empty()) return std::unexpected("cram-md5= takes the password in base64");
        } else {
            // Not shown: whoever wrote the password here by hand would find it in the log.
            return std::unexpected("a word that is none of argon2id= scram-sha-256= cram-md5=");
        }
    }
    return user;
}

// The first readable line that `wanted` says yes to by its name.
template <class Wanted>
std::optional<User> first(std::string_view file, Wanted wanted) {
    while (!file.empty()) {
        const std::size_t end = std::min(file.find('\n'), file.size());
        const auto line = file.substr(0, end);
        file.remove_prefix(std::min(end + 1, file.size()));
        if (says_nothing(line) || !wanted(name_of(line))) continue;
        if (auto user = parse(line)) return *std::move(user);
    }
    return std::nullopt;
}

}  // namespace

bool is_user_name(std::string_view name) {
    return is_plausible(name) && name.front() != '#' && name.find_first_of(" \t") == std::string_view::npos;
}

std::optional<User> find_user(std::string_view file, std::string_view name) {
    return first(file, [&](std::string_view other) { return other == name; });
}

std::optional<User> first_user(std::string_view file) {
    return first(file, [](std::string_view) { return true; });
}

Usable usable(std::string_view file) {
    const auto has = [&](std::string_view key) { return file.find(" " + std::string(key)) != std::string_view::npos; };
    return {has(key_argon2id), has(key_scram), has(key_cram)};
}

std::vector<UserFault> check_users(std::string_view file) {
    std::vector<UserFault> faults;
    std::set<std::string, std::less<>> seen;
    unsigned number = 0;
    for (const auto line : base::split(file, '\n')) {
        ++number;
        if (says_nothing(line)) continue;
        const auto user = parse(line);
        if (!user)
            faults.push_back({number, user.error()});
        else if (!seen.insert(user->name).second)
            faults.push_back({number, "'" + base::printable(user->name, 80) + "' stands twice; the first line counts"});
    }
    return faults;
}

std::string show_user(const User& user) {
    std::string line = user.name;
    if (!user.argon2id.empty()) line += " " + std::string(key_argon2id) + user.argon2id;
    if (user.scram) {
        line += " " + std::string(key_scram) + std::to_string(user.scram->iterations);
        for (const auto* part : {&user.scram->salt, &user.scram->stored_key, &user.scram->server_key})
            line += "," + base::base64_encode(*part);
    }
    if (!user.cram_md5.empty()) line += " " + std::string(key_cram) + base::base64_encode(user.cram_md5);
    return line;
}

std::string replace_user(std::string_view file, std::string_view name, const std::optional<User>& user) {
    std::string out;
    bool placed = !user;
    while (!file.empty()) {
        const std::size_t end = std::min(file.find('\n'), file.size());
        const auto line = file.substr(0, end);
        file.remove_prefix(std::min(end + 1, file.size()));
        if (!says_nothing(line) && name_of(line) == name) {
            if (!placed) out += show_user(*user) + "\n";
            placed = true;
        } else {
            out += std::string(line) + "\n";
        }
    }
    if (!placed) out += show_user(*user) + "\n";
    return out;
}

}  // namespace greylag::sasl
