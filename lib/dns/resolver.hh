// Questions to the domain name system, and their answers as values (RFC 1035, 3596, 2308, 6698, 7505).
//
// Several questions are in flight together: ask, ask, ask, then take. A question costs nothing before it is asked: the
// resolver is made when the first one is. What is found, what is not there and who does not answer are different types: the
// first two are an Answer, the last is an Error and always temporary. No callback, no c-ares leaves the room; no search
// domain, no /etc/hosts; nothing is kept longer than the Resolver lives.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "base/time.hh"
#include "dns/records.hh"
#include "mail/ip.hh"
#include "sys/clock.hh"

namespace greylag::dns {

struct NameServer {
    mail::IpAddress address;
    std::uint16_t port = 53;
    std::string text() const;  // "192.0.2.1:53", "[2001:db8::1]:53"
};

struct Settings {
    std::vector<NameServer> nameservers{};  // empty: those of resolv.conf(5)
    base::Millis timeout{5000};             // for one question from ask to answer: all tries, all servers, UDP and TCP
    bool trust_ad = false;                  // believe the AD bit of name servers that are not on loopback
};

// A question that was asked; a ticket, of use only to the Resolver that gave it, and once.
template <class Record>
struct Query {
    std::size_t number = 0;
};

class Resolver {
public:
    explicit Resolver(Settings settings);
    ~Resolver();
    Resolver(Resolver&&) noexcept;
    Resolver& operator=(Resolver&&) noexcept;

    // Sends the question and returns at once. Names are ASCII or U-labels, with or without the final dot.
    Query<Mx> ask_mx(std::string_view name);
    Query<mail::IpAddress> ask_a(std::string_view name);
    Query<mail::IpAddress> ask_aaaa(std::string_view name);
    Query<Name> ask_ptr(const mail::IpAddress& address);
    Query<Text> ask_txt(std::string_view name);
    Query<Tlsa> ask_tlsa(std::string_view name);  // "_25._tcp.mx.example.org"

    // Waits for that one until its time is over, or `deadline` when that is earlier; the others go on meanwhile. Every Error is
    // temporary: SERVFAIL, REFUSED, no server, no answer in time, an answer that cannot be read. A name that DNS cannot carry
    // (an empty label, one over 63 octets) is Found::no_name without any question.
    template <class Record>
    Result<Answer<Record>> take(Query<Record> query, sys::Deadline deadline = sys::Deadline::never());

    // A and AAAA in flight together, joined: records of either are records; an Error only where nothing was found.
    Result<Answer<mail::IpAddress>> addresses(std::string_view name);

    // Asks each name server by itself whether it answers at all (for the root's SOA), all within one `timeout`; an Error names
    // each one that does not.
    static std::vector<Error> silent(const Settings& settings);

private:
    struct State;
    std::unique_ptr<State> state_;
};

Result<Answer<mail::IpAddress>> join(Result<Answer<mail::IpAddress>> a, Result<Answer<mail::IpAddress>> aaaa);

}  // namespace greylag::dns
