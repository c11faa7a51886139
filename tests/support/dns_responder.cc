#include "tests/support/dns_responder.hh"

#include <arpa/inet.h>

#include <cstdio>
#include <stdexcept>

#include "base/ascii.hh"

namespace greylag::test {

namespace {

void put16(std::string& out, unsigned n) {
    out += static_cast<char>(n >> 8 & 0xff);
    out += static_cast<char>(n & 0xff);
}
void put32(std::string& out, std::uint32_t n) {
    put16(out, n >> 16);
    put16(out, n & 0xffff);
}
unsigned get16(std::string_view from, std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(from[at])) << 8 | static_cast<unsigned char>(from[at + 1]);
}

std::string key(std::string_view name) {
    while (!name.empty() && name.back() == '.') name.remove_suffix(1);
    return base::lower(name);
}

std::string record(const std::string& owner, std::uint16_t type, std::string_view rdata) {
    std::string out = owner;
    put16(out, type);
    put16(out, 1);    // IN
    put32(out, 300);  // TTL
    put16(out, static_cast<unsigned>(rdata.size()));
    return out.append(rdata);
}

// A query taken apart; whole is false when it is none.
struct Query {
    bool whole = false;
    std::string name;           // lower case
    std::string_view question;  // the octets, to be repeated as they came: the case may be a secret of the asker
    std::uint16_t type = 0;
    std::size_t room = 512;
    bool edns = false;
};

Query take_apart(std::string_view packet) {
    Query q;
    if (packet.size() < 12 || get16(packet, 4) != 1) return q;
    std::size_t at = 12;
    while (at < packet.size() && packet[at] != 0) {
        const auto length = static_cast<unsigned char>(packet[at]);
        if (length > 63 || at + 1 + length >= packet.size()) return q;
        if (!q.name.empty()) q.name += '.';
        q.name += base::lower(packet.substr(at + 1, length));
        at += 1u + length;
    }
    if (at + 5 > packet.size()) return q;
    q.type = static_cast<std::uint16_t>(get16(packet, at + 1));
    q.question = packet.substr(12, at + 5 - 12);
    const std::size_t extra = at + 5;
    if (get16(packet, 10) > 0 && extra + 11 <= packet.size() && packet[extra] == 0 && get16(packet, extra + 1) == rr::opt) {
        q.edns = true;
        q.room = std::max<std::size_t>(512, get16(packet, extra + 3));
    }
    q.whole = true;
    return q;
}

}  // namespace

std::string DnsResponder::wire_name(std::string_view name) {
    std::string out;
    for (const std::string_view label : base::split(name, '.')) {
        if (label.empty()) continue;
        out += static_cast<char>(label.size());
        out += label;
    }
    return out + '\0';
}

std::string DnsResponder::reverse_name(std::string_view ip) {
    unsigned char bytes[16];
    const std::string text(ip);
    std::string out;
    if (::inet_pton(AF_INET, text.c_str(), bytes) == 1) {
        for (int i = 3; i >= 0; --i) out += std::to_string(bytes[i]) + ".";
        return out + "in-addr.arpa";
    }
    if (::inet_pton(AF_INET6, text.c_str(), bytes) != 1) throw std::runtime_error(text + " is no address");
    for (int i = 15; i >= 0; --i) {
        char nibbles[8];
        std::snprintf(nibbles, sizeof nibbles, "%x.%x.", bytes[i] & 15u, bytes[i] >> 4u);
        out += nibbles;
    }
    return out + "ip6.arpa";
}

DnsResponder::Name& DnsResponder::at(std::string_view name) { return names_[key(name)]; }

void DnsResponder::add(std::string_view name, std::uint16_t type, std::string rdata) {
    const std::lock_guard guard(lock_);
    at(name).records.push_back({type, std::move(rdata)});
}

void DnsResponder::mx(std::string_view name, std::uint16_t preference, std::string_view host) {
    std::string rdata;
    put16(rdata, preference);
    add(name, rr::mx, rdata + wire_name(host));
}

void DnsResponder::address(std::string_view name, std::string_view ip) {
    char bytes[16];
    const std::string text(ip);
    if (::inet_pton(AF_INET, text.c_str(), bytes) == 1)
        add(name, rr::a, std::string(bytes, 4));
    else if (::inet_pton(AF_INET6, text.c_str(), bytes) == 1)
        add(name, rr::aaaa, std::string(bytes, 16));
    else
        throw std::runtime_error(text + " is no address");
}

void DnsResponder::txt(std::string_view name, std::string_view text) {
    std::string rdata;
    do {
        const std::string_view piece = text.substr(0, 255);
        rdata += static_cast<char>(piece.size());
        rdata += piece;
        text.remove_prefix(piece.size());
    } while (!text.empty());
    add(name, rr::txt, std::move(rdata));
}

void DnsResponder::ptr(std::string_view ip, std::string_view host) { add(reverse_name(ip), rr::ptr, wire_name(host)); }
void DnsResponder::cname(std::string_view name, std::string_view target) { add(name, rr::cname, wire_name(target)); }
void DnsResponder::tlsa(std::string_view name, std::uint8_t usage, std::uint8_t selector, std::uint8_t matching,
                        std::string_view data) {
    const char head[] = {static_cast<char>(usage), static_cast<char>(selector), static_cast<char>(matching)};
    add(name, rr::tlsa, std::string(head, 3).append(data));
}
void DnsResponder::raw(std::string_view name, std::uint16_t type, std::string_view rdata) { add(name, type, std::string(rdata)); }

