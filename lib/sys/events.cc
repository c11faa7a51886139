// Refuses to know what the descriptors are for.
#include "sys/events.hh"

#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <unordered_map>
#include <vector>

#include "sys/fd.hh"

#ifdef __linux__
#include <sys/epoll.h>
#endif
#if __has_include(<sys/event.h>)
#include <sys/event.h>
#define GREYLAG_KQUEUE 1
#endif

namespace greylag::sys {

namespace {
// A burst is handed out in pieces, so that one call's answer stays in the cache.
constexpr std::size_t most_at_once = 256;
}  // namespace

std::size_t raise_descriptor_limit(std::size_t wanted) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
    if (limit.rlim_cur < wanted) {
        const rlim_t before = limit.rlim_cur;
        limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
        if (::setrlimit(RLIMIT_NOFILE, &limit) < 0) limit.rlim_cur = before;
    }
    return static_cast<std::size_t>(limit.rlim_cur);
}

struct Events::State {
    virtual ~State() = default;
    virtual int put(int fd, std::size_t token, bool read, bool write, bool known) = 0;  // an errno
    virtual void forget(int fd) = 0;
    virtual int wait(int timeout) = 0;  // an errno; fills `ready`
    std::vector<Ready> ready;
};

namespace {

struct Polled : Events::State {
    std::vector<pollfd> entries;
    std::vector<std::size_t> tokens;
    std::unordered_map<int, std::size_t> place;

    int put(int fd, std::size_t token, bool read, bool write, bool known) override {
        const auto wish = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
        const auto [at, is_new] = place.try_emplace(fd, entries.size());
        if (is_new == known) return known ? ENOENT : EEXIST;
        if (is_new) {
            entries.push_back({fd, wish, 0});
            tokens.push_back(token);
        } else {
            entries[at->second].events = wish;
            tokens[at->second] = token;
        }
        return 0;
    }
    void forget(int fd) override {
        const auto at = place.find(fd);
        if (at == place.end()) return;
        const std::size_t i = at->second;
        place.erase(at);
        if (i + 1 != entries.size()) {
            entries[i] = entries.back();
            tokens[i] = tokens.back();
            place[entries[i].fd] = i;
        }
        entries.pop_back();
        tokens.pop_back();
    }
    int wait(int timeout) override {
        ready.clear();
        int count = ::poll(entries.data(), static_cast<nfds_t>(entries.size()), timeout);
        if (count < 0) return errno == EINTR ? 0 : errno;
        for (std::size_t i = 0; count > 0 && i < entries.size(); ++i) {
            const int seen = entries[i].revents;
            if (seen == 0) continue;
            --count;
            const bool broken = (seen & ~(POLLIN | POLLOUT)) != 0;
            ready.push_back({tokens[i], broken || (seen & POLLIN) != 0, broken || (seen & POLLOUT) != 0});
        }
        return 0;
    }
};

#ifdef __linux__
struct Epolled : Events::State {
    Fd fd{::epoll_create1(EPOLL_CLOEXEC)};
    epoll_event seen[most_at_once];

    int put(int of, std::size_t token, bool read, bool write, bool known) override {
        epoll_event event{};
        event.events = (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U);
        event.data.u64 = token;
        return ::epoll_ctl(fd.get(), known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, of, &event) < 0 ? errno : 0;
    }
    void forget(int) override {}  // its close does it
    int wait(int timeout) override {
        ready.clear();
        const int count = ::epoll_wait(fd.get(), seen, static_cast<int>(most_at_once), timeout);
        if (count < 0) return errno == EINTR ? 0 : errno;
        for (int i = 0; i < count; ++i) {
            const auto what = seen[i].events;
            const bool broken = (what & ~(EPOLLIN | EPOLLOUT)) != 0;
            ready.push_back({seen[i].data.u64, broken || (what & EPOLLIN) != 0, broken || (what & EPOLLOUT) != 0});
        }
        return 0;
    }
};
#endif

#ifdef GREYLAG_KQUEUE
// Reading and writing are two events to it, and one descriptor to us.
struct Kqueued : Events::State {
    struct Watch {
        std::size_t token = 0;
        bool read = false, write = false;
        std::uint64_t round = 0;  // in which it was last seen,
        std::size_t at = 0;       // and where in `ready`
    };
    Fd fd{::kqueue()};
    std::unordered_map<int, Watch> watches;
    std::uint64_t round = 0;
    struct kevent seen[most_at_once];

