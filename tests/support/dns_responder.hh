// A name server on loopback that answers, or misbehaves, as told (RFC 1034, 1035, 3596, 6698, 6891). UDP and TCP on one port.
// The wire format is written by hand here: the resolver under test must not check itself.
//
// A name nobody entered is NXDOMAIN, a name (or a parent of one) without the type asked for is NODATA, both with an SOA.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sys/fd.hh"
#include "tests/support/must.hh"

namespace greylag::test {

// Record types by their numbers.
namespace rr {
inline constexpr std::uint16_t a = 1, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28, opt = 41, tlsa = 52, any = 255;
}

enum class DnsFault {
    none,
    nxdomain,
    nodata,
    servfail,
    refused,
    formerr,
    silence,    // no answer at all
    truncated,  // over UDP only TC; the answer over TCP
    garbage,    // the right id and question, then octets that are no records
    wrong_id,
};

class DnsResponder {
public:
    // Port 0: the kernel chooses. In a namespace "198.51.100.10", 53 is possible.
    explicit DnsResponder(const std::string& address = "127.0.0.1", std::uint16_t port = 0);
    ~DnsResponder();
    DnsResponder(const DnsResponder&) = delete;
    DnsResponder& operator=(const DnsResponder&) = delete;

    // Whether UDP and TCP are both to be had there now.
    static bool is_free(const std::string& address, std::uint16_t port);

    std::uint16_t port() const { return port_; }
    std::string text() const;  // "127.0.0.1:5353": what [dns] nameservers takes

    // All of these may be called while it runs. Names without the final dot; "." is the root (null MX).
    void mx(std::string_view name, std::uint16_t preference, std::string_view host);
    void address(std::string_view name, std::string_view ip);  // A or AAAA
    void txt(std::string_view name, std::string_view text);    // cut into strings of 255
    void ptr(std::string_view ip, std::string_view host);      // under in-addr.arpa or ip6.arpa
    void cname(std::string_view name, std::string_view target);
    void tlsa(std::string_view name, std::uint8_t usage, std::uint8_t selector, std::uint8_t matching, std::string_view data);
    void raw(std::string_view name, std::uint16_t type, std::string_view rdata);

    void fault(std::string_view name, DnsFault fault, std::uint16_t type = rr::any);  // any: for every type
    void delay(std::string_view name, base::Millis wait);
    void authenticated(std::string_view name);  // AD set in its answers

    struct Question {
        std::string name;  // lower case
        std::uint16_t type = 0;
        bool tcp = false;
    };
    std::vector<Question> questions() const;
    unsigned asked(std::string_view name, std::uint16_t type = rr::any) const;

    static std::string wire_name(std::string_view name);
    static std::string reverse_name(std::string_view ip);

private:
    struct Record {
        std::uint16_t type;
        std::string rdata;
    };
    struct Name {
        std::vector<Record> records;
        std::map<std::uint16_t, DnsFault> faults;
        base::Millis delay{0};
        bool authenticated = false;
    };
    struct Answer {
        std::string bytes;  // empty: say nothing
        base::Millis delay{0};
    };
    struct Loop;  // the thread's sockets and what waits to be sent

    Name& at(std::string_view name);
    void add(std::string_view name, std::uint16_t type, std::string rdata);
    Answer answer(std::string_view query, bool tcp);
    std::uint16_t fill(const std::string& name, std::uint16_t type, std::string& records, std::uint16_t& count,
                       bool& authentic) const;
    DnsFault fault_for(const std::string& name, std::uint16_t type) const;

    std::string address_;
    std::uint16_t port_ = 0;
    mutable std::mutex lock_;
    std::map<std::string, Name> names_;
    std::vector<Question> questions_;
    sys::Fd udp_, tcp_;
    sys::Pipe stop_;
    std::thread thread_;
};

}  // namespace greylag::test
