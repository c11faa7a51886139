#include "cmd/smtp-source/run.hh"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "client/host.hh"
#include "sys/io.hh"
#include "sys/signals.hh"

namespace greylag::source {

namespace {

constexpr base::Millis between_lines{250};
constexpr std::size_t spare_descriptors = 64;

struct Worker {
    Worker(const Plan& plan, Ledger& ledger, const Place& place, const sys::Loan& loan,
           std::chrono::steady_clock::time_point start, unsigned first, unsigned sessions)
        : loop(plan, ledger, place, loan, window, start, first, sessions) {}
    Window window;
    Loop loop;
    Result<void> ending;
    std::thread thread;
};

class Display {
public:
    Display(bool count, bool terminal) : count_(count), terminal_(terminal) {}

    void show(const std::vector<std::unique_ptr<Worker>>& workers, Tick at) {
        Glance sum;
        std::uint64_t dots = 0;
        for (const auto& worker : workers) {
            const auto view = worker->window.look();
            dots += view.dots;
            sum.sent += view.glance.sent;
            sum.failed += view.glance.failed;
            sum.bytes += view.glance.bytes;
            sum.median = std::max(sum.median, view.glance.median);
            sum.p99 = std::max(sum.p99, view.glance.p99);
        }
        if (count_ && dots != dots_) {
            std::printf("%llu\r", static_cast<unsigned long long>(dots));
            std::fflush(stdout);
        }
        if (terminal_) std::fprintf(stderr, "\r\033[K%s", live_line(sum, before_, at - at_).c_str());
        dots_ = dots;
        before_ = sum;
        at_ = at;
    }

    void end() const {
        if (count_) std::puts("");
        if (terminal_) std::fputs("\r\033[K", stderr);
    }

private:
    bool count_, terminal_;
    std::uint64_t dots_ = 0;
    Glance before_;
    Tick at_ = 0;
};

unsigned thread_count(const Order& order) {
    const unsigned cores = std::max(std::thread::hardware_concurrency(), 1U);
    return std::min(order.threads != 0 ? order.threads : cores, order.sessions);
}

}  // namespace

Result<Place> find_place(const Order& order) {
    using How = client::Destination::How;
    if (order.to.how == How::local) return Place{order.to.path, {}};
    std::vector<mail::IpAddress> addresses;
    if (order.to.how == How::address) {
        addresses.push_back(order.to.address);
    } else {
        dns::Resolver resolver({});
        addresses = TRY(client::find_host(order.to.host, {}, resolver));
    }
    Place place;
    for (const auto& address : addresses) {
        if (order.family == Family::any || address.is_v4() == (order.family == Family::v4))
            place.ends.push_back({address, order.to.port});
    }
    if (place.ends.empty()) return base::fail(Kind::not_found, order.to.text() + ": no address to connect to");
    return place;
}

Result<Run> run(const Plan& plan, const Place& place, bool terminal) {
    const Order& order = plan.order;
    if (sys::raise_descriptor_limit(order.sessions + spare_descriptors) < order.sessions + spare_descriptors)
        plan.say("warning: this process may not have a descriptor for each of its sessions");
    Ledger ledger(order.messages, order.rate, order.duration);
    const auto ended = TRY(sys::make_pipe());
    // Before the threads are made: they inherit what is held back, and the signals come to us.
    sys::Signals signals;
    const auto start = sys::stopwatch();
    const auto now = [start] { return sys::micros_since(start).count(); };

    const sys::Loan loan(plan.content.lasting());
    std::vector<std::unique_ptr<Worker>> workers;
    const unsigned threads = thread_count(order);
    for (unsigned i = 0, first = 0; i < threads; ++i) {
        const unsigned sessions = order.sessions / threads + (i < order.sessions % threads ? 1 : 0);
        workers.push_back(std::make_unique<Worker>(plan, ledger, place, loan, start, first, sessions));
        first += sessions;
    }
    for (auto& worker : workers)
        worker->thread = std::thread([&worker = *worker, &ledger, fd = ended.write.get()] {
            worker.ending = worker.loop.run();
            if (!worker.ending) ledger.stop();
            // Whether anybody waits for it: the end is seen at the next look, too.
            static_cast<void>(sys::write_all(fd, ".", sys::Deadline::never()));
        });

    Display display(order.count, terminal);
    bool stopped = false;
    const int wake = ended.read.get();
    for (std::size_t left = threads; left != 0;) {
        const auto seen = signals.wait({&wake, 1}, sys::Deadline::in(between_lines));
        if (seen.stop) ledger.stop();
        stopped = stopped || seen.stop;
        char done[256];
        if (!seen.ready.empty()) left -= sys::read_some(wake, done, sys::Deadline::never()).value_or(0);
        display.show(workers, now());
    }
    Run out;
    out.elapsed = now();
    for (auto& worker : workers) worker->thread.join();
    display.show(workers, now());
    display.end();
    for (auto& worker : workers) {
        if (!worker->ending) return std::unexpected(worker->ending.error());
        out.stats.add(worker->loop.stats());
    }
    out.sessions = order.sessions;
    out.threads = threads;
    out.stopped = stopped;
    return out;
}

}  // namespace greylag::source