    int set(int of, decltype(seen->filter) filter, bool on) {
        struct kevent change;
        EV_SET(&change, static_cast<std::uintptr_t>(of), filter, on ? EV_ADD : EV_DELETE, 0, 0, 0);
        return ::kevent(fd.get(), &change, 1, nullptr, 0, nullptr) < 0 ? errno : 0;
    }
    int put(int of, std::size_t token, bool read, bool write, bool known) override {
        const auto [at, is_new] = watches.try_emplace(of);
        if (is_new == known) {
            if (is_new) watches.erase(at);
            return known ? ENOENT : EEXIST;
        }
        Watch& watch = at->second;
        int code = 0;
        if (watch.read != read) code = set(of, EVFILT_READ, read);
        if (code == 0 && watch.write != write) code = set(of, EVFILT_WRITE, write);
        watch.token = token;
        watch.read = read;
        watch.write = write;
        if (code != 0) watches.erase(of);
        return code;
    }
    void forget(int of) override { watches.erase(of); }  // its close does the rest
    int wait(int timeout) override {
        ready.clear();
        ++round;
        timespec limit{};
        limit.tv_sec = timeout / 1000;
        limit.tv_nsec = timeout % 1000 * 1'000'000L;
        const int count = ::kevent(fd.get(), nullptr, 0, seen, static_cast<int>(most_at_once), timeout < 0 ? nullptr : &limit);
        if (count < 0) return errno == EINTR ? 0 : errno;
        for (int i = 0; i < count; ++i) {
            const auto at = watches.find(static_cast<int>(seen[i].ident));
            if (at == watches.end()) continue;
            Watch& watch = at->second;
            if (watch.round != round) {
                watch.round = round;
                watch.at = ready.size();
                ready.push_back({watch.token, false, false});
            }
            const bool reads = seen[i].filter == EVFILT_READ;
            // Half closed is an end to read; an error, or nobody to write to, is both.
            const bool broken = (seen[i].flags & EV_EOF) != 0 && (!reads || seen[i].fflags != 0);
            Events::Ready& one = ready[watch.at];
            one.read = one.read || reads || broken;
            one.write = one.write || !reads || broken;
        }
        return 0;
    }
};
#endif

}  // namespace

Events::Events(std::unique_ptr<State> state) : state_(std::move(state)) {}
Events::~Events() = default;
Events::Events(Events&&) noexcept = default;
Events& Events::operator=(Events&&) noexcept = default;

Result<Events> Events::create(Way way) {
#ifdef __linux__
    if (way == Way::best) {
        auto state = std::make_unique<Epolled>();
        if (!state->fd) return os_fail("epoll", errno);
        return Events(std::move(state));
    }
#endif
#ifdef GREYLAG_KQUEUE
    if (way != Way::poll) {
        auto state = std::make_unique<Kqueued>();
        if (!state->fd) return os_fail("kqueue", errno);
        return Events(std::move(state));
    }
#endif
    if (way == Way::kqueue) return os_fail("kqueue", ENOSYS);
    return Events(std::make_unique<Polled>());
}

Result<void> Events::add(int fd, std::size_t token, bool read, bool write) {
    if (const int code = state_->put(fd, token, read, write, false); code != 0) return os_fail("watching a descriptor", code);
    return {};
}

Result<void> Events::change(int fd, std::size_t token, bool read, bool write) {
    if (const int code = state_->put(fd, token, read, write, true); code != 0) return os_fail("watching a descriptor", code);
    return {};
}

void Events::forget(int fd) { state_->forget(fd); }

Result<std::span<const Events::Ready>> Events::wait(Deadline deadline) {
    if (const int code = state_->wait(deadline.poll_timeout()); code != 0) return os_fail("waiting for descriptors", code);
    return std::span<const Ready>(state_->ready);
}

}  // namespace greylag::sys
