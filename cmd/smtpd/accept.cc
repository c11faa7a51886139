#include "cmd/smtpd/accept.hh"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>

#include "cmd/smtpd/session.hh"
#include "sys/io.hh"
#include "sys/log.hh"
#include "sys/peer.hh"
#include "sys/signals.hh"

namespace greylag::smtpd {

namespace {

using mail::Cidr;
using mail::IpAddress;

// A table of processes or descriptors that is full empties when sessions end, not by trying again at once.
constexpr base::Millis crowded_pause{100};
// What sessions that have come to their end still need.
constexpr base::Millis farewell{10'000};

class AcceptLoop {
public:
    AcceptLoop(Setup setup, Loop loop, const base::CommandLine& given, Crypto* crypto)
        : setup_(std::move(setup)),
          loop_(std::move(loop)),
          given_(given),
          crypto_(crypto),
          log_(std::make_unique<sys::Log>(log_settings(setup_))) {}

    int run();

private:
    void prepare_crypto();
    void take(int listener);
    base::Millis greeting_wait(const std::optional<IpAddress>& peer) const;
    bool has_room(const std::optional<IpAddress>& peer);
    void start(sys::Fd client, const sys::Ends& ends);
    [[noreturn]] void serve(sys::Fd client, const sys::Ends& ends, base::Millis greeting_wait);
    void reap();
    void reload();
    int stop();

    // One household counts as one source.
    static Cidr source(const IpAddress& peer) { return {peer, peer.is_v4() ? 32 : 64}; }

    Setup setup_;
    Loop loop_;
    const base::CommandLine& given_;
    Crypto* crypto_;
    std::unique_ptr<sys::Log> log_;
    sys::Signals signals_;
    bool crowded_ = false;  // and logged
    struct Session {
        std::optional<Cidr> from;
        sys::Deadline greeted;  // until then it holds its client off
    };
    std::map<int, Session> children_;  // by pid
    std::map<Cidr, unsigned> sessions_of_;
};

int AcceptLoop::run() {
    std::vector<int> fds;
    for (const auto& listener : loop_.listeners) {
        fds.push_back(listener.get());
        log_->write(base::Event{}.with("reason", "listening").with("on", sys::bound_address(listener.get())));
    }
    for (;;) {
        const bool may_leave = loop_.leave_when_idle && children_.empty();
        const auto seen = signals_.wait(fds, may_leave ? sys::Deadline::in(loop_.idle) : sys::Deadline::never());
        if (seen.child) reap();
        if (seen.stop) return stop();
        if (seen.reload) reload();
        for (int listener : seen.ready) take(listener);
        if (may_leave && seen.ready.empty() && !seen.child && !seen.reload) return 0;
    }
}

// Half a message is nobody's: the sessions finish what they have in hand, and who supervises us waits for us alone.
int AcceptLoop::stop() {
    loop_.listeners.clear();
    log_->write(base::Event{}.with("reason", "stopping").with("sessions", std::to_string(children_.size())));
    for (const auto& child : children_) ::kill(child.first, SIGTERM);
    const auto deadline = sys::Deadline::in(setup_.settings.limits.stop_time + setup_.settings.mailer.timeout + farewell);
    while (!children_.empty() && !deadline.passed()) {
        const auto seen = signals_.wait({}, deadline);
        if (seen.child) reap();
        if (seen.stop) break;
    }
    return 0;
}

void AcceptLoop::take(int listener) {
    sys::Fd client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            const int code = errno;
            if (!std::exchange(crowded_, true))
                log_->write(base::Event{}.with("reason", "accept").with("said", sys::os_error("accept", code).text));
            sys::sleep_watching(-1, crowded_pause);
        }
        return;
    }
    crowded_ = false;
    const auto ends = sys::connection_ends(client.get(), {});
    if (!ends || ends->gone) return;
    const auto peer = ends->remote ? std::optional(ends->remote->address) : std::nullopt;
    if (setup_.is_evil(peer)) return;
    if (has_room(peer)) return start(std::move(client), *ends);
    log_->write(base::Event{base::Word::drop, {}}.with("ip", peer ? peer->text() : "unknown").with("reason", "sessions"));
    turn_away(client.get(), smtp::say(smtp::Voice::too_many_sessions, {setup_.domain}));
}

bool AcceptLoop::has_room(const std::optional<IpAddress>& peer) {
    const auto& limits = setup_.settings.limits;
    if (children_.size() >= limits.sessions) return false;
    if (!peer || setup_.is_trusted(peer)) return true;
    const auto at = sessions_of_.find(source(*peer));
    return at == sessions_of_.end() || at->second < limits.per_source;
}

// Who comes in crowds is greeted at once when enough of the places are held by those who wait: a tarpit that fills the house
// would keep everybody else out.
base::Millis AcceptLoop::greeting_wait(const std::optional<IpAddress>& peer) const {
    const auto wait = setup_.greeting_wait(peer);
    if (wait.count() == 0) return wait;
    const auto waiting =
        std::count_if(children_.begin(), children_.end(), [](const auto& c) { return !c.second.greeted.passed(); });
    return static_cast<unsigned>(waiting) < setup_.waiting_places() ? wait : base::Millis{0};
}

// Once for all sessions, and again when the certificate was renewed. A renewal that cannot be read is noted by each session
// that would need it; those before go on with what there was.
void AcceptLoop::prepare_crypto() {
    if (crypto_ != nullptr && !setup_.settings.tls.certificate.empty()) (void)crypto_->prepare(setup_.settings.tls);
}

void AcceptLoop::start(sys::Fd client, const sys::Ends& ends) {
    const auto wait = greeting_wait(ends.remote ? std::optional(ends.remote->address) : std::nullopt);
    prepare_crypto();
    const pid_t pid = ::fork();
    if (pid == 0) serve(std::move(client), ends, wait);
    if (pid < 0) {
        log_->write(base::Event{}.with("reason", "fork").with("said", sys::os_error("fork", errno).text));
        turn_away(client.get(), smtp::say(smtp::Voice::too_many_sessions, {setup_.domain}));
        return;
    }
    std::optional<Cidr> from;
    if (ends.remote) ++sessions_of_[*(from = source(ends.remote->address))];
    children_.insert_or_assign(pid, Session{from, sys::Deadline::in(wait)});
}

void AcceptLoop::serve(sys::Fd client, const sys::Ends& ends, base::Millis greeting_wait) {
    loop_.listeners.clear();
    run_session({setup_, *log_, signals_}, {client.get(), client.get(), ends, greeting_wait}, {crypto_, nullptr});
    // _exit: what the parent still has buffered is the parent's to write.
    ::_exit(0);
}

void AcceptLoop::reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        const auto child = children_.find(pid);
        if (child == children_.end()) continue;
        if (WIFSIGNALED(status))
            log_->write(base::Event{}.with("reason", "session-died").with("signal", std::to_string(WTERMSIG(status))));
        if (child->second.from) {
            const auto source = sessions_of_.find(*child->second.from);
            if (--source->second == 0) sessions_of_.erase(source);
        }
        children_.erase(child);
    }
}