void DnsResponder::fault(std::string_view name, DnsFault fault, std::uint16_t type) {
    const std::lock_guard guard(lock_);
    at(name).faults[type] = fault;
}
void DnsResponder::delay(std::string_view name, base::Millis wait) {
    const std::lock_guard guard(lock_);
    at(name).delay = wait;
}
void DnsResponder::authenticated(std::string_view name) {
    const std::lock_guard guard(lock_);
    at(name).authenticated = true;
}

std::vector<DnsResponder::Question> DnsResponder::questions() const {
    const std::lock_guard guard(lock_);
    return questions_;
}

unsigned DnsResponder::asked(std::string_view name, std::uint16_t type) const {
    const std::lock_guard guard(lock_);
    unsigned n = 0;
    for (const Question& q : questions_) n += q.name == key(name) && (type == rr::any || q.type == type);
    return n;
}

DnsFault DnsResponder::fault_for(const std::string& name, std::uint16_t type) const {
    const auto found = names_.find(name);
    if (found == names_.end()) return DnsFault::none;
    for (const std::uint16_t wanted : {type, rr::any})
        if (const auto fault = found->second.faults.find(wanted); fault != found->second.faults.end()) return fault->second;
    return DnsFault::none;
}

// The records that answer, behind any chain of CNAMEs; the reply code.
std::uint16_t DnsResponder::fill(const std::string& name, std::uint16_t type, std::string& records, std::uint16_t& count,
                                 bool& authentic) const {
    std::string current = name;
    for (int hops = 0; hops < 10; ++hops) {
        const auto found = names_.find(current);
        if (found == names_.end()) {
            for (const auto& [other, unused] : names_)
                if (other.ends_with("." + current)) return 0;  // an empty non-terminal
            return 3;
        }
        authentic = found->second.authenticated;
        std::string next;
        for (const Record& r : found->second.records) {
            if (r.type != type && type != rr::any && r.type != rr::cname) continue;
            records += record(wire_name(current), r.type, r.rdata);
            ++count;
            if (r.type != rr::cname || type == rr::cname) continue;
            for (std::size_t i = 0; i < r.rdata.size() && r.rdata[i] != 0; i += 1u + static_cast<unsigned char>(r.rdata[i]))
                next += (next.empty() ? "" : ".") + r.rdata.substr(i + 1, static_cast<unsigned char>(r.rdata[i]));
        }
        if (next.empty()) return 0;
        current = key(next);
    }
    return 2;
}

DnsResponder::Answer DnsResponder::answer(std::string_view query, bool tcp) {
    const Query q = take_apart(query);
    if (!q.whole) return {};
    const std::lock_guard guard(lock_);
    questions_.push_back({q.name, q.type, tcp});
    const DnsFault fault = fault_for(q.name, q.type);
    if (fault == DnsFault::silence) return {};
    const bool cut = fault == DnsFault::truncated && !tcp;

    std::string records;
    std::uint16_t count = 0;
    bool authentic = false;
    std::uint16_t code = 0;
    switch (fault) {
        case DnsFault::none:
        case DnsFault::silence:
        case DnsFault::truncated:
        case DnsFault::wrong_id: code = fill(q.name, q.type, records, count, authentic); break;
        case DnsFault::garbage:
            records = "\xc0\xff\xff\xff\xff\xff\xff\xff\x3f\x3f\x3f";
            count = 3;
            break;
        case DnsFault::nodata: break;
        case DnsFault::formerr: code = 1; break;
        case DnsFault::servfail: code = 2; break;
        case DnsFault::nxdomain: code = 3; break;
        case DnsFault::refused: code = 5; break;
    }
    std::string authority;
    if (count == 0 && (code == 0 || code == 3)) {
        std::string soa = wire_name("ns.invalid") + wire_name("root.invalid");
        for (const std::uint32_t n : {1u, 3600u, 600u, 86400u, 5u}) put32(soa, n);
        authority = record(std::string(1, '\0'), rr::soa, soa);
    }
    const std::size_t size = 12 + q.question.size() + records.size() + authority.size() + (q.edns ? 11 : 0);
    const bool truncated = !tcp && (cut || size > q.room);

    Answer out;
    out.delay = names_.contains(q.name) ? names_.at(q.name).delay : base::Millis(0);
    put16(out.bytes, get16(query, 0) ^ (fault == DnsFault::wrong_id ? 0x5555u : 0u));
    const unsigned recursion = get16(query, 2) & 0x0100u;
    put16(out.bytes, 0x8480u | recursion | (truncated ? 0x0200u : 0u) | (authentic ? 0x0020u : 0u) | code);
    put16(out.bytes, 1);
    put16(out.bytes, truncated ? 0 : count);
    put16(out.bytes, !truncated && !authority.empty() ? 1 : 0);
    put16(out.bytes, q.edns ? 1 : 0);
    out.bytes += q.question;
    if (!truncated) out.bytes += records + authority;
    if (q.edns) out.bytes += std::string("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
    return out;
}

}  // namespace greylag::test
