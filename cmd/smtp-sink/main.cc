// smtp-sink: a mail server that throws messages away, or misbehaves as told (smtp-sink(1)). Arguments, wiring, counts.
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "base/escape.hh"
#include "client/digests.hh"
#include "cmd/program.hh"
#include "cmd/smtp-sink/dump.hh"
#include "cmd/smtp-sink/loop.hh"
#include "cmd/smtp-sink/options.hh"
#include "secret/random.hh"
#include "sys/host.hh"
#include "sys/io.hh"
#include "sys/rights.hh"
#include "sys/signals.hh"
#include "tls/process.hh"

using namespace greylag;

namespace {

constexpr base::Millis between_counts{250};
constexpr std::size_t spare_descriptors = 64;
constexpr std::size_t random_size = 24;

constexpr cmd::Program program{"smtp-sink", sink::option_table, sink::operands};

std::string random_text() { return secret::random_text(random_size); }
void say(std::string_view line) { std::fprintf(stderr, "smtp-sink: %.*s\n", static_cast<int>(line.size()), line.data()); }

Result<std::vector<sys::Fd>> listeners(const sink::Rules& rules) {
    std::vector<sys::Fd> all;
    if (!rules.where.path.empty()) {
        all.push_back(TRY(sys::listen_on_path(rules.where.path)));
    } else {
        std::vector<mail::IpAddress> addresses;
        if (rules.where.host) {
            addresses = sys::host_addresses(*rules.where.host);
            if (addresses.empty()) return base::fail(Kind::not_found, *rules.where.host + ": no address of ours");
        } else if (!(rules.v4 && rules.v6)) {
            addresses.push_back(rules.v4 ? mail::IpAddress::v4({}) : mail::IpAddress::v6({}));
        }
        if (addresses.empty()) all = TRY(sys::listen_on({std::nullopt, rules.where.port}));
        for (const auto& address : addresses) {
            if (!(address.is_v4() ? rules.v4 : rules.v6)) continue;
            for (auto& fd : TRY(sys::listen_on({address, rules.where.port}))) all.push_back(std::move(fd));
        }
    }
    if (all.empty()) return base::fail(Kind::not_found, "no address of the wanted family");
    for (const auto& fd : all) {
        if (rules.where.backlog) TRY(sys::set_backlog(fd.get(), *rules.where.backlog));
        say("listening on " + (rules.where.path.empty() ? sys::bound_address(fd.get()) : rules.where.path));
    }
    return all;
}

Result<void> give_up_rights(const sink::Rules& rules) {
    if (!rules.root.empty() && (::chroot(rules.root.c_str()) < 0 || ::chdir("/") < 0))
        return sys::os_fail("-R " + rules.root, errno);
    return rules.user.empty() ? Result<void>() : sys::become(rules.user);
}

std::string counts(const sink::Totals& t, bool json) {
    struct Count {
        std::string_view name;
        std::uint64_t number;
    };
    const Count all[] = {{"sessions", t.sessions}, {"quits", t.quits},     {"messages", t.messages}, {"recipients", t.recipients},
                         {"octets", t.octets},     {"refused", t.refused}, {"lost", t.lost}};
    std::string out;
    for (const auto& [name, number] : all) {
        if (!out.empty()) out += json ? "," : ", ";
        out += json ? base::json_string(name) + ":" + std::to_string(number) : std::to_string(number) + " " + std::string(name);
    }
    return json ? "{" + out + "}\n" : out + "\n";
}

// Until every loop is over; the first error of one ends all.
Result<void> serve(const sink::House& house, const std::vector<sys::Fd>& doors, const tls::ServerContext* tls) {
    const sink::Rules& rules = house.rules;
    const unsigned wanted = rules.threads != 0 ? rules.threads : std::max(std::thread::hardware_concurrency(), 1U);
    // Nobody but one can count sessions exactly before they are there.
    const unsigned threads = rules.most_sessions != 0 ? 1 : std::min(wanted, rules.connections);
    std::vector<int> fds;
    for (const auto& door : doors) fds.push_back(door.get());
    const auto ended = TRY(sys::make_pipe());
    sys::Signals signals;
    std::atomic<bool> stop{false};
    std::vector<Result<void>> endings(threads);
    std::vector<std::thread> running;
    const auto start = sys::stopwatch();
    for (unsigned i = 0; i < threads; ++i)
        running.emplace_back([&, i] {
            sink::Loop loop(house, fds, rules.connections / threads, tls, start);
            endings[i] = loop.run(stop);
            stop = true;
            static_cast<void>(sys::write_all(ended.write.get(), ".", sys::Deadline::never()));
        });
    const int wake = ended.read.get();
    for (std::size_t left = threads; left != 0;) {
        const auto seen = signals.wait({&wake, 1}, rules.count ? sys::Deadline::in(between_counts) : sys::Deadline::never());
        if (seen.stop) stop = true;
        char done[256];
        if (!seen.ready.empty()) left -= sys::read_some(wake, done, sys::Deadline::never()).value_or(0);
        if (!rules.count) continue;
        const auto& t = house.totals;
        std::printf("sess=%llu quit=%llu mesg=%llu\r", static_cast<unsigned long long>(t.sessions.load()),
                    static_cast<unsigned long long>(t.quits.load()), static_cast<unsigned long long>(t.messages.load()));
        std::fflush(stdout);
    }
    for (auto& thread : running) thread.join();
    if (rules.count) std::puts("");
    for (auto& ending : endings) TRY(ending);
    return {};
}

int run(const sink::Rules& rules) {
    std::unique_ptr<tls::ServerContext> tls;
    if (rules.tls()) {
        tls::own_process();
        auto context = tls::ServerContext::load({rules.certificate, rules.key, {}, "1.2", {}});
        if (!context) return program.complain(EX_CONFIG, context.error().text);
        tls = std::make_unique<tls::ServerContext>(std::move(*context));
    }
    sys::raise_descriptor_limit(rules.connections + spare_descriptors);
    const auto doors = listeners(rules);
    if (!doors) return program.complain(doors.error().kind == Kind::not_found ? EX_NOHOST : EX_OSERR, doors.error().text);
    if (const auto given = give_up_rights(rules); !given) return program.complain(EX_NOPERM, given.error().text);
    sink::Totals totals;
    const sink::House house{rules,
                            totals,
                            client::all_digests(),
                            random_text,
                            say,
                            sink::make_dumper(rules),
                            {sink::make_hello(rules, sink::Over::clear), sink::make_hello(rules, sink::Over::tls),
                             sink::make_hello(rules, sink::Over::bound_tls)},
                            {}};
    const auto served = serve(house, *doors, tls.get());
    if (!rules.where.path.empty()) ::unlink(rules.where.path.c_str());
    if (!served) return program.complain(EX_OSERR, served.error().text);
    std::fputs(counts(totals, rules.json).c_str(), stdout);
    return EX_OK;
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto line = program.arguments(argc, argv);
    if (!line) return line.error();
    const auto rules = sink::make_rules(*line);
    return rules ? run(*rules) : program.usage(rules.error().text);
}
