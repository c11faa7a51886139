#include "sys/dial.hh"

#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/scope.hh"
#include "sys/address.hh"

namespace greylag::sys {

namespace {

const sockaddr* generic(const sockaddr_storage& address) { return reinterpret_cast<const sockaddr*>(&address); }

int pending_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

void make_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK); }

// Attempts that are under way at once.
class Race {
public:
    Race(std::span<const End> ends, std::vector<bool>& failed) : ends_(ends), failed_(failed) { failed_.assign(ends.size(), false); }

    bool all_begun() const { return next_ == ends_.size(); }
    bool over() const { return all_begun() && runners_.empty(); }

    // Begins the next one. True: it is connected already.
    bool begin() {
        const std::size_t which = next_++;
        sockaddr_storage address;
        const socklen_t size = socket_address(ends_[which], address);
        Fd fd(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!fd) return lose(which, errno);
        const int one = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        const int status = ::connect(fd.get(), generic(address), size);
        if (status < 0 && errno != EINPROGRESS && errno != EINTR) return lose(which, errno);
        runners_.push_back({std::move(fd), which});
        if (status == 0) winner_ = runners_.size() - 1;
        return status == 0;
    }

    // Waits for any of them. True: one is connected.
    Result<bool> wait(Deadline deadline) {
        std::vector<pollfd> entries;
        for (const auto& runner : runners_) entries.push_back({runner.fd.get(), POLLOUT, 0});
        const int count = ::poll(entries.data(), static_cast<nfds_t>(entries.size()), deadline.poll_timeout());
        if (count < 0 && errno != EINTR) return os_fail("poll", errno);
        if (count <= 0) return false;
        for (std::size_t i = entries.size(); i-- > 0;) {
            if (entries[i].revents == 0) continue;
            const int error = pending_error(runners_[i].fd.get());
            if (error == 0) {
                winner_ = i;
                return true;
            }
            lose(runners_[i].which, error);
            runners_.erase(runners_.begin() + static_cast<std::ptrdiff_t>(i));
        }
        return false;
    }

    Dialled win() {
        Dialled won{std::move(runners_[winner_].fd), runners_[winner_].which};
        make_blocking(won.fd.get());
        return won;
    }

    std::unexpected<Error> lost(bool late) {
        for (const auto& runner : runners_) {
            if (late) lose(runner.which, ETIMEDOUT);
        }
        return base::fail_later(late ? Kind::timeout : Kind::unavailable, why_.empty() ? "no address to connect to" : why_);
    }

private:
    bool lose(std::size_t which, int error) {
        failed_[which] = true;
        why_ += (why_.empty() ? "" : "; ") + text(ends_[which]) + ": " + std::string(os_reason(error));
        return false;
    }

    struct Runner {
        Fd fd;
        std::size_t which;
    };
    std::span<const End> ends_;
    std::vector<bool>& failed_;
    std::vector<Runner> runners_;
    std::string why_;
    std::size_t next_ = 0, winner_ = 0;
};

}  // namespace

std::string text(const End& end) {
    const std::string address = end.address.text();
    return (end.address.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(end.port);
}

Result<Dialled> dial(std::span<const End> ends, base::Millis patience, Deadline deadline, std::vector<bool>& failed) {
    Race race(ends, failed);
    Deadline turn = Deadline::in(base::Millis(0));
    std::size_t losers = 0;
    while (!race.over()) {
        if (deadline.passed()) return race.lost(true);
        const auto lost = static_cast<std::size_t>(std::count(failed.begin(), failed.end(), true));
        if (!race.all_begun() && (turn.passed() || lost != losers)) {
            losers = lost;
            turn = Deadline::in(patience);
            if (race.begin()) return race.win();
            continue;
        }
        const Deadline until = race.all_begun() ? deadline : Deadline::earlier(turn, deadline);
        if (TRY(race.wait(until))) return race.win();
    }
    return race.lost(false);
}

Result<Fd> dial_unix(const std::string& path, Deadline deadline) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return base::fail(Kind::usage, path + ": too long for a socket's name");
    std::memcpy(address.sun_path, path.data(), path.size());
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return os_fail("socket", errno);
    // A full backlog is the only thing that makes this wait; the send time-out bounds it.
    const auto left = std::min(deadline.left(), base::Millis(60'000)).count();
    const timeval limit{static_cast<time_t>(left / 1000), static_cast<suseconds_t>(left % 1000 * 1000 + 1)};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const void* plain = &address;
    if (::connect(fd.get(), static_cast<const sockaddr*>(plain), sizeof address) < 0) {
        Error error = os_error(path, errno);
        error.lasting = Lasting::temporary;  // a server that is down comes up again
        return std::unexpected(std::move(error));
    }
    return fd;
}

Result<std::vector<mail::IpAddress>> own_addresses() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) < 0) return os_fail("interface addresses", errno);
    const base::Scope end([&] { ::freeifaddrs(list); });
    std::vector<mail::IpAddress> own;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        const int family = entry->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6) continue;
        sockaddr_storage address{};
        std::memcpy(&address, entry->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
        if (const auto end_here = end_of(address)) own.push_back(end_here->address);
    }
    return own;
}

}  // namespace greylag::sys
