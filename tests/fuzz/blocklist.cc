// Any bytes as a block list, as senders and as names.blocked: no crash; a line that cannot be read is named and says nothing;
// the first line that fits decides, and case does not count.
#include "policy/blocklist.hh"

#include <cstdlib>

#include "base/ascii.hh"
#include "policy/recipients.hh"

using namespace greylag;
using namespace greylag::policy;

namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

struct Probe {
    std::optional<mail::IpAddress> peer;
    mail::Path sender = mail::Path::null();
};

// Some that are always asked for, and whoever the bytes themselves name.
std::vector<Probe> probes(std::string_view bytes) {
    std::vector<Probe> all;
    for (const char* peer : {"192.0.2.7", "198.51.100.1", "10.0.0.1", "2001:db8::7"})
        all.push_back({*mail::IpAddress::parse(peer), *mail::Path::parse("offers@bulk.spam.example")});
    all.push_back({});
    for (const std::string_view word : base::words(bytes, ",#")) {
        if (all.size() > 40) break;
        if (const auto network = mail::Cidr::parse(word)) {
            all.push_back({network->address()});
            all.push_back({network->last()});
        }
        if (const auto path = mail::Path::parse_argument(word); path && !path->is_null() && !path->is_loopback())
            all.push_back({std::nullopt, *path});
    }
    return all;
}

unsigned count_lines(std::string_view bytes) {
    unsigned count = 0;
    for (const char c : bytes) count += c == '\n' ? 1u : 0u;
    return count + (bytes.empty() || bytes.ends_with('\n') ? 0u : 1u);
}

template <class Faults>
void must_name_lines(const Faults& faults, std::string_view bytes) {
    const unsigned lines = count_lines(bytes);
    unsigned last = 0;
    for (const LineFault& fault : faults) {
        must(fault.line > last && fault.line <= lines && !fault.what.empty());
        for (const char c : fault.what) must(!base::is_ctl(c));
        last = fault.line;
    }
}

std::string without(std::string_view bytes, const std::vector<LineFault>& faults) {
    std::string out;
    auto fault = faults.begin();
    for (unsigned number = 1; !bytes.empty(); ++number) {
        const std::string_view line = bytes.substr(0, std::min(bytes.find('\n'), bytes.size() - 1) + 1);
        bytes.remove_prefix(line.size());
        if (fault != faults.end() && fault->line == number)
            ++fault;
        else
            out += line;
    }
    return out;
}

std::string upper(std::string_view bytes) {
    std::string out(bytes);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

void check_block_list(std::string_view bytes) {
    const auto list = BlockList::parse(bytes);
    must_name_lines(list.faults(), bytes);
    const std::string good = without(bytes, list.faults());
    const auto clean = BlockList::parse(good), shouted = BlockList::parse(upper(bytes));
    must(clean.faults().empty() && shouted.faults().size() == list.faults().size());
    const std::size_t half = std::min(bytes.find('\n', bytes.size() / 2), bytes.size());
    const auto first = BlockList::parse(bytes.substr(0, half)), second = BlockList::parse(bytes.substr(half));
    for (const Probe& probe : probes(bytes)) {
        const auto action = list.find(probe.peer, probe.sender);
        must(clean.find(probe.peer, probe.sender) == action);
        must(shouted.find(probe.peer, probe.sender) == action);
        const auto early = first.find(probe.peer, probe.sender);
        must((early ? early : second.find(probe.peer, probe.sender)) == action);
        // At one moment at most, and of allow never.
        int refusals = 0;
        for (const auto moment : {Moment::mail, Moment::data, Moment::message}) refusals += spoken(action, moment).ok() ? 0 : 1;
        must(refusals == (action && *action != Action::allow ? 1 : 0));
    }
}

void check_recipients(std::string_view bytes) {
    const auto faults = faults_of_senders(bytes);
    must_name_lines(faults, bytes);
    const std::string good = without(bytes, faults);
    must(faults_of_senders(good).empty());
    for (const Probe& probe : probes(bytes)) {
        if (probe.sender.is_null()) continue;
        (void)is_name_blocked(bytes, probe.sender);
        const auto closed = closed_to(bytes, probe.sender);
        must(closed.listed || (closed.networks.empty() && closed.names.empty()));
        for (const auto& network : closed.networks) must(closed.holds(network.address()) && closed.holds(network.last()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string bytes(data, data + size);
    check_block_list(bytes);
    check_recipients(bytes);
    return 0;
}
