#include "sys/race.hh"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

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

// Attempts that are under way at once.
class Race {
public:
    Race(std::span<const End> ends, std::vector<bool>& failed, const DialWish& wish) : ends_(ends), failed_(failed), wish_(wish) {
        failed_.assign(ends.size(), false);
    }

    bool all_begun() const { return next_ == ends_.size(); }
    bool over() const { return all_begun() && runners_.empty(); }

    // Begins the next one. True: it is connected already.
    bool begin() {
        const std::size_t which = next_++;
        if (wish_.watch) wish_.watch(ends_[which], {});
        sockaddr_storage address;
        const socklen_t size = socket_address(ends_[which], address);
        Fd fd(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!fd) return lose(which, errno);
        const int one = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (wish_.source && !bind_source(fd.get())) return lose(which, errno);
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

    Dialled win() { return {std::move(runners_[winner_].fd), runners_[winner_].which}; }

    std::unexpected<Error> lost(bool late) {
        for (const auto& runner : runners_) {
            if (late) lose(runner.which, ETIMEDOUT);
        }
        return base::fail_later(late ? Kind::timeout : Kind::unavailable, why_.empty() ? "no address to connect to" : why_);
    }

private:
    bool bind_source(int fd) const {
        sockaddr_storage address;
        const socklen_t size = socket_address({*wish_.source, 0}, address);
        return ::bind(fd, generic(address), size) == 0;
    }

    bool lose(std::size_t which, int error) {
        failed_[which] = true;
        if (wish_.watch) wish_.watch(ends_[which], os_reason(error));
        why_ += (why_.empty() ? "" : "; ") + text(ends_[which]) + ": " + std::string(os_reason(error));
        return false;
    }

    struct Runner {
        Fd fd;
        std::size_t which;
    };
    std::span<const End> ends_;
    std::vector<bool>& failed_;
    const DialWish& wish_;
    std::vector<Runner> runners_;
    std::string why_;
    std::size_t next_ = 0, winner_ = 0;
};

}  // namespace

std::string text(const End& end) {
    const std::string address = end.address.text();
    return (end.address.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(end.port);
}

Result<Dialled> dial_first(std::span<const End> ends, base::Millis patience, Deadline deadline, std::vector<bool>& failed,
                           const DialWish& wish) {
    Race race(ends, failed, wish);
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
