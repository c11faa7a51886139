// The kernel knows best who is there; the environment is believed only where the kernel has nothing to say.
#include "sys/peer.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/ascii.hh"
#include "sys/address.hh"
#include "sys/fd.hh"
#include "sys/file.hh"

extern char** environ;

namespace greylag::sys {

namespace {

using Question = int (*)(int, sockaddr*, socklen_t*);

int ask(Question question, int fd, sockaddr_storage& answer) {
    socklen_t length = sizeof answer;
    void* place = &answer;
    return question(fd, static_cast<sockaddr*>(place), &length) < 0 ? errno : 0;
}

std::optional<std::string_view> value(const char* const* environment, std::string_view name) {
    for (; *environment != nullptr; ++environment) {
        const std::string_view entry(*environment);
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
            return entry.substr(name.size() + 1);
    }
    return std::nullopt;
}

// Link-local addresses come with the interface's name: fe80::1%eth0.
std::optional<mail::IpAddress> numeric(std::string_view text) {
    auto address = mail::IpAddress::parse(text.substr(0, text.find('%')));
    if (!address) return std::nullopt;
    return *address;
}

Result<End> read_end(const std::string& path) {
    const std::string text = TRY(read_file(path, 512));
    if (const auto end = parse_end(text)) return *end;
    return base::fail(Kind::syntax, path + ": not of the form address!port");
}

std::optional<End> environment_end(const char* const* environment, std::initializer_list<std::string_view> addresses,
                                   std::initializer_list<std::string_view> ports) {
    for (const std::string_view name : addresses) {
        const auto address = numeric(value(environment, name).value_or(""));
        if (!address) continue;
        End end{*address, 0};
        for (const std::string_view port : ports) {
            const auto number = base::parse_number<std::uint16_t>(value(environment, port).value_or(""));
            if (!number) continue;
            end.port = *number;
            break;
        }
        return end;
    }
    return std::nullopt;
}

}  // namespace

std::optional<End> parse_end(std::string_view text) {
    const auto parts = base::cut(base::trim(text), '!');
    if (!parts) return std::nullopt;
    const auto address = numeric(parts->first);
    const auto port = base::parse_number<std::uint16_t>(parts->second);
    if (!address || !port) return std::nullopt;
    return End{*address, *port};
}

Ends environment_ends(const char* const* environment) {
    Ends ends;
    ends.remote = environment_end(environment, {"TCPREMOTEIP", "REMOTE_ADDR", "REMOTE_HOST"}, {"TCPREMOTEPORT", "REMOTE_PORT"});
    ends.local = environment_end(environment, {"TCPLOCALIP"}, {"TCPLOCALPORT"});
    return ends;
}

Ends socket_ends(int fd) {
    sockaddr_storage local{}, remote{};
    Ends ends;
    ends.socket = ask(::getsockname, fd, local) == 0;
    if (!ends.socket || (local.ss_family != AF_INET && local.ss_family != AF_INET6)) return ends;
    ends.local = end_of(local);
    // ENOTCONN everywhere, EINVAL and ECONNRESET on some BSDs: it was connected once, or we would not have it.
    if (const int code = ask(::getpeername, fd, remote); code == 0) {
        ends.remote = end_of(remote);
    } else {
        ends.gone = code == ENOTCONN || code == EINVAL || code == ECONNRESET;
    }
    return ends;
}

Result<Ends> connection_ends(int fd, const std::string& netdir) {
    Ends ends = socket_ends(fd);
    if (!netdir.empty()) {
        ends.gone = false;
        ends.remote = TRY(read_end(join(netdir, "remote")));
        ends.local = TRY(read_end(join(netdir, "local")));
    } else if (!ends.local) {
        const bool socket = ends.socket;
        ends = environment_ends(environ);
        ends.socket = socket;
    }
    return ends;
}

void detach_stderr_from_socket() {
    struct stat info {};
    if (::fstat(2, &info) < 0 || !S_ISSOCK(info.st_mode)) return;
    Fd elsewhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (!elsewhere) {
        // Without /dev (a chroot) a pipe nobody reads does: its writes fail.
        if (auto pipe = make_pipe()) elsewhere = std::move(pipe->write);
    }
    if (elsewhere) ::dup2(elsewhere.get(), 2);
}

}  // namespace greylag::sys
