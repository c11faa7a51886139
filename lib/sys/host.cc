// Names from the machine's own files: a start must not hang on a resolver.
#include "sys/host.hh"

#include <unistd.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>

#include "base/ascii.hh"
#include "sys/file.hh"

namespace greylag::sys {

namespace {

constexpr std::size_t file_limit = 16 << 20;  // some sites block a million names in /etc/hosts

bool dotted(std::string_view name) { return name.find('.') != std::string_view::npos; }

std::string_view without_final_dot(std::string_view name) {
    if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
    return name;
}

// A kernel that was never told says "(none)"; what could not stand in a greeting is no name.
std::string_view usable(std::string_view name) {
    name = without_final_dot(name);
    for (const char c : name) {
        if (!base::is_alnum(c) && c != '-' && c != '.' && c != '_') return {};
    }
    return name;
}

std::optional<std::string_view> dotted_alias(std::string_view line, std::string_view hostname) {
    const auto words = base::words(line.substr(0, line.find('#')), "\r");
    bool ours = false;
    std::optional<std::string_view> found;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string_view name = usable(words[i]);
        if (base::iequals(name, hostname)) ours = true;
        if (!found && dotted(name)) found = name;
    }
    return ours ? found : std::nullopt;
}

void put_base32(std::string& to, std::uint64_t value, int digits) {
    for (int i = digits - 1; i >= 0; --i) to += "0123456789abcdefghijklmnopqrstuv"[(value >> (5 * i)) & 31];
}

}  // namespace

std::string choose_host_name(std::string_view hostname, std::string_view hosts, std::string_view mailname) {
    const std::string_view bare = usable(hostname);
    if (dotted(bare)) return std::string(bare);
    if (!bare.empty()) {
        for (const std::string_view line : base::split(hosts, '\n')) {
            if (const auto alias = dotted_alias(line, bare)) return std::string(*alias);
        }
    }
    const auto words = base::words(mailname, "\r\n");
    if (!words.empty() && !usable(words.front()).empty()) return std::string(usable(words.front()));
    return bare.empty() ? "localhost" : std::string(bare);
}

std::string host_name() {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    const std::string_view hostname(name.data());
    // Only what the choice needs is read: most machines know their whole name.
    if (dotted(usable(hostname))) return choose_host_name(hostname, {}, {});
    const auto hosts = read_file("/etc/hosts", file_limit);
    const auto mailname = read_file("/etc/mailname", 4096);
    return choose_host_name(hostname, hosts ? *hosts : "", mailname ? *mailname : "");
}

std::vector<mail::IpAddress> choose_host_addresses(std::string_view name, std::string_view hosts) {
    if (const auto address = mail::IpAddress::parse(name)) return {*address};
    std::vector<mail::IpAddress> found;
    for (const std::string_view line : base::split(hosts, '\n')) {
        const auto words = base::words(line.substr(0, line.find('#')), "\r");
        for (std::size_t i = 1; i < words.size(); ++i) {
            if (!base::iequals(without_final_dot(words[i]), without_final_dot(name))) continue;
            if (const auto address = mail::IpAddress::parse(words.front())) found.push_back(*address);
            break;
        }
    }
    // RFC 6761 6.3: with or without an entry.
    if (found.empty() && base::iequals(name, "localhost"))
        return {*mail::IpAddress::parse("127.0.0.1"), *mail::IpAddress::parse("::1")};
    return found;
}

std::vector<mail::IpAddress> host_addresses(std::string_view name) {
    auto found = choose_host_addresses(name, {});
    if (!found.empty() && !base::iequals(name, "localhost")) return found;
    const auto hosts = read_file("/etc/hosts", file_limit);
    return hosts ? choose_host_addresses(name, *hosts) : found;
}

std::string make_id() {
    // The counter is what tells two ids of one process in one microsecond apart.
    static std::uint32_t counter = 0;
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const auto micros = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
    std::string id;
    put_base32(id, micros, 11);
    put_base32(id, static_cast<std::uint64_t>(::getpid()), 5);
    put_base32(id, counter++, 2);
    return id;
}

std::string own_directory() {
#if defined(__FreeBSD__) || defined(__DragonFly__)
    constexpr const char* link = "/proc/curproc/file";
#elif defined(__NetBSD__)
    constexpr const char* link = "/proc/curproc/exe";
#else
    constexpr const char* link = "/proc/self/exe";
#endif
    std::array<char, 4096> room;
    const ssize_t size = ::readlink(link, room.data(), room.size());
    if (size <= 0) return {};
    const std::string_view path(room.data(), static_cast<std::size_t>(size));
    return std::string(path.substr(0, path.rfind('/')));
}

}  // namespace greylag::sys