void AcceptLoop::reload() {
    auto fresh = make_setup(given_);
    if (!fresh) {
        log_->write(base::Event{}.with("reason", "config").with("said", fresh.error().text));
    } else if (!fresh->faults.empty()) {
        for (const auto& fault : fresh->faults) log_->write(base::Event{}.with("reason", "config").with("said", fault.text()));
    } else {
        setup_ = std::move(*fresh);
        log_ = std::make_unique<sys::Log>(log_settings(setup_));
        log_->write(base::Event{}.with("reason", "reloaded").with("file", setup_.file));
    }
}

}  // namespace

Result<Sockets> find_sockets(const Setup& setup) {
    Sockets found;
    for (const auto& where : setup.listen)
        for (auto& socket : TRY(sys::listen_on(where))) found.loop.listeners.push_back(std::move(socket));
    for (auto& socket : sys::inherited_sockets()) {
        if (sys::is_listening(socket.get()))
            found.loop.listeners.push_back(std::move(socket));
        else
            found.session = std::move(socket);
    }
    if (found.loop.listeners.empty() && !found.session && sys::is_listening(STDIN_FILENO)) {
        found.loop.listeners.emplace_back(STDIN_FILENO);
        found.loop.leave_when_idle = true;
    }
    return found;
}

int accept_loop(Setup setup, Loop loop, const base::CommandLine& given, Crypto* crypto) {
    return AcceptLoop(std::move(setup), std::move(loop), given, crypto).run();
}

}  // namespace greylag::smtpd
